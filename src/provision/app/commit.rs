//! A change of a person here and in the app: which comes first, and what is undone when the other refuses.

use super::AppSide;
use super::begun::{Begun, TakeOver};
use crate::audit::Event;
use crate::connector::{AppFailure, Kind, Ledger, Owner};
use crate::directory::{Change, Expected};
use crate::identity::User;
use crate::provision::desk::Desk;
use crate::provision::fuse::Counted;
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
        let _name = self.name_turn(Kind::User, &app.name_of(user)).await;
        let made = app.make_user(user, (begun.take_over, begun.anew), self.clock.now());
        let owner = AppSide::owner_of(user);
        let mut in_app = self.noted(&owner, made.await).await?;
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
        (along, take_over): (Along, TakeOver),
    ) -> Result<(), Refused> {
        let in_app = match &self.app {
            Some(app) => {
                let now = self.clock.now();
                let _name = self.name_turn(Kind::User, &app.name_of(after)).await;
                app.change_user(before, after, take_over, now).await
            }
            None => Ok(None),
        };
        let in_app = self.noted(&AppSide::owner_of(after), in_app).await;
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
    pub(in crate::provision) async fn ensure(
        &self,
        user: &User,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
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
        match self.settle(&owner, take_over).await {
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

    /// What the end of somebody owes the app: also where they were never linked to an account.
    pub(in crate::provision) fn owes_end(&self, user: &User) -> Along {
        let owed = |app: &AppSide| app.owes_user(user, self.clock.now());
        self.app.as_ref().map(owed).unwrap_or_default()
    }

    /// What another change by an operator owes the app.
    pub(in crate::provision) async fn owes_change(&self, user: &User) -> Result<Along, Refused> {
        let Some(app) = &self.app else {
            return Ok(Along::default());
        };
        let link = app.ledger.link(&AppSide::owner_of(user)).await?;
        Ok(if link.is_some() || !user.active {
            self.owes_end(user)
        } else {
            Along::default()
        })
    }

    /// Said again: what the app did not follow the first time it follows now.
    pub(in crate::provision) async fn settle_again(
        &self,
        user: &User,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
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
        self.settle(&owner, take_over).await
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
        let along = counted.along().and(self.people.owes_end(before));
        self.people
            .commit_with(vec![change], vec![event], touch, along)
            .await?;
        counted.keep();
        Ok(out)
    }
}
