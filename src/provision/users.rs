//! People as SCIM clients make, change and delete them.

use super::desk::{ATTEMPTS, Desk, Keeper, check_version};
use super::fuse::Counted;
use super::touch::{Touch, to_its_end};
use super::{Actor, Provision, Refused, UserDraft, told};
use crate::audit::Event;
use crate::config::{Adopt, OnDelete};
use crate::connector::{Kind, Owner};
use crate::directory::{Change, DirectoryError, Expected, UserKey};
use crate::identity::{ManagedBy, SignInMethod, TenantSlug, Tombstone, User, UserId, fold};
use crate::session::End;

impl Provision {
    /// Makes a person. Where `adopt = "post"`, a record of this user name that SCIM does not manage yet
    /// becomes this person instead; an e-mail address never leads to one.
    ///
    /// # Errors
    ///
    /// The user name is taken; a rule refuses it; the directory failed.
    pub async fn create_user(
        &self,
        tenant: &TenantSlug,
        draft: UserDraft,
        actor: &Actor,
    ) -> Result<User, Refused> {
        let desk = self.desk(tenant, actor)?;
        to_its_end(async move { desk.create_user(draft).await }).await
    }

    /// Reads a person, lets `edit` say what they shall be, and writes that: one after the other for each person,
    /// and only over the record that was read. `edit` may be asked again when somebody else was faster. Nothing
    /// is written, and the version stays, when nothing changes. A record that SCIM did not manage becomes
    /// SCIM's. Deactivation and the loss of the last role end all sessions, streams and bearer use at once.
    ///
    /// # Errors
    ///
    /// What `edit` says; the person is not there or SCIM does not see them; `expected` is not the version; the
    /// user name is taken; a rule refuses it; the fuse; the directory failed.
    pub async fn edit_user<E>(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        expected: Option<u64>,
        actor: &Actor,
        edit: impl Fn(&User) -> Result<UserDraft, E> + Send + Sync + 'static,
    ) -> Result<User, E>
    where
        E: From<Refused> + Send + 'static,
    {
        let (desk, id) = (self.desk(tenant, actor)?, id.clone());
        to_its_end(async move { desk.edit_user(&id, expected, edit).await }).await
    }

    /// Deletes a person; what stays of them is `provisioning.on_delete`. Ends everything of theirs at once.
    ///
    /// # Errors
    ///
    /// The person is not there or SCIM does not see them; `expected` is not the version; the fuse; the
    /// directory failed.
    pub async fn delete_user(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        expected: Option<u64>,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let (desk, id) = (self.desk(tenant, actor)?, id.clone());
        to_its_end(async move { desk.delete_user(&id, expected).await }).await
    }
}

impl Desk {
    pub(super) async fn create_user(self, mut draft: UserDraft) -> Result<User, Refused> {
        self.ruled.check_user(&mut draft, None)?;
        self.check_given(&draft, None)?;
        let mut begun = self.finish_begun(Kind::User, &draft.user_name).await?;
        let key = UserKey::UserName(fold(&draft.user_name));
        let found = self
            .people
            .directory
            .find_users(self.tenant(), &key)
            .await?;
        let retired = |user: &User| user.managed_by == ManagedBy::Retired;
        let (retired, found): (Vec<_>, Vec<_>) = found.into_iter().partition(retired);
        if let Some(holder) = found.into_iter().next() {
            if self.is_unconfirmed(&holder).await? {
                // The client asks again for what was finished after it had gone.
                let edit = move |_: &User| Ok(draft.clone());
                return self.edit_user::<Refused>(&holder.id, None, edit).await;
            }
            return match (holder.managed_by, self.ruled.tenant.provisioning.adopt) {
                (ManagedBy::SignIn | ManagedBy::Operator, Adopt::Post) => {
                    self.adopt(&holder.id, draft).await
                }
                _ => Err(DirectoryError::Taken("userName").into()),
            };
        }
        self.wake(&draft.user_name, &retired, &mut begun).await?;
        let now = self.people.clock.now();
        let sign_in = match draft.password {
            Some(_) => SignInMethod::Local,
            None => SignInMethod::External,
        };
        let user = User {
            id: UserId::random(),
            tenant: self.tenant().clone(),
            user_name: draft.user_name,
            external_id: draft.external_id,
            active: draft.active,
            attributes: draft.attributes,
            sign_in,
            password: draft.password,
            must_change_password: false,
            managed_by: self.keeper.managed_by(),
            created: now,
            modified: now,
            version: 1,
        };
        if self.actor.dry_run {
            return Ok(user);
        }
        let event = self.user_event("user.created", None, &user);
        let changes = vec![Change::PutUser(Box::new(user.clone()), Expected::New)];
        self.people
            .commit_new(&user, changes, vec![event], begun)
            .await?;
        Ok(user)
    }

