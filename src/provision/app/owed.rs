//! What was begun in the app and is not known to be done: looked at when the process starts, now and then, and when
//! the same record is asked for again.

use std::time::Duration;

use super::begun::TakeOver;
use super::view::Wanted;
use super::{AppSide, view};
use crate::clock::Timestamp;
use crate::connector::{AppFailure, Found, Intent, Kind, Known, Ledger, Link, Owner, Removal};
use crate::directory::{Change, DirectoryError, Expected};
use crate::identity::{ManagedBy, User, UserId, fold};
use crate::provision::touch::Touch;
use crate::provision::turns::Turn;
use crate::provision::{Actor, People, Provision, Refused};
use crate::storage::Along;

/// Longest pause between two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// Something that the app has yet to follow.
#[derive(Clone, Debug)]
pub struct Owed {
    /// Of whom.
    pub owner: Owner,
    /// What.
    pub intent: Intent,
}

impl Provision {
    /// Everything that the app has yet to follow.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn owed(&self) -> Result<Vec<Owed>, Refused> {
        let Some(app) = &self.people.app else {
            return Ok(Vec::new());
        };
        let all = app.ledger.intents().await?;
        Ok(all
            .into_iter()
            .map(|(owner, intent)| Owed { owner, intent })
            .collect())
    }

    /// Tries what is owed and due; everything at once with `now`. Gives how much is left.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn pay(&self, at_once: bool) -> Result<usize, Refused> {
        let owed = self.owed().await?;
        for Owed { owner, intent } in owed {
            if at_once || is_due(&intent, self.people.clock.now()) {
                self.people.pay(&owner).await?;
            }
        }
        let left = self.owed().await?.len();
        let shown = i64::try_from(left).unwrap_or(i64::MAX);
        self.people.state.metrics.connector_owed.set(shown);
        Ok(left)
    }
}

/// Twice as long after each try.
fn is_due(intent: &Intent, now: Timestamp) -> bool {
    let pause = Duration::from_secs(1).saturating_mul(
        1_u32
            .checked_shl(intent.attempts.min(16))
            .unwrap_or(u32::MAX),
    );
    intent.tried.plus(pause.min(LONGEST)) <= now
}

impl People {
    /// Whoever makes a record of this name in the app has a turn of its own: there is no record yet to have one.
    pub(in crate::provision) async fn name_turn(&self, kind: Kind, name: &str) -> Turn {
        self.state.names.take((kind, fold(name))).await
    }

    /// Tries what is owed of one record; a failure of the app is noted and told in the log.
    async fn pay(&self, owner: &Owner) -> Result<(), Refused> {
        let _turn = self
            .state
            .turns
            .take((&owner.tenant, owner.id.as_str()))
            .await;
        match self.settle(owner, TakeOver::Ordinary).await {
            Err(Refused::App(failure)) => {
                let (id, kind) = (owner.id.as_str(), owner.kind);
                tracing::warn!(id, ?kind, error = %failure, "the app does not follow yet");
                Ok(())
            }
            done => done,
        }
    }

    /// A first try in vain: if anything is left to do, it is noted why. What was owed before keeps its own reason where
    /// nothing of this try is left.
    pub(in crate::provision) async fn noted<T>(
        &self,
        owner: &Owner,
        done: Result<T, Refused>,
    ) -> Result<T, Refused> {
        if let (Err(Refused::App(failure)), Some(app)) = (&done, &self.app) {
            let owed = app.ledger.intent(owner).await?;
            let is_told = owed.is_none_or(|intent| !intent.why.is_empty());
            if failure.perhaps_done() || !is_told {
                self.note(owner, failure).await?;
            }
        }
        done
    }

    async fn note(&self, owner: &Owner, failure: &AppFailure) -> Result<(), Refused> {
        let Some(app) = &self.app else { return Ok(()) };
        if let Some(intent) = app.ledger.intent(owner).await? {
            let intent = Intent {
                attempts: intent.attempts.saturating_add(1),
                tried: self.clock.now(),
                why: failure.to_string(),
                ..intent
            };
            app.ledger.write(Ledger::intend(owner, &intent)).await?;
        }
        Ok(())
    }

