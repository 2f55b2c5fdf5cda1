//! A change of a person here and in the app: which comes first, and what is undone when the other refuses.

use super::{AppSide, InApp};
use crate::audit::Event;
use crate::config::Adopt;
use crate::connector::{AppFailure, Kind, Ledger, Owner};
use crate::directory::{Change, Expected};
use crate::identity::{Group, GroupId, ManagedBy, User, UserId, fold};
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
        begun: Begun,
    ) -> Result<(), Refused> {
        let Some(app) = &self.app else {
            return self.commit(changes, events, &Touch::default()).await;
        };
        let _name = self.name_turn(Kind::User, &user.user_name).await;
        let made = app.make_user(user, begun.take_over, self.clock.now());
        let mut in_app = made.await?;
        let along = std::mem::take(&mut in_app.along).and(begun.settled());
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
                let along = along.and(Ledger::settle(&AppSide::owner_of(after)));
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
        let owed = app.ledger.intent(&owner).await?;
        if app.ledger.link(&owner).await?.is_none() && owed.is_none() {
            app.ledger
                .write(AppSide::owe(&owner, self.clock.now()))
                .await?;
        }
        match self.settle(&owner).await {
            // They are told so, and ask again.
            Err(Refused::App(failure)) => app.give_up(&owner, owed.as_ref(), failure).await,
            done => done,
        }
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

    /// A record of this name was being made, or deleted, and no answer was given: that is finished first.
    pub(in crate::provision) async fn finish_begun(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Begun, Refused> {
        let mut begun = Begun {
            take_over: match self.ruled.tenant.provisioning.adopt {
                Adopt::Post => true,
                Adopt::Filter | Adopt::Never => self.keeper == Keeper::Operator,
            },
            left: Vec::new(),
        };
        let Some(app) = self.people.app.as_ref().filter(|_| !self.actor.dry_run) else {
            return Ok(begun);
        };
        for (owner, intent) in app.ledger.intents().await? {
            let link = app.ledger.link(&owner).await?;
            let its = intent
                .name()
                .or(link.as_ref().map(|link| link.login.as_str()));
            if owner.kind != kind
                || owner.tenant != *self.tenant()
                || its.is_none_or(|its| fold(its) != fold(name))
                || self.people.is_here(&owner).await?
            {
                continue;
            }
            let turns = &self.people.state.turns;
            let _turn = turns.take((&owner.tenant, owner.id.as_str())).await;
            match self.people.settle(&owner).await {
                // Whatever it is, it is not in the way of somebody new.
                Err(Refused::App(failure)) if !failure.passes() => {}
                done => done?,
            }
            begun.take_over = true;
            if app.ledger.intent(&owner).await?.is_some() {
                begun.left.push(owner);
            }
        }
        Ok(begun)
    }

    /// Who was deleted here may have left an account there that only sleeps: it is theirs who come again.
    pub(in crate::provision) async fn wake(
        &self,
        user_name: &str,
        retired: &[User],
        begun: &mut Begun,
    ) -> Result<(), Refused> {
        let Some(app) = self.people.app.as_ref().filter(|_| !self.actor.dry_run) else {
            return Ok(());
        };
        begun.take_over |= self.is_buried(user_name).await?;
        for user in retired {
            let owner = AppSide::owner_of(user);
            let turns = &self.people.state.turns;
            let _turn = turns.take((&owner.tenant, owner.id.as_str())).await;
            match self.people.settle(&owner).await {
                Err(Refused::App(failure)) if !failure.passes() => {}
                done => done?,
            }
            app.ledger.write(Ledger::untie(&owner)).await?;
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

/// What was begun before somebody, or a group, of the same name.
#[derive(Debug)]
pub(in crate::provision) struct Begun {
    /// Whoever the app has of this name may be taken over.
    pub(in crate::provision) take_over: bool,
    /// Of whom it is not known yet what came of it: whoever is made now is made in their place.
    left: Vec<Owner>,
}

impl Begun {
    /// Nothing was; whom the app has is taken over.
    pub(in crate::provision) const fn nothing() -> Self {
        Self {
            take_over: true,
            left: Vec::new(),
        }
    }

    /// It is owed no more.
    pub(in crate::provision) fn settled(&self) -> Along {
        let settle = |all: Along, owner| all.and(Ledger::settle(owner));
        self.left.iter().fold(Along::default(), settle)
    }
}

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
        let made = app.make_group(group, begun.take_over, self.clock.now());
        let mut made = made.await?;
        if let Some(made) = &mut made {
            made.along = std::mem::take(&mut made.along).and(begun.settled());
        }
        Ok(made)
    }

    /// Whether the record is with us, and not deleted.
    async fn is_here(&self, owner: &Owner) -> Result<bool, Refused> {
        Ok(match owner.kind {
            Kind::User => {
                let id = UserId::from(owner.id.as_str());
                let user = self.directory.user(&owner.tenant, &id).await?;
                user.is_some_and(|user| user.managed_by != ManagedBy::Retired)
            }
            Kind::Group => {
                let id = GroupId::from(owner.id.as_str());
                self.directory.group(&owner.tenant, &id).await?.is_some()
            }
        })
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
            (Ok(()), _) if owed => app.move_members(group, &moves.added, &moves.removed).await,
            (done, _) => done,
        }
    }
}
