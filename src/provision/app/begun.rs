//! What was begun in the app before somebody, or a group, of the same name is made: finished first.

use super::AppSide;
use crate::config::Adopt;
use crate::connector::{Kind, Ledger, Owner};
use crate::identity::{GroupId, ManagedBy, User, UserId, fold};
use crate::provision::desk::{Desk, Keeper};
use crate::provision::{People, Refused};
use crate::storage::Along;

/// Of those whom the app had before us: whose account may become that of a record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::provision) enum TakeOver {
    /// Nobody's.
    Nobody,
    /// Anybody's but an administrator's.
    Ordinary,
    /// Anybody's: an operator says so, or the person signs in.
    Anybody,
}

/// What was begun before somebody, or a group, of the same name.
#[derive(Debug)]
pub(in crate::provision) struct Begun {
    /// Whose account of this name may become theirs.
    pub(in crate::provision) take_over: TakeOver,
    /// An account of this name that sleeps there was that of somebody who was deleted here.
    pub(super) anew: bool,
    /// Of whom it is not known yet what came of it: whoever is made now is made in their place.
    left: Vec<Owner>,
}

impl Begun {
    /// Nothing was.
    pub(in crate::provision) const fn nothing(take_over: TakeOver) -> Self {
        Self {
            take_over,
            anew: false,
            left: Vec::new(),
        }
    }

    /// It is owed no more.
    pub(in crate::provision) fn settled(&self) -> Along {
        let settle = |all: Along, owner| all.and(Ledger::settle(owner));
        self.left.iter().fold(Along::default(), settle)
    }
}

impl Desk {
    /// Whose account of the app may become that of a record which is there already.
    pub(in crate::provision) const fn take_over(&self) -> TakeOver {
        match self.keeper {
            Keeper::Scim => TakeOver::Ordinary,
            Keeper::Operator => TakeOver::Anybody,
        }
    }

    /// A record of this name was being made, or deleted, and no answer was given: that is finished first.
    pub(in crate::provision) async fn finish_begun(
        &self,
        kind: Kind,
        name: &str,
    ) -> Result<Begun, Refused> {
        let mut begun = Begun {
            take_over: match self.ruled.tenant.provisioning.adopt {
                Adopt::Post => self.take_over(),
                Adopt::Filter | Adopt::Never => match self.keeper {
                    Keeper::Scim => TakeOver::Nobody,
                    Keeper::Operator => self.take_over(),
                },
            },
            anew: false,
            left: Vec::new(),
        };
        let Some(app) = self.people.app.as_ref().filter(|_| !self.actor.dry_run) else {
            return Ok(begun);
        };
        for (owner, intent) in app.ledger.intents().await? {
            let link = app.ledger.link(&owner).await?;
            let linked = link.is_some_and(|link| fold(&link.login) == fold(name));
            if owner.kind != kind
                || owner.tenant != *self.tenant()
                || !(linked || intent.is_called(name))
                || self.people.is_here(&owner).await?
            {
                continue;
            }
            let turns = &self.people.state.turns;
            let _turn = turns.take((&owner.tenant, owner.id.as_str())).await;
            match self.people.settle(&owner, self.take_over()).await {
                // Whatever it is, it is not in the way of somebody new.
                Err(Refused::App(failure)) if !failure.passes() => {}
                done => done?,
            }
            // Where a deletion was owed, only who sleeps there is theirs.
            if intent.create.is_some() || kind == Kind::Group || app.connector.keeps_deleted_users()
            {
                begun.take_over = begun.take_over.max(TakeOver::Ordinary);
            }
            if app.ledger.intent(&owner).await?.is_some() {
                begun.left.push(owner);
            }
        }
        Ok(begun)
    }

    /// Who was deleted here may have left an account there that only sleeps: it is theirs who come again. Where the app
    /// deletes, an account of this name is somebody else's, or was left on purpose.
    pub(in crate::provision) async fn wake(
        &self,
        user_name: &str,
        retired: &[User],
        begun: &mut Begun,
    ) -> Result<(), Refused> {
        let Some(app) = self.people.app.as_ref().filter(|_| !self.actor.dry_run) else {
            return Ok(());
        };
        let mut sleeps = app.connector.keeps_deleted_users() && self.is_buried(user_name).await?;
        for user in retired {
            let owner = AppSide::owner_of(user);
            let turns = &self.people.state.turns;
            let _turn = turns.take((&owner.tenant, owner.id.as_str())).await;
            match self.people.settle(&owner, self.take_over()).await {
                Err(Refused::App(failure)) if !failure.passes() => {}
                done => done?,
            }
            sleeps |= app.ledger.link(&owner).await?.is_some();
            app.ledger.write(Ledger::untie(&owner)).await?;
        }
        begun.anew = sleeps;
        if sleeps {
            begun.take_over = begun.take_over.max(TakeOver::Ordinary);
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

impl People {
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
}