    /// Makes the app hold what the directory holds of one record, if that is owed. The caller has the record's turn.
    pub(in crate::provision) async fn settle(
        &self,
        owner: &Owner,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
        let Some(app) = &self.app else { return Ok(()) };
        let Some(intent) = app.ledger.intent(owner).await? else {
            return Ok(());
        };
        let done = match owner.kind {
            Kind::User => self.settle_user(app, owner, &intent, take_over).await,
            Kind::Group => self.settle_group(app, owner, &intent).await,
        };
        // Left as they are; and nobody's, where their record is gone.
        if let Err(Refused::App(AppFailure::LastAdministrator | AppFailure::Ignored(_))) = done {
            let id = UserId::from(owner.id.as_str());
            let free = match self.directory.user(&owner.tenant, &id).await? {
                Some(_) => Along::default(),
                None => Ledger::untie(owner),
            };
            app.ledger.write(free.and(Ledger::settle(owner))).await?;
        }
        if let Err(Refused::App(failure)) = &done {
            self.note(owner, failure).await?;
        }
        done
    }

    async fn settle_user(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
        let id = UserId::from(owner.id.as_str());
        let user = self.directory.user(&owner.tenant, &id).await?;
        let link = app.ledger.link(owner).await?;
        match (user, link) {
            (Some(user), Some(link)) if user.managed_by == ManagedBy::Retired => {
                self.retire(app, owner, &user, (&link, intent)).await
            }
            (Some(user), link) => {
                let place = (link, take_over);
                self.follow(app, owner, &user, place, intent).await
            }
            (None, Some(link)) => {
                let known = app.known(owner, &link).await?;
                let removal = app.connector.remove_user(&known).await?;
                if removal != Removal::Removed {
                    app.leave_groups(owner, intent, &known).await?;
                }
                told(owner, removal, &known.id);
                let gone = Ledger::untie(owner).and(Ledger::settle(owner));
                Ok(app.ledger.write(gone).await?)
            }
            (None, None) if intent.create.is_none() => {
                self.shut_nobodys(app, owner, intent, take_over).await
            }
            (None, None) => self.finish_making(app, owner, intent).await,
        }
    }

    /// Deleted, and the record stays: so does the account, deactivated.
    async fn retire(
        &self,
        app: &AppSide,
        owner: &Owner,
        user: &User,
        (link, intent): (&Link, &Intent),
    ) -> Result<(), Refused> {
        let mut wanted = Wanted::of_user(&app.connector, user).said;
        wanted.insert("active".to_owned(), false.into());
        let known = app.known(owner, link).await?;
        match app.connector.update_user(&known, &wanted, &wanted).await {
            Ok(known) => app.leave_groups(owner, intent, &known).await?,
            Err(AppFailure::Missing) => {}
            Err(failure) => return Err(failure.into()),
        }
        Ok(app.ledger.write(Ledger::settle(owner)).await?)
    }

    /// Gone here, and never linked to an account: one of their name is deactivated. It is not deleted, for nobody knows
    /// what else it was for.
    async fn shut_nobodys(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        for name in &intent.names {
            let _name = self.name_turn(Kind::User, name).await;
            let wanted = app.out(name).into();
            let shut = app.shut(owner, &wanted, take_over, now).await;
            if let Err(Refused::App(failure)) = &shut
                && failure.passes()
            {
                return shut.map(drop);
            }
            if shut.is_err() {
                app.ledger.write(Ledger::settle(owner)).await?;
            }
            shut?;
        }
        Ok(app.ledger.write(Ledger::settle(owner)).await?)
    }

    async fn follow(
        &self,
        app: &AppSide,
        owner: &Owner,
        user: &User,
        (link, take_over): (Option<Link>, TakeOver),
        intent: &Intent,
    ) -> Result<(), Refused> {
        let wanted = Wanted::of_user(&app.connector, user);
        let now = self.clock.now();
        let _name = self.name_turn(Kind::User, &app.name_of(user)).await;
        let link = match link {
            Some(before) => {
                let place = (take_over, now);
                let link = app.bring(owner, &before, place, &wanted, &wanted.all);
                let link = link.await?;
                // Made again, and in no group yet.
                if link.app_id != before.app_id {
                    self.join_groups(app, user, &link).await?;
                }
                link
            }
            None if user.active => {
                let link = match &intent.app_id {
                    Some(id) => {
                        let all = &wanted.all;
                        let known = Known::new(id.as_str(), app.connector.login(all));
                        let known = app.connector.update_user(&known, all, all);
                        app.link_again(known.await?, all, intent.password.clone())
                    }
                    None => {
                        app.place(owner, &wanted, take_over, Intent::sync(now))
                            .await?
                            .0
                    }
                };
                self.join_groups(app, user, &link).await?;
                link
            }
            None => match app.shut(owner, &wanted, take_over, now).await? {
                Some(link) => link,
                None => return Ok(app.ledger.write(Ledger::settle(owner)).await?),
            },
        };
        Ok(app
            .ledger
            .write(Ledger::tie(owner, &link).and(Ledger::settle(owner)))
            .await?)
    }

