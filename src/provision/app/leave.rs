//! An account that stays in the app when its person is deleted here: it is in no group any more, and whoever has it next
//! finds nothing of theirs in it.

use serde_json::Value;

use super::AppSide;
use super::view::Wanted;
use crate::connector::{AppFailure, Attributes, Found, Intent, Kind, Known, Ledger, Owner};
use crate::identity::User;
use crate::provision::{People, Refused};
use crate::storage::Along;

impl People {
    /// What the deletion of somebody owes the app: the directory forgets with it which groups they were in.
    pub(in crate::provision) async fn owes_removal(&self, user: &User) -> Result<Along, Refused> {
        let Some(app) = &self.app else {
            return Ok(Along::default());
        };
        let mut intent = Intent::sync(self.clock.now()).named(&app.name_of(user));
        if app.connector.has_members() {
            let groups = self.directory.groups_of(&user.tenant, &user.id).await?;
            intent.groups = groups.iter().map(|group| group.id.to_string()).collect();
        }
        Ok(Ledger::intend(&AppSide::owner_of(user), &intent))
    }
}

impl AppSide {
    /// Takes an account out of the groups of ours that its person was in. A group that the app refuses is told in the log,
    /// and does not keep the others.
    pub(super) async fn leave_groups(
        &self,
        owner: &Owner,
        intent: &Intent,
        account: &Known,
    ) -> Result<(), Refused> {
        for id in &intent.groups {
            let group = Owner::new(Kind::Group, &owner.tenant, id);
            let Some(link) = self.ledger.link(&group).await? else {
                continue;
            };
            let known = self.known(&group, &link).await?;
            let gone = std::slice::from_ref(&account.id);
            match self.connector.change_members(&known, &[], gone).await {
                Err(failure) if failure.passes() => return Err(failure.into()),
                Err(failure) => {
                    let (group, account) = (known.name(), &account.id);
                    tracing::warn!(group, account, error = %failure, "deleted here, and left in a group of the app");
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Makes an account of the app that of somebody else. With `anew` it was that of somebody who is deleted here: what it
    /// holds of theirs, and nobody says of whom it is now, is empty afterwards.
    pub(super) async fn dress(
        &self,
        found: &Found,
        wanted: &Wanted,
        anew: bool,
    ) -> Result<Known, AppFailure> {
        let known = self.known_as(found);
        if !anew {
            let said = &wanted.said;
            return self.connector.update_user(&known, said, said).await;
        }
        let wanted = self.emptied(&wanted.all, found).await?;
        let mut was = wanted.clone();
        // These open doors: an app that keeps them all the same gives nobody the account.
        was.retain(|name, _| !matches!(name.as_str(), "emails.value" | "roles.value"));
        self.connector.update_user(&known, &wanted, &was).await
    }

    async fn emptied(&self, wanted: &Attributes, found: &Found) -> Result<Attributes, AppFailure> {
        // A search may leave out what the record holds.
        let whole = self.connector.user(&found.id).await?;
        let held = whole.map_or_else(|| found.attributes.clone(), |whole| whole.attributes);
        let mut all = wanted.clone();
        for (name, value) in held {
            let empty = match value {
                Value::String(text) if !text.is_empty() => "".into(),
                Value::Bool(true) => false.into(),
                Value::Null
                | Value::Bool(false)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => continue,
            };
            all.entry(name).or_insert(empty);
        }
        Ok(all)
    }
}
