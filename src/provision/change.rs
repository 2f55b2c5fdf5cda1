//! Changes of a person. Each goes on to its end when its caller has gone, and what takes rights
//! away ends the person's sessions first.

use std::future::Future;
use std::sync::Arc;

use super::{Actor, People, Provision, Refused};
use crate::directory::{Change, DirectoryError, Expected};
use crate::identity::{SignInMethod, TenantSlug, Tombstone, User, UserId, fold};
use crate::secret::Secret;
use crate::session::End;
use crate::storage::StorageError;

/// How often a change is tried again when the record changed under it.
const ATTEMPTS: usize = 8;

impl Provision {
    /// Sets a local password and ends the person's other sessions, all but `keep` (a public id).
    ///
    /// # Errors
    ///
    /// No such person, not a local account; the directory failed.
    pub async fn set_password(
        &self,
        tenant: &TenantSlug,
        user: &UserId,
        hash: Secret,
        must_change: bool,
        keep: Option<&str>,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let which = match keep {
            Some(keep) => End::Others(tenant.clone(), user.clone(), keep.to_owned()),
            None => End::User(tenant.clone(), user.clone()),
        };
        let write = move |user: &mut User| {
            if user.sign_in != SignInMethod::Local {
                return Err(Refused::Method);
            }
            user.password = Some(hash.clone());
            user.must_change_password = must_change;
            Ok(true)
        };
        self.change(
            tenant,
            user,
            actor,
            write,
            Some((which, "revoked")),
            "password.set",
        )
        .await
    }

    /// Sets the one way a person signs in and ends their sessions. A new local account cannot sign
    /// in before it has a password; the password of an old one is forgotten.
    ///
    /// # Errors
    ///
    /// No such person; the directory failed.
    pub async fn set_sign_in(
        &self,
        tenant: &TenantSlug,
        user: &UserId,
        method: SignInMethod,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let which = End::User(tenant.clone(), user.clone());
        let write = move |user: &mut User| {
            if user.sign_in == method {
                return Ok(false);
            }
            user.sign_in = method;
            user.password = None;
            user.must_change_password = false;
            Ok(true)
        };
        self.change(
            tenant,
            user,
            actor,
            write,
            Some((which, "revoked")),
            "user.changed",
        )
        .await
    }

    /// Activates or deactivates; deactivation ends all sessions, streams and bearer use at once.
    ///
    /// # Errors
    ///
    /// No such person; the directory failed.
    pub async fn set_active(
        &self,
        tenant: &TenantSlug,
        user: &UserId,
        active: bool,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let which = End::User(tenant.clone(), user.clone());
        let end = (!active).then_some((which, "deactivated"));
        let write = move |user: &mut User| {
            let changes = user.active != active;
            user.active = active;
            Ok(changes)
        };
        let action = if active {
            "user.activated"
        } else {
            "user.deactivated"
        };
        self.change(tenant, user, actor, write, end, action).await
    }

    /// Deletes and leaves a tombstone; ends all sessions at once.
    ///
    /// # Errors
    ///
    /// No such person; the directory failed.
    pub async fn delete(
        &self,
        tenant: &TenantSlug,
        user: &UserId,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let people = Arc::clone(&self.people);
        let (tenant, id, actor) = (tenant.clone(), user.clone(), actor.clone());
        to_its_end(async move {
            let user = people.directory.user(&tenant, &id).await?;
            let user = user.ok_or(DirectoryError::Missing)?;
            let tombstone = Tombstone {
                id: id.clone(),
                user_name: fold(&user.user_name),
                external_id: user.external_id.clone(),
                deleted: people.clock.now(),
            };
            let change = Change::RemoveUser(tenant.clone(), id.clone(), tombstone);
            let end = Some((End::User(tenant, id), "deactivated"));
            people.apply_and_end(change, end.as_ref()).await?;
            Ok(people.audit.write(actor.did("user.deleted", &user)).await?)
        })
        .await
    }

    /// `write` says whether it changed the record; when it did not, sessions end all the same.
    async fn change(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        actor: &Actor,
        write: impl Fn(&mut User) -> Result<bool, Refused> + Send + 'static,
        end: Option<(End, &'static str)>,
        action: &'static str,
    ) -> Result<(), Refused> {
        let people = Arc::clone(&self.people);
        let (tenant, id, actor) = (tenant.clone(), id.clone(), actor.clone());
        to_its_end(async move {
            for _ in 0..ATTEMPTS {
                let user = people.directory.user(&tenant, &id).await?;
                let mut user = user.ok_or(DirectoryError::Missing)?;
                if !write(&mut user)? {
                    return people.end(end.as_ref()).await;
                }
                let before = user.version;
                user.version = before.saturating_add(1);
                user.modified = people.clock.now();
                let change = Change::PutUser(Box::new(user.clone()), Expected::Version(before));
                match people.apply_and_end(change, end.as_ref()).await {
                    Err(Refused::Directory(DirectoryError::Stale)) => {}
                    Err(refused) => return Err(refused),
                    Ok(()) => return Ok(people.audit.write(actor.did(action, &user)).await?),
                }
            }
            Err(DirectoryError::Stale.into())
        })
        .await
    }
}

impl People {
    /// Ends sessions in memory before the store is asked, and once more behind the commit: what
    /// started in between read the record as it was.
    async fn apply_and_end(
        &self,
        change: Change,
        end: Option<&(End, &'static str)>,
    ) -> Result<(), Refused> {
        let (tenant, id) = match &change {
            Change::PutUser(user, _) | Change::RetireUser(user, ..) => {
                (user.tenant.clone(), user.id.clone())
            }
            Change::RemoveUser(tenant, id, _) => (tenant.clone(), id.clone()),
            Change::AddLink(..)
            | Change::PutGroup(..)
            | Change::RemoveGroup(..)
            | Change::AddMember(..)
            | Change::RemoveMember(..) => return Err(DirectoryError::Missing.into()),
        };
        // Polled in this order; both writes share a commit.
        let (ended, applied) =
            tokio::join!(biased; self.end(end), self.directory.apply(vec![change]));
        applied?;
        self.sessions.refresh(&tenant, &id);
        ended.and(self.end(end).await)
    }

    async fn end(&self, end: Option<&(End, &'static str)>) -> Result<(), Refused> {
        if let Some((which, why)) = end {
            self.sessions.end(which, why).await?;
        }
        Ok(())
    }
}

/// Runs on when whoever waits for it goes away.
async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::spawn(change).await;
    done.map_err(|_panicked| StorageError::BrokenOff)?
}
