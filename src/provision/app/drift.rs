//! What changed in the app behind our back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::begun::TakeOver;
use super::{AppSide, is_active, view};
use crate::connector::{Found, Kind, Link, Owner};
use crate::identity::{ManagedBy, UserId, fold};
use crate::metrics::Kind as Label;
use crate::provision::{People, Provision, Refused};

/// What is not as the directory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// The account holds something else; the group, or somebody is in it, or out of it, who should not be.
    Changed,
    /// The account, or the group, is gone.
    Missing,
    /// An account that nobody here has.
    Added,
}

const KINDS: [(DriftKind, &str); 3] = [
    (DriftKind::Changed, "changed"),
    (DriftKind::Missing, "missing"),
    (DriftKind::Added, "added"),
];

/// One account, or one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What is not as the directory says.
    pub kind: DriftKind,
    /// Of what: `user` or `group`.
    #[serde(rename = "type")]
    pub of: Kind,
    /// The app's id.
    pub app_id: String,
    /// The login name; of a group, its name.
    pub login: String,
    /// Which attributes and members, or what was done.
    pub note: String,
    /// It was mended.
    pub mended: bool,
}

/// What the app had when it was looked at.
pub(super) struct Seen {
    /// Its accounts, by its ids.
    pub(super) accounts: BTreeMap<String, Found>,
    /// Accounts of ours that are gone.
    pub(super) gone: BTreeSet<String>,
}