    /// A POST that means somebody who is here already.
    async fn adopt(self, id: &UserId, draft: UserDraft) -> Result<User, Refused> {
        let edit = move |found: &User| match found.managed_by {
            // Another POST was faster.
            ManagedBy::Scim | ManagedBy::Retired => Err(DirectoryError::Taken("userName").into()),
            ManagedBy::SignIn | ManagedBy::Operator => Ok(draft.clone()),
        };
        self.edit_user::<Refused>(id, None, edit).await
    }

    pub(super) async fn edit_user<E: From<Refused>>(
        self,
        id: &UserId,
        expected: Option<u64>,
        edit: impl Fn(&User) -> Result<UserDraft, E>,
    ) -> Result<User, E> {
        let _turn = self
            .people
            .state
            .turns
            .take((self.tenant(), id.as_str()))
            .await;
        for _ in 0..ATTEMPTS {
            let before = self.user(id).await?;
            check_version(expected, before.version)?;
            let mut draft = edit(&before)?;
            let checked = self.ruled.check_user(&mut draft, Some(&before));
            checked.map_err(Refused::from)?;
            let given = self.check_given(&draft, Some(&before));
            given.map_err(Refused::from)?;
            self.check_above(&draft, &before).await?;
            let after = drafted(&before, draft, self.keeper);
            match self.write_user(&before, after).await {
                // A sign-in, or an operator, was faster.
                Err(Refused::Directory(DirectoryError::Stale)) => {}
                done => return done.map_err(E::from),
            }
        }
        Err(Refused::from(DirectoryError::Stale).into())
    }

    /// Writes what changed, if anything did.
    async fn write_user(&self, before: &User, mut after: User) -> Result<User, Refused> {
        let touch = self.touch_of(before, &after).await?;
        if told::of_user(Some(before), Some(&after)).is_none() {
            // Said again: then it holds again.
            self.people.end(&touch).await?;
            self.people.settle_again(before, self.take_over()).await?;
            return Ok(before.clone());
        }
        let mut counted = if before.active && !after.active {
            Some(self.fuse(before).await?)
        } else {
            None
        };
        after.version = before.version.saturating_add(1);
        after.modified = self.people.clock.now();
        if self.actor.dry_run {
            self.check_free(&after).await?;
            return Ok(after);
        }
        let gone;
        let mut before = before;
        if self.people.app.is_some()
            && let Some(counted) = counted.take()
        {
            // The gate first: whoever shall be out is out, whatever the app then says.
            gone = self.out(before, &after, &touch, counted).await?;
            if told::of_user(Some(&gone), Some(&after)).is_none() {
                self.people
                    .settle(
                        &Owner::new(Kind::User, self.tenant(), &gone.id),
                        self.take_over(),
                    )
                    .await?;
                return Ok(gone);
            }
            after.version = gone.version.saturating_add(1);
            before = &gone;
        }
        let expected = Expected::Version(before.version);
        let change = Change::PutUser(Box::new(after.clone()), expected);
        let event = self.user_event(action(before, &after), Some(before), &after);
        let along = counted.as_ref().map(Counted::along).unwrap_or_default();
        self.people
            .commit_change(
                before,
                &after,
                (change, event),
                &touch,
                (along, self.take_over()),
            )
            .await?;
        counted.into_iter().for_each(Counted::keep);
        self.end_without_roles(&touch.watched).await?;
        Ok(after)
    }

    /// In a dry run: what the directory would refuse.
    async fn check_free(&self, user: &User) -> Result<(), Refused> {
        let key = UserKey::UserName(fold(&user.user_name));
        let found = self
            .people
            .directory
            .find_users(self.tenant(), &key)
            .await?;
        let other = |it: &User| it.id != user.id && it.managed_by != ManagedBy::Retired;
        if found.iter().any(other) {
            return Err(DirectoryError::Taken("userName").into());
        }
        Ok(())
    }

