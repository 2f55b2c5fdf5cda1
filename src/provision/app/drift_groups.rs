//! Groups of ours in the app, and who is in them, where that changed behind our back.

use std::collections::BTreeMap;

use super::drift::Seen;
use super::{AppSide, Drift, DriftKind, view};
use crate::connector::{Found, Kind, Known, Ledger, Link, Owner};
use crate::identity::{Group, GroupId, fold};
use crate::provision::{Provision, Refused};

/// People who are named in a note at most, of each sort.
const NAMED: usize = 10;

/// Who is not in a group, or is, against what the directory says.
#[derive(Default)]
struct Members {
    /// Ours who are out of it.
    lacks: Vec<Known>,
    /// Ours who are in it.
    added: Vec<Known>,
    /// Accounts in it that nobody here has.
    unknown: Vec<Known>,
}

impl Members {
    fn notes(&self) -> impl Iterator<Item = String> {
        let sorts = [
            ("lacks", &self.lacks),
            ("added", &self.added),
            ("unknown", &self.unknown),
        ];
        sorts
            .into_iter()
            .filter(|(_, people)| !people.is_empty())
            .map(|(sort, people)| {
                let names: Vec<_> = people.iter().take(NAMED).map(Known::name).collect();
                let more = match people.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{sort} {}{more}", names.join(", "))
            })
    }
}

impl Provision {
    /// Compares every group that is linked; groups that nobody here has are the app's own.
    pub(super) async fn drift_of_groups(
        &self,
        app: &AppSide,
        seen: &Seen,
        mend: &[DriftKind],
    ) -> Result<Vec<Drift>, Refused> {
        let mut all = Vec::new();
        if !app.connector.has_groups() {
            return Ok(all);
        }
        let groups = app.connector.all_groups().await?.into_iter();
        let groups: BTreeMap<String, Found> =
            groups.map(|found| (found.id.clone(), found)).collect();
        for (owner, link) in app.ledger.links(Kind::Group).await? {
            let found = groups.get(&link.app_id);
            let drift = self
                .compare_group(app, (&owner, &link), found, seen)
                .await?;
            let Some(mut drift) = drift else { continue };
            if mend.contains(&drift.kind) {
                self.mend_group(app, &owner, seen, &mut drift).await?;
            }
            all.push(drift);
        }
        Ok(all)
    }

    async fn group_of(&self, owner: &Owner) -> Result<Option<Group>, Refused> {
        let id = GroupId::from(owner.id.as_str());
        Ok(self.directory().group(&owner.tenant, &id).await?)
    }

    async fn compare_group(
        &self,
        app: &AppSide,
        (owner, link): (&Owner, &Link),
        found: Option<&Found>,
        seen: &Seen,
    ) -> Result<Option<Drift>, Refused> {
        let Some(group) = self.group_of(owner).await? else {
            return Ok(None);
        };
        let drift = |kind, note: String| Drift {
            kind,
            of: Kind::Group,
            app_id: link.app_id.clone(),
            login: group.display_name.clone(),
            note,
            mended: false,
        };
        let Some(found) = found else {
            return Ok(Some(drift(DriftKind::Missing, "it is gone".to_owned())));
        };
        let held = app.group_name(found);
        // As the app wrote it when it took the name.
        let is_its_own = held == link.login && fold(&held) != fold(&group.display_name);
        let wanted = view::of_group(&group);
        let mut notes = Vec::new();
        for name in app.connector.group_differences(found, &wanted)? {
            if name != app.connector.group_key() {
                notes.push(name);
            } else if !is_its_own {
                notes.push(format!("is called {held:?} there"));
            }
        }
        notes.extend(self.members_of(app, &group, link, seen).await?.notes());
        let note = notes.join("; ");
        Ok((!note.is_empty()).then(|| drift(DriftKind::Changed, note)))
    }

    async fn members_of(
        &self,
        app: &AppSide,
        group: &Group,
        link: &Link,
        seen: &Seen,
    ) -> Result<Members, Refused> {
        let mut differing = Members::default();
        if !app.connector.has_members() {
            return Ok(differing);
        }
        let mut wanted = self.people.members_there(app, group).await?;
        let mut held = app.connector.members(&link.app_id).await?;
        held.retain(|id| wanted.remove(id).is_none());
        // Who has no account there any more is told apart.
        wanted.retain(|id, _| !seen.gone.contains(id));
        differing.lacks.extend(wanted.into_values());
        for id in held {
            let account = seen.accounts.get(&id).map(|account| app.known_as(account));
            match (app.ledger.owner(Kind::User, &id).await?, account) {
                (Some(_), Some(account)) => differing.added.push(account),
                (Some(_), None) => differing.added.push(Known::new(id.as_str(), id.as_str())),
                (None, Some(account)) => differing.unknown.push(account),
                // Never touched.
                (None, None) => {}
            }
        }
        Ok(differing)
    }

    async fn mend_group(
        &self,
        app: &AppSide,
        owner: &Owner,
        seen: &Seen,
        drift: &mut Drift,
    ) -> Result<(), Refused> {
        let people = &self.people;
        let turns = &people.state.turns;
        let _turn = turns.take((&owner.tenant, owner.id.as_str())).await;
        let owed = app.ledger.intent(owner).await?;
        if owed.is_none() {
            let owe = AppSide::owe(owner, people.clock.now());
            app.ledger.write(owe).await?;
        }
        let done = match self.set_right(app, owner, seen).await {
            Err(Refused::App(failure)) => app.give_up(owner, owed.as_ref(), failure).await,
            done => done,
        };
        match done {
            Ok(()) => {}
            Err(Refused::App(failure)) => {
                drift.note = format!("{}; {failure}", drift.note);
                return Ok(());
            }
            Err(refused) => return Err(refused),
        }
        let Some(link) = app.ledger.link(owner).await? else {
            drift.mended = true;
            return Ok(());
        };
        let found = app.connector.group(&link.app_id).await?;
        let left = self.compare_group(app, (owner, &link), found.as_ref(), seen);
        match left.await? {
            None => drift.mended = true,
            Some(left) => drift.note = format!("{}, also after the change", left.note),
        }
        Ok(())
    }

    /// The group and ours who are in it; who is nobody's here is left in it.
    async fn set_right(&self, app: &AppSide, owner: &Owner, seen: &Seen) -> Result<(), Refused> {
        let Some(group) = self.group_of(owner).await? else {
            return Ok(app.ledger.write(Ledger::settle(owner)).await?);
        };
        let (now, link) = (self.people.clock.now(), app.ledger.link(owner).await?);
        let link = app.bring_group(owner, link, (&group, &group), now).await?;
        app.ledger.write(Ledger::tie(owner, &link)).await?;
        let members = self.members_of(app, &group, &link, seen).await?;
        let known = app.known(owner, &link).await?;
        let gone: Vec<_> = members.added.into_iter().map(|its| its.id).collect();
        app.connector
            .change_members(&known, &members.lacks, &gone)
            .await?;
        Ok(app.ledger.write(Ledger::settle(owner)).await?)
    }
}
