//! A change of a person here and in the app: which comes first, and what is undone when the other refuses.

use super::{AppSide, InApp};
use crate::audit::Event;
use crate::config::Adopt;
use crate::connector::{AppFailure, Kind, Owner};
use crate::directory::{Change, Expected};
use crate::identity::{Group, User, fold};
use crate::provision::desk::{Desk, Keeper};
use crate::provision::fuse::Counted;
use crate::provision::members::Moves;
use crate::provision::touch::Touch;
use crate::provision::{People, Refused, told};
use crate::storage::Along;

impl People {
    /// Somebody new: first in the app, then here. Who cannot be written here goes again there.
    pub(in crate::provision) async fn commit_new(
        &self,
        user: &User,
        changes: Vec<Change>,
        events: Vec<Event>,
        take_over: bool,
    ) -> Result<(), Refused> {
        let Some(app) = &self.app else {
            return self.commit(changes, events, &Touch::default()).await;
        };
        let _name = self.name_turn(Kind::User, &user.user_name).await;
        let mut in_app = app.make_user(user, take_over, self.clock.now()).await?;
        let along = std::mem::take(&mut in_app.along);
        let done = self
            .commit_with(changes, events, &Touch::default(), along)
            .await;
        if done.is_err() {
            app.undo(in_app).await;
        }
        done
    }

    /// Somebody changed: first in the app, whose refusal is the answer, then here.
    pub(in crate::provision) async fn commit_change(
        &self,
        before: &User,
        after: &User,
        (change, event): (Change, Event),
        touch: &Touch,
        along: Along,
    ) -> Result<(), Refused> {
        let in_app = match &self.app {
            Some(app) => app.change_user(before, after, self.clock.now()).await,
            None => Ok(None),
        };
        let along = match in_app {
            Ok(in_app) => along.and(in_app.map(|it| it.along).unwrap_or_default()),
            // Left as they are in the app; here they are out.
            Err(Refused::App(AppFailure::LastAdministrator)) if !after.active => {
                self.commit_with(vec![change], vec![event], touch, along)
                    .await?;
                return Err(AppFailure::LastAdministrator.into());
            }
            Err(refused) => return Err(refused),
        };
        let was_there = match &self.app {
            Some(app) => app.link_of(before).await?.is_some(),
            None => true,
        };
        // What the app holds already is owed back by the intent, should this fail.
        self.commit_with(vec![change], vec![event], touch, along)
            .await?;
        if was_there {
            return Ok(());
        }
        self.join_late(after).await
    }

    /// Who comes into the app late comes into their groups there, if need be a moment later.
    async fn join_late(&self, user: &User) -> Result<(), Refused> {
        let Some(app) = &self.app else {
            return Ok(());
        };
        let Some(link) = app.link_of(user).await? else {
            return Ok(());
        };
        if let Err(Refused::App(_)) = self.join_groups(app, user, &link).await {
            for group in self.directory.groups_of(&user.tenant, &user.id).await? {
                let owed = AppSide::owe(&AppSide::owner_of_group(&group), self.clock.now());
                app.ledger.write(owed).await?;
            }
        }
        Ok(())
    }

    /// Who signs in has an account there, or gets one.
    pub(in crate::provision) async fn ensure(&self, user: &User) -> Result<(), Refused> {
        let Some(app) = &self.app else { return Ok(()) };
        let owner = AppSide::owner_of(user);
        if app.ledger.link(&owner).await?.is_some() {
            return Ok(());
        }
        let _turn = self
            .state
            .turns
            .take((&owner.tenant, owner.id.as_str()))
            .await;
        if app.ledger.link(&owner).await?.is_none() {
            app.ledger
                .write(AppSide::owe(&owner, self.clock.now()))
                .await?;
        }
        self.settle(&owner).await
    }

    /// Whether the app has yet to follow.
    pub(in crate::provision) async fn owes(&self, owner: &Owner) -> Result<bool, Refused> {
        let Some(app) = &self.app else {
            return Ok(false);
        };
        Ok(app.ledger.intent(owner).await?.is_some())
    }

    /// What a removal owes the app.
    pub(in crate::provision) async fn owes_removal(&self, user: &User) -> Result<Along, Refused> {
        let Some(app) = &self.app else {
            return Ok(Along::default());
        };
        let link = app.ledger.link(&AppSide::owner_of(user)).await?;
        Ok(link
            .map(|_| AppSide::owes_user(user, self.clock.now()))
            .unwrap_or_default())
    }

