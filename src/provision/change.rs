//! Changes of a person. Each goes on to its end when its caller has gone, and what takes rights
//! away ends the person's sessions first.

use std::sync::Arc;

use super::desk::ATTEMPTS;
use super::touch::{Touch, to_its_end};
use super::{Actor, Provision, Refused, TakeOver, told};
use crate::connector::{Kind, Owner};
use crate::directory::{Change, DirectoryError, Expected};
use crate::identity::{ManagedBy, SignInMethod, TenantSlug, Tombstone, User, UserId, fold};
use crate::secret::Secret;
use crate::session::End;

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
            // Whom a SCIM client deleted, an operator brings back.
            if active && user.managed_by == ManagedBy::Retired {
                user.managed_by = ManagedBy::Operator;
            }
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
            let owner = Owner::new(Kind::User, &tenant, &id);
            let touch = Touch::person(&tenant, &id).ending(End::User(tenant, id), "deactivated");
            let mut event = actor.did("user.deleted", &user);
            event.changes = told::of_user(Some(&user), None);
            let along = people.owes_removal(&user).await?;
            people
                .commit_with(vec![change], vec![event], &touch, along)
                .await?;
            people.settle(&owner, TakeOver::Anybody).await
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
        let mut touch = Touch::person(&tenant, &id);
        if let Some((which, why)) = end {
            touch = touch.ending(which, why);
        }
        to_its_end(async move {
            for _ in 0..ATTEMPTS {
                let before = people.directory.user(&tenant, &id).await?;
                let before = before.ok_or(DirectoryError::Missing)?;
                let mut user = before.clone();
                if !write(&mut user)? {
                    return people.end(&touch).await;
                }
                user.version = before.version.saturating_add(1);
                user.modified = people.clock.now();
                let expected = Expected::Version(before.version);
                let change = Change::PutUser(Box::new(user.clone()), expected);
                let mut event = actor.did(action, &user);
                event.changes = told::of_user(Some(&before), Some(&user));
                // An operator's word counts here at once; the app follows.
                let along = people.owes_change(&user).await?;
                match people
                    .commit_with(vec![change], vec![event], &touch, along)
                    .await
                {
                    Err(Refused::Directory(DirectoryError::Stale)) => {}
                    Ok(()) => {
                        let owner = Owner::new(Kind::User, &tenant, &id);
                        return people.settle(&owner, TakeOver::Anybody).await;
                    }
                    refused => return refused,
                }
            }
            Err(DirectoryError::Stale.into())
        })
        .await
    }
}
