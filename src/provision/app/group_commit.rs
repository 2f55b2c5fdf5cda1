//! A change of a group here and in the app: the record, then who comes and goes there.

use super::begun::{Begun, TakeOver};
use super::{AppSide, InApp};
use crate::audit::Event;
use crate::connector::{Found, Intent, Ledger, Link, Owner};
use crate::directory::{Change, DirectoryError, Expected, GroupKey};
use crate::identity::{Group, GroupId, fold};
use crate::provision::desk::Desk;
use crate::provision::members::Moves;
use crate::provision::touch::Touch;
use crate::provision::{Actor, People, Refused, told};
use crate::storage::Along;

/// A change of a group, what the audit is told of it, and what it does to sessions.
type GroupWrite<'a> = (Vec<Change>, Event, &'a Touch);

impl People {
    /// A new group: first in the app.
    pub(in crate::provision) async fn make_group(
        &self,
        group: &Group,
        begun: &Begun,
    ) -> Result<Option<InApp>, Refused> {
        let Some(app) = &self.app else {
            return Ok(None);
        };
        let made = app.make_group(group, begun.take_over > TakeOver::Nobody, self.clock.now());
        let owner = AppSide::owner_of_group(group);
        let mut made = self.noted(&owner, made.await).await?;
        if let Some(made) = &mut made {
            made.along = std::mem::take(&mut made.along).and(begun.settled());
        }
        Ok(made)
    }

    /// Whoever asked for the group is told of it now.
    pub(in crate::provision) async fn confirm_group(&self, owner: &Owner) -> Result<(), Refused> {
        match &self.app {
            Some(app) => app.confirm_group(owner).await,
            None => Ok(()),
        }
    }

    /// A group that was being made when the process ended, in an app that deletes none: so it is made here, too, and its
    /// people come when its client asks again.
    pub(super) async fn finish_group(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
        found: Found,
    ) -> Result<(), Refused> {
        let group = intent.create.clone();
        let group = group.and_then(|group| serde_json::from_value::<Group>(group).ok());
        let Some(group) = group else {
            return Ok(app.ledger.write(Ledger::settle(owner)).await?);
        };
        let link = Link {
            app_id: found.id,
            login: group.display_name.clone(),
            unconfirmed: true,
            password: None,
        };
        let along = Ledger::tie(owner, &link).and(Ledger::settle(owner));
        let actor = Actor {
            name: "connector".to_owned(),
            ..Actor::default()
        };
        let event = Event {
            group: Some(group.id.to_string()),
            group_name: Some(group.display_name.clone()),
            external_id: group.external_id.clone(),
            changes: told::of_group(None, Some(&group), &[], &[]),
            ..actor.event("group.created", &group.tenant)
        };
        let change = Change::PutGroup(Box::new(group), Expected::New);
        let commit = self
            .commit_with(vec![change], vec![event], &Touch::default(), along)
            .await;
        match commit {
            Err(Refused::Directory(DirectoryError::Taken(_))) => {
                Ok(app.ledger.write(Ledger::settle(owner)).await?)
            }
            done => done,
        }
    }

    /// Another name: first in the app.
    pub(in crate::provision) async fn rename_group(
        &self,
        before: &Group,
        after: &Group,
    ) -> Result<Option<InApp>, Refused> {
        match &self.app {
            Some(app) => {
                let renamed = app.rename_group(before, after, self.clock.now()).await;
                self.noted(&AppSide::owner_of_group(after), renamed).await
            }
            None => Ok(None),
        }
    }

    /// What the removal of a group owes the app.
    pub(in crate::provision) async fn owes_group(&self, group: &Group) -> Result<Along, Refused> {
        let Some(app) = &self.app else {
            return Ok(Along::default());
        };
        let owner = AppSide::owner_of_group(group);
        let link = app.ledger.link(&owner).await?;
        Ok(link
            .map(|_| AppSide::owe(&owner, self.clock.now()))
            .unwrap_or_default())
    }
}

impl Desk {
    /// A group of this name whose client was never told of it.
    pub(in crate::provision) async fn unconfirmed_group(
        &self,
        group: &Group,
    ) -> Result<Option<GroupId>, Refused> {
        let Some(app) = &self.people.app else {
            return Ok(None);
        };
        let key = GroupKey::DisplayName(fold(&group.display_name));
        let found = self.people.directory.find_groups(self.tenant(), &key);
        for holder in found.await? {
            let link = app.ledger.link(&AppSide::owner_of_group(&holder)).await?;
            if link.is_some_and(|link| link.unconfirmed) {
                return Ok(Some(holder.id));
            }
        }
        Ok(None)
    }

    /// The record, and then who comes and goes in the app: whoever loses a group has lost it here, whatever the app
    /// then says.
    pub(in crate::provision) async fn commit_group(
        &self,
        group: &Group,
        moves: &Moves,
        (changes, event, touch): GroupWrite<'_>,
        in_app: Option<InApp>,
    ) -> Result<(), Refused> {
        let Some(app) = self
            .people
            .app
            .as_ref()
            .filter(|app| app.connector.has_groups())
        else {
            return self.commit(changes, event, touch, Along::default()).await;
        };
        let (mut in_app, owner) = (in_app, AppSide::owner_of_group(group));
        let someone = !moves.added.is_empty() || !moves.removed.is_empty();
        let mut along = in_app
            .as_mut()
            .map(|it| std::mem::take(&mut it.along))
            .unwrap_or_default();
        if someone || in_app.is_some() {
            along = along.and(AppSide::owe(&owner, self.people.clock.now()));
        }
        let owed = someone || in_app.is_some();
        let done = self.commit(changes, event, touch, along).await;
        match (done, in_app) {
            (Err(refused), Some(in_app)) => {
                app.undo_group(in_app).await;
                Err(refused)
            }
            (Ok(()), _) if owed => {
                let follows = app.move_members(group, &moves.added, &moves.removed);
                self.people.noted(&owner, follows.await).await
            }
            (done, _) => done,
        }
    }
}