    /// Said again: what the app did not follow the first time it follows now.
    pub(in crate::provision) async fn settle_again(&self, user: &User) -> Result<(), Refused> {
        let Some(app) = &self.app else { return Ok(()) };
        let owner = AppSide::owner_of(user);
        if app
            .ledger
            .link(&owner)
            .await?
            .is_some_and(|link| link.unconfirmed)
        {
            app.ledger
                .write(AppSide::owe(&owner, self.clock.now()))
                .await?;
        }
        self.settle(&owner).await
    }
}

impl Desk {
    /// Writes that somebody is out, and nothing else of a change.
    pub(in crate::provision) async fn out(
        &self,
        before: &User,
        after: &User,
        touch: &Touch,
        counted: Counted,
    ) -> Result<User, Refused> {
        let out = User {
            active: false,
            version: before.version.saturating_add(1),
            modified: after.modified,
            ..before.clone()
        };
        let change = Change::PutUser(Box::new(out.clone()), Expected::Version(before.version));
        let event = Event {
            changes: told::of_user(Some(before), Some(&out)),
            ..self.actor.did("user.deactivated", &out)
        };
        let along = counted.along().and(self.people.owes_removal(before).await?);
        self.people
            .commit_with(vec![change], vec![event], touch, along)
            .await?;
        counted.keep();
        Ok(out)
    }

    /// Somebody of this name was being made and no answer was given: that is finished first.
    pub(in crate::provision) async fn finish_begun(&self, user_name: &str) -> Result<(), Refused> {
        let Some(app) = &self.people.app else {
            return Ok(());
        };
        if self.actor.dry_run {
            return Ok(());
        }
        for (owner, intent) in app.ledger.intents().await? {
            let name = intent
                .create
                .as_ref()
                .and_then(|user| user.get("user_name")?.as_str());
            if owner.tenant == *self.tenant()
                && name.is_some_and(|name| fold(name) == fold(user_name))
            {
                self.people.settle(&owner).await?;
            }
        }
        Ok(())
    }

    /// Whether this person was made without their client having been told.
    pub(in crate::provision) async fn is_unconfirmed(&self, user: &User) -> Result<bool, Refused> {
        let Some(app) = &self.people.app else {
            return Ok(false);
        };
        let link = app.ledger.link(&AppSide::owner_of(user)).await?;
        Ok(link.is_some_and(|link| link.unconfirmed))
    }
}

/// A change of a group, what the audit is told of it, and what it does to sessions.
type GroupWrite<'a> = (Vec<Change>, Event, &'a Touch);

impl People {
    /// A new group: first in the app.
    pub(in crate::provision) async fn make_group(
        &self,
        group: &Group,
        take_over: bool,
    ) -> Result<Option<InApp>, Refused> {
        match &self.app {
            Some(app) => app.make_group(group, take_over, self.clock.now()).await,
            None => Ok(None),
        }
    }

    /// Another name: first in the app.
    pub(in crate::provision) async fn rename_group(
        &self,
        before: &Group,
        after: &Group,
    ) -> Result<Option<InApp>, Refused> {
        match &self.app {
            Some(app) => app.rename_group(before, after, self.clock.now()).await,
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
    /// Whether a POST takes over what the app has already.
    pub(in crate::provision) fn takes_over(&self) -> bool {
        match self.ruled.tenant.provisioning.adopt {
            Adopt::Post => true,
            Adopt::Filter | Adopt::Never => self.keeper == Keeper::Operator,
        }
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
        let moved = !moves.added.is_empty() || !moves.removed.is_empty();
        let mut along = in_app
            .as_mut()
            .map(|it| std::mem::take(&mut it.along))
            .unwrap_or_default();
        if moved || in_app.is_some() {
            along = along.and(AppSide::owe(&owner, self.people.clock.now()));
        }
        let owed = moved || in_app.is_some();
        let done = self.commit(changes, event, touch, along).await;
        match (done, in_app) {
            (Err(refused), Some(in_app)) => {
                app.undo_group(in_app).await;
                Err(refused)
            }
            (Ok(()), _) if owed => app.move_members(group, &moves.added, &moves.removed).await,
            (done, _) => done,
        }
    }
}
