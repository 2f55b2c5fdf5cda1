//! Groups of the app.

use std::collections::BTreeSet;

use super::holds::Looks;
use super::known::key_of;
use super::records::{Found, Records};
use super::render::Attributes;
use super::{AppFailure, Connector, Kind, Known, Removal, map, membership};
use crate::config::AppGroups;
use crate::identity::fold;

impl Connector {
    fn records<'a>(&'a self, groups: &'a AppGroups) -> Records<'a> {
        Records {
            wire: &self.wire,
            kind: &groups.kind,
            active: None,
        }
    }

    fn mapped(&self) -> Result<&AppGroups, AppFailure> {
        self.groups
            .as_ref()
            .ok_or(AppFailure::Cannot("keep groups"))
    }

    /// Whether groups go to the app at all.
    pub const fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    /// Whether the app is told who is in a group.
    pub fn has_members(&self) -> bool {
        self.groups
            .as_ref()
            .is_some_and(|groups| groups.members.is_some())
    }

    /// Whether the app deletes groups.
    pub fn deletes_groups(&self) -> bool {
        self.groups
            .as_ref()
            .is_some_and(|groups| groups.kind.delete.is_some())
    }

    /// A group by the app's id.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn group(&self, id: &str) -> Result<Option<Found>, AppFailure> {
        self.records(self.mapped()?).get(id).await
    }

    /// The one group of this key.
    ///
    /// # Errors
    ///
    /// Several are meant; the app's.
    pub async fn find_group(&self, key: &str) -> Result<Option<Found>, AppFailure> {
        let groups = self.mapped()?;
        if key.trim().is_empty() || is_ignored(groups, key) {
            return Ok(None);
        }
        self.records(groups).find(&groups.kind.key, key).await
    }

    /// All groups.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn all_groups(&self) -> Result<Vec<Found>, AppFailure> {
        let groups = self.mapped()?;
        let mut all = self.records(groups).list().await?;
        all.retain(|found| !ignores(groups, &found.attributes));
        Ok(all)
    }

    /// Makes a group and gives the app's id, once that one holds the wanted key.
    ///
    /// # Errors
    ///
    /// The app's, as long as nothing was made that is known to be the one.
    pub async fn create_group(&self, wanted: &Attributes) -> Result<String, AppFailure> {
        let groups = self.mapped()?;
        if ignores(groups, wanted) {
            return Err(AppFailure::Ignored("groups"));
        }
        let records = self.records(groups);
        let id = records.create(wanted, None).await?;
        Ok(records.made(&id, wanted).await?.id)
    }

    /// Makes a group's record hold these attributes. What is not in `was` is judged afterwards. Gives the app's id and key
    /// afterwards.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such group; [`AppFailure::Another`] when it has neither the key that we
    /// know nor the wanted one; the app's.
    pub async fn update_group(
        &self,
        known: &Known,
        wanted: &Attributes,
        was: &Attributes,
    ) -> Result<Known, AppFailure> {
        let groups = self.mapped()?;
        let (records, kind) = (self.records(groups), &groups.kind);
        let _turn = self.turns.take(Kind::Group, &known.id).await;
        let found = records.get(&known.id).await?.ok_or(AppFailure::Missing)?;
        if ignores(groups, &found.attributes) || ignores(groups, wanted) {
            return Err(AppFailure::Ignored("groups"));
        }
        let renamed = key_of(kind, wanted).filter(|_| map::is_written(kind, &kind.key));
        known.check(kind, &found, renamed.as_deref())?;
        let after = if records.differences(&found, wanted).is_empty() {
            found
        } else {
            records.update(&found, wanted).await?;
            changed_group(&records, known, &found, (wanted, was)).await?
        };
        let name = key_of(kind, &after.attributes);
        Ok(Known::new(
            after.id,
            name.unwrap_or_else(|| known.name().to_owned()),
        ))
    }

    /// Deletes a group; which is not there is deleted. Where the app cannot delete groups, it stays, and nobody is in it
    /// any more.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Another`] when it has another key than we know; the app's.
    pub async fn remove_group(&self, known: &Known) -> Result<Removal, AppFailure> {
        let groups = self.mapped()?;
        let records = self.records(groups);
        let Some(found) = records.get(&known.id).await? else {
            return Ok(Removal::Removed);
        };
        if ignores(groups, &found.attributes) {
            return Ok(Removal::Left);
        }
        known.check(&groups.kind, &found, None)?;
        if groups.kind.delete.is_none() {
            let all: Vec<_> = self.members(&known.id).await?.into_iter().collect();
            self.change_members(known, &[], &all).await?;
            return Ok(Removal::Left);
        }
        records.delete(&known.id).await?;
        Ok(Removal::Removed)
    }

    /// Names of wanted attributes that a group does not hold.
    ///
    /// # Errors
    ///
    /// Groups stay with us.
    pub fn group_differences(
        &self,
        found: &Found,
        wanted: &Attributes,
    ) -> Result<Vec<String>, AppFailure> {
        let differing = self.records(self.mapped()?).differences(found, wanted);
        Ok(differing.into_keys().collect())
    }

    /// The app's ids of the people in a group.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn members(&self, group: &str) -> Result<BTreeSet<String>, AppFailure> {
        let groups = self.mapped()?;
        let Some(members) = &groups.members else {
            return Ok(BTreeSet::new());
        };
        membership::of_group(&self.records(groups), &self.people(), members, group).await
    }

    /// These come, those go; who is in it already, or not, is no change. Nobody comes whose account has another key than we
    /// know: the others do.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Another`] when the group, or somebody who comes, has another key than we know; the app's. Some may
    /// have come or gone then.
    pub async fn change_members(
        &self,
        group: &Known,
        add: &[Known],
        remove: &[String],
    ) -> Result<(), AppFailure> {
        let groups = self.mapped()?;
        let Some(members) = groups.members.as_ref() else {
            return Ok(());
        };
        if add.is_empty() && remove.is_empty() {
            return Ok(());
        }
        let records = self.records(groups);
        let found = records.get(&group.id).await?.ok_or(AppFailure::Missing)?;
        group.check(&groups.kind, &found, None)?;
        let app = membership::Both {
            groups: records,
            users: self.people(),
            turns: &self.turns,
        };
        membership::change(&app, members, &group.id, (add, remove)).await
    }
}

fn is_ignored(groups: &AppGroups, key: &str) -> bool {
    groups.kind.ignore.contains(&fold(key))
}

fn ignores(groups: &AppGroups, attributes: &Attributes) -> bool {
    key_of(&groups.kind, attributes).is_some_and(|key| is_ignored(groups, &key))
}

async fn changed_group(
    records: &Records<'_>,
    known: &Known,
    before: &Found,
    (wanted, was): (&Attributes, &Attributes),
) -> Result<Found, AppFailure> {
    let kind = records.kind;
    let mut looks = Looks::default();
    while looks.go_on().await {
        let after = match records.get(&known.id).await? {
            // In some apps the id is the name.
            None => {
                let name = key_of(kind, wanted).unwrap_or_default();
                records.find(&kind.key, &name).await?
            }
            after => after,
        };
        let Some(after) = after else { continue };
        if looks.is_well(records.unheld(before, &after, wanted, was)) {
            return Ok(after);
        }
    }
    Err(looks.failure())
}
