//! Groups of the app.

use std::collections::BTreeSet;

use super::membership;
use super::records::{Found, Records};
use super::render::Attributes;
use super::{AppFailure, Connector};
use crate::config::AppGroups;

impl Connector {
    fn records<'a>(&'a self, groups: &'a AppGroups) -> Records<'a> {
        Records {
            wire: &self.wire,
            kind: &groups.kind,
            active: None,
        }
    }

    fn users_of(&self) -> Records<'_> {
        Records {
            wire: &self.wire,
            kind: &self.users.kind,
            active: Some(&self.users.active),
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
        let found = self.records(groups).find(&groups.kind.key, key).await?;
        let folded = crate::identity::fold(key);
        Ok(found.filter(|_| !groups.kind.ignore.contains(&folded)))
    }

    /// All groups.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn all_groups(&self) -> Result<Vec<Found>, AppFailure> {
        let groups = self.mapped()?;
        let mut all = self.records(groups).list().await?;
        let key = |found: &Found| {
            found
                .attributes
                .get(&groups.kind.key)?
                .as_str()
                .map(crate::identity::fold)
        };
        all.retain(|found| !key(found).is_some_and(|key| groups.kind.ignore.contains(&key)));
        Ok(all)
    }

    /// Makes a group and gives the app's id.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn create_group(&self, wanted: &Attributes) -> Result<String, AppFailure> {
        let groups = self.mapped()?;
        let key = wanted.get(&groups.kind.key).and_then(|key| key.as_str());
        if key.is_some_and(|key| groups.kind.ignore.contains(&crate::identity::fold(key))) {
            return Err(AppFailure::Ignored("groups"));
        }
        self.records(groups).create(wanted, None).await
    }

    /// Makes a group's record hold these attributes. Gives the app's id afterwards.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such group; the app's.
    pub async fn update_group(&self, id: &str, wanted: &Attributes) -> Result<String, AppFailure> {
        let groups = self.mapped()?;
        let records = self.records(groups);
        let found = records.get(id).await?.ok_or(AppFailure::Missing)?;
        if records.differences(&found, wanted).is_empty() {
            return Ok(found.id);
        }
        records.update(&found, wanted).await?;
        if let Some(after) = records.get(id).await? {
            return Ok(after.id);
        }
        let key = wanted.get(&groups.kind.key).and_then(|key| key.as_str());
        let renamed = records.find(&groups.kind.key, key.unwrap_or_default());
        renamed
            .await?
            .map(|found| found.id)
            .ok_or_else(|| AppFailure::odd("it does not know the group it has just changed"))
    }

    /// Deletes a group; which is not there is deleted.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn remove_group(&self, id: &str) -> Result<(), AppFailure> {
        let groups = self.mapped()?;
        if groups.kind.delete.is_none() {
            return Ok(());
        }
        self.records(groups).delete(id).await
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
        membership::of_group(&self.records(groups), &self.users_of(), members, group).await
    }

    /// These come, those go; who is in it already, or not, is no change.
    ///
    /// # Errors
    ///
    /// The app's. Some may have come or gone then.
    pub async fn change_members(
        &self,
        group: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), AppFailure> {
        let groups = self.mapped()?;
        let Some(members) = &groups.members else {
            return Ok(());
        };
        membership::change(
            &self.records(groups),
            &self.users_of(),
            members,
            group,
            (add, remove),
        )
        .await
    }
}