    /// Somebody was being made when the process ended, or the app gave no answer. If the app has them, they are
    /// made here, too; the client that asked is told so when it asks again.
    async fn finish_making(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
    ) -> Result<(), Refused> {
        let user = intent
            .create
            .clone()
            .and_then(|user| serde_json::from_value::<User>(user).ok());
        let Some(mut user) = user else {
            return Ok(app.ledger.write(Ledger::settle(owner)).await?);
        };
        // Whoever makes somebody of this name has their turn now.
        let _name = self.name_turn(Kind::User, &app.name_of(&user)).await;
        let Some(intent) = &app.ledger.intent(owner).await? else {
            return Ok(());
        };
        let Some(found) = self.begun(app, &user, intent).await? else {
            return self.give_time(app, owner, intent).await;
        };
        if let Err(Refused::App(_somebody_else_s)) = app.check_free(owner, &found).await {
            return Ok(app.ledger.write(Ledger::settle(owner)).await?);
        }
        let wanted = Wanted::of_user(&app.connector, &user);
        let known = app.dress(&found, &wanted, intent.anew);
        let link = app.link_again(known.await?, &wanted.all, intent.password.clone());
        user.version = 1;
        let link = Link {
            unconfirmed: true,
            ..link
        };
        let along = Ledger::tie(owner, &link).and(Ledger::settle(owner));
        let change = Change::PutUser(Box::new(user.clone()), Expected::New);
        let actor = Actor {
            name: "connector".to_owned(),
            ..Actor::default()
        };
        let event = actor.did("user.created", &user);
        let commit = self
            .commit_with(vec![change], vec![event], &Touch::default(), along)
            .await;
        match commit {
            Err(Refused::Directory(DirectoryError::Taken(_) | DirectoryError::Deleted)) => {
                let app_id = found.id.as_str();
                tracing::warn!(
                    app_id,
                    "an account was made in the app that nobody here can have"
                );
                Ok(app.ledger.write(Ledger::settle(owner)).await?)
            }
            done => done,
        }
    }

    /// It is not there: but a call that was given up may come to the app yet.
    pub(super) async fn give_time(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        if now < intent.since.plus(app.connector.patience()) {
            let looked = Intent {
                tried: now,
                attempts: intent.attempts.saturating_add(1),
                ..intent.clone()
            };
            return Ok(app.ledger.write(Ledger::intend(owner, &looked)).await?);
        }
        Ok(app.ledger.write(Ledger::settle(owner)).await?)
    }

    async fn begun(
        &self,
        app: &AppSide,
        user: &User,
        intent: &Intent,
    ) -> Result<Option<Found>, Refused> {
        Ok(match &intent.app_id {
            Some(id) => app.connector.user(id).await?,
            None => {
                app.connector
                    .find_user(app.key(&view::of_user(&app.connector, user)))
                    .await?
            }
        })
    }

    /// Who comes into the app late comes into their groups.
    pub(super) async fn join_groups(
        &self,
        app: &AppSide,
        user: &User,
        link: &Link,
    ) -> Result<(), Refused> {
        if !app.connector.has_members() {
            return Ok(());
        }
        for group in self.directory.groups_of(&user.tenant, &user.id).await? {
            let owner = Owner::new(Kind::Group, &group.tenant, &group.id);
            if let Some(its) = app.ledger.link(&owner).await? {
                let its = app.known(&owner, &its).await?;
                app.connector
                    .change_members(&its, &[Known::from(link)], &[])
                    .await?;
            }
        }
        Ok(())
    }
}

/// What the app cannot do is no reason to ask it for ever: an operator is told.
pub(super) fn told(owner: &Owner, removal: Removal, app_id: &str) {
    if removal == Removal::Left {
        let (id, kind) = (owner.id.as_str(), owner.kind);
        tracing::warn!(id, ?kind, app_id, "deleted here, and left in the app");
    }
}