impl Provision {
    /// Compares every account and every group of ours in the app with the directory, and mends what is asked for: changed
    /// and missing ones become what the directory says, added ones are deactivated. The last administrator is left, and so
    /// is whoever is in a group and nobody here.
    ///
    /// # Errors
    ///
    /// There is no connector; the app or the directory failed.
    pub async fn drift(&self, mend: &[DriftKind]) -> Result<Vec<Drift>, Refused> {
        let Some(app) = self.people.app.clone() else {
            return Err(Refused::NoConnector);
        };
        let accounts = app.connector.users().await?.into_iter();
        let mut seen = Seen {
            accounts: accounts.map(|found| (found.id.clone(), found)).collect(),
            gone: BTreeSet::new(),
        };
        let mut found = self.drift_of_people(&app, &mut seen, mend).await?;
        found.extend(self.drift_of_groups(&app, &seen, mend).await?);
        for (kind, word) in KINDS {
            let count = found
                .iter()
                .filter(|drift| drift.kind == kind && !drift.mended)
                .count();
            let gauge = &self.people.state.metrics.connector_drift;
            gauge
                .get_or_create(&Label { kind: word })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        Ok(found)
    }

    async fn drift_of_people(
        &self,
        app: &AppSide,
        seen: &mut Seen,
        mend: &[DriftKind],
    ) -> Result<Vec<Drift>, Refused> {
        let links = app.ledger.links(Kind::User).await?;
        let mut ours = BTreeSet::new();
        let mut found = Vec::new();
        for (owner, link) in links {
            ours.insert(link.app_id.clone());
            let account = seen.accounts.get(&link.app_id);
            let mut drift = self.compare(app, &owner, &link, account).await?;
            if let Some(drift) = &mut drift
                && mend.contains(&drift.kind)
            {
                self.mend(app, &owner, drift).await?;
            }
            if account.is_none() && !drift.as_ref().is_some_and(|drift| drift.mended) {
                seen.gone.insert(link.app_id);
            }
            found.extend(drift);
        }
        for (id, account) in &seen.accounts {
            // Who is nobody's and cannot get in is as they shall be.
            let sleeps = app.connector.can_deactivate() && !is_active(&account.attributes);
            if ours.contains(id) || sleeps {
                continue;
            }
            let mut drift = Drift {
                kind: DriftKind::Added,
                of: Kind::User,
                login: app.connector.login(&account.attributes),
                app_id: id.clone(),
                note: "nobody here has it".to_owned(),
                mended: false,
            };
            if mend.contains(&DriftKind::Added) {
                shut_out(&self.people, app, account, &mut drift).await?;
            }
            found.push(drift);
        }
        Ok(found)
    }

    async fn compare(
        &self,
        app: &AppSide,
        owner: &Owner,
        link: &Link,
        account: Option<&Found>,
    ) -> Result<Option<Drift>, Refused> {
        let user = self
            .directory()
            .user(&owner.tenant, &UserId::from(owner.id.as_str()))
            .await?;
        let Some(user) = user.filter(|user| user.managed_by != ManagedBy::Retired) else {
            return Ok(None);
        };
        let drift = |kind, note: String| Drift {
            kind,
            of: Kind::User,
            app_id: link.app_id.clone(),
            login: link.login.clone(),
            note,
            mended: false,
        };
        let Some(account) = account else {
            return Ok(user
                .active
                .then(|| drift(DriftKind::Missing, "it is gone".to_owned())));
        };
        let wanted = view::Wanted::of_user(&app.connector, &user).said;
        let held = app.connector.login(&account.attributes);
        let is_wanted = fold(&held) == fold(&app.connector.login(&wanted));
        if !is_wanted && !app.is_theirs(owner, link, account).await? {
            let note = format!("is called {held:?} there: renamed, or somebody else's by now");
            return Ok(Some(drift(DriftKind::Changed, note)));
        }
        let differing = app.connector.differences(account, &wanted);
        let names: Vec<_> = differing.into_iter().collect();
        Ok((!names.is_empty()).then(|| drift(DriftKind::Changed, names.join(", "))))
    }

    async fn mend(&self, app: &AppSide, owner: &Owner, drift: &mut Drift) -> Result<(), Refused> {
        let people = &self.people;
        let _turn = people
            .state
            .turns
            .take((&owner.tenant, owner.id.as_str()))
            .await;
        let owed = app.ledger.intent(owner).await?;
        if owed.is_none() {
            app.ledger
                .write(AppSide::owe(owner, people.clock.now()))
                .await?;
        }
        let done = match people.settle(owner, TakeOver::Anybody).await {
            Err(Refused::App(failure)) => app.give_up(owner, owed.as_ref(), failure).await,
            done => done,
        };
        match done {
            Ok(()) => self.look_again(app, owner, drift).await?,
            Err(Refused::App(failure)) => drift.note = format!("{}; {failure}", drift.note),
            Err(refused) => return Err(refused),
        }
        Ok(())
    }
}

impl Provision {
    /// What was mended is so by now: an app may say yes and do nothing.
    async fn look_again(
        &self,
        app: &AppSide,
        owner: &Owner,
        drift: &mut Drift,
    ) -> Result<(), Refused> {
        let Some(link) = app.ledger.link(owner).await? else {
            drift.mended = true;
            return Ok(());
        };
        let account = app.connector.user(&link.app_id).await?;
        match self.compare(app, owner, &link, account.as_ref()).await? {
            None => drift.mended = true,
            Some(left) => drift.note = format!("{}, also after the change", left.note),
        }
        Ok(())
    }
}

async fn shut_out(
    people: &People,
    app: &AppSide,
    account: &Found,
    drift: &mut Drift,
) -> Result<(), Refused> {
    if !app.connector.can_deactivate() {
        "the app cannot deactivate".clone_into(&mut drift.note);
        return Ok(());
    }
    let name = app.key(&account.attributes);
    let _name = people.name_turn(Kind::User, name).await;
    if app.is_somebodys(account).await? {
        "it is just becoming somebody's".clone_into(&mut drift.note);
        return Ok(());
    }
    let (known, wanted) = (app.known_as(account), app.out(name));
    match app.connector.update_user(&known, &wanted, &wanted).await {
        Ok(_) => {
            drift.mended = true;
            "deactivated".clone_into(&mut drift.note);
        }
        // The others are looked at all the same.
        Err(failure) => drift.note = format!("{}; {failure}", drift.note),
    }
    Ok(())
}