    /// What a change does to the person's sessions.
    async fn touch_of(&self, before: &User, after: &User) -> Result<Touch, Refused> {
        let mut touch = Touch::person(self.tenant(), &before.id);
        let all = || End::User(self.tenant().clone(), before.id.clone());
        let hash = |user: &User| user.password.as_ref().map(|it| it.expose().to_owned());
        if self.actor.dry_run {
            return Ok(Touch::default());
        }
        if !after.active {
            return Ok(touch.ending(all(), "deactivated"));
        }
        if hash(before) != hash(after) {
            return Ok(touch.ending(all(), "revoked"));
        }
        match self.roles_left(before, after).await? {
            Some(false) => return Ok(touch.ending(all(), "revoked")),
            Some(true) => touch.watched.push(before.id.clone()),
            None => {}
        }
        Ok(touch)
    }

    /// Whether a role is left; none when nobody loses any.
    async fn roles_left(&self, before: &User, after: &User) -> Result<Option<bool>, Refused> {
        let rule = &self.ruled.roles;
        let given = |user: &User| rule.attribute().values(&user.attributes);
        if given(before) == given(after) {
            return Ok(None);
        }
        let groups = self
            .people
            .directory
            .groups_of(self.tenant(), &before.id)
            .await?;
        let names = self.ruled.names(groups);
        let had = !rule.roles(before, &names).is_empty();
        Ok(had.then(|| !rule.roles(after, &names).is_empty()))
    }

    async fn delete_user(self, id: &UserId, expected: Option<u64>) -> Result<(), Refused> {
        let _turn = self
            .people
            .state
            .turns
            .take((self.tenant(), id.as_str()))
            .await;
        let owner = Owner::new(Kind::User, self.tenant(), id);
        for _ in 0..ATTEMPTS {
            let user = match self.user(id).await {
                // Gone here, and not there yet.
                Err(Refused::Directory(DirectoryError::Missing))
                    if self.people.owes(&owner).await? =>
                {
                    return self.people.settle(&owner, self.take_over()).await;
                }
                user => user?,
            };
            check_version(expected, user.version)?;
            let counted = self.fuse(&user).await?;
            if self.actor.dry_run {
                return Ok(());
            }
            let (change, after) = self.removal(&user);
            let which = End::User(self.tenant().clone(), id.clone());
            let touch = Touch::person(self.tenant(), id).ending(which, "deactivated");
            let event = Event {
                changes: told::of_user(Some(&user), after.as_ref()),
                ..self.actor.did("user.deleted", &user)
            };
            let (people, along) = (&self.people, counted.along());
            let along = along.and(people.owes_removal(&user).await?);
            let commit = people.commit_with(vec![change], vec![event], &touch, along);
            match commit.await {
                Err(Refused::Directory(DirectoryError::Stale)) => {}
                Err(refused) => return Err(refused),
                Ok(()) => {
                    counted.keep();
                    return self.people.settle(&owner, self.take_over()).await;
                }
            }
        }
        Err(DirectoryError::Stale.into())
    }

    /// The change, and the record that stays.
    fn removal(&self, user: &User) -> (Change, Option<User>) {
        let now = self.people.clock.now();
        let tombstone = Tombstone {
            id: user.id.clone(),
            user_name: fold(&user.user_name),
            external_id: user.external_id.clone(),
            deleted: now,
        };
        match self.ruled.tenant.provisioning.on_delete {
            OnDelete::Remove => {
                let tenant = self.tenant().clone();
                let change = Change::RemoveUser(tenant, user.id.clone(), tombstone);
                (change, None)
            }
            OnDelete::Deactivate => {
                let retired = User {
                    active: false,
                    managed_by: ManagedBy::Retired,
                    modified: now,
                    version: user.version.saturating_add(1),
                    ..user.clone()
                };
                let expected = Expected::Version(user.version);
                let change = Change::RetireUser(Box::new(retired.clone()), expected, tombstone);
                (change, Some(retired))
            }
        }
    }

    fn user_event(&self, action: &str, before: Option<&User>, after: &User) -> Event {
        Event {
            changes: told::of_user(before, Some(after)),
            ..self.actor.did(action, after)
        }
    }
}

/// The record that a draft makes of it.
fn drafted(before: &User, draft: UserDraft, keeper: Keeper) -> User {
    let local = before.sign_in == SignInMethod::Local;
    User {
        user_name: draft.user_name,
        external_id: draft.external_id,
        active: draft.active,
        attributes: draft.attributes,
        password: match draft.password {
            Some(hash) if local => Some(hash),
            _ => before.password.clone(),
        },
        managed_by: keeper.managed_by(),
        ..before.clone()
    }
}

/// What an edit was, by the greatest thing that it did.
fn action(before: &User, after: &User) -> &'static str {
    match (before.active, after.active) {
        (true, false) => "user.deactivated",
        (false, true) => "user.activated",
        (true, true) | (false, false) => "user.changed",
    }
}
