//! A principal meets their record: by link, else by the configured match, else a first sign-in makes one.

use super::touch::Touch;
use super::{Actor, Admitted, Begun, Provision, Refused, TakeOver, person};
use crate::config::{Jit, Match, Tenant};
use crate::directory::{Change, DirectoryError, Expected, UserKey};
use crate::identity::{
    ClaimedGroups, Group, Link, ManagedBy, Principal, SignInMethod, TenantSlug, User, UserId, fold,
};
use crate::storage::Along;

/// How often a sign-in looks again when the directory changed under it.
const ATTEMPTS: usize = 4;

impl Provision {
    /// Finds, links or makes the principal's record. A refusal writes nothing; the audit of it is
    /// the caller's.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub async fn admit(
        &self,
        host: &str,
        principal: &Principal,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        let tenant = self.tenant_of(host, principal)?;
        person::name(&principal.link_subject).map_err(|_why| Refused::Claim("subject"))?;
        let link = Link {
            idp: principal.idp.clone(),
            subject: principal.link_subject.clone(),
            tenant: tenant.slug.clone(),
        };
        let done = self.meet(tenant, principal, &link, actor).await;
        match &done {
            Err(Refused::Match(why)) => self.note_conflict(tenant, principal, why).await,
            Ok(_) => self.settle_conflict(&link),
            Err(_) => {}
        }
        done
    }

    async fn meet(
        &self,
        tenant: &Tenant,
        principal: &Principal,
        link: &Link,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        let mut last = DirectoryError::Stale;
        for _ in 0..ATTEMPTS {
            // Another sign-in of the same person, or a SCIM client, was a moment earlier.
            match self.meet_once(tenant, principal, link, actor).await {
                Err(Refused::Directory(DirectoryError::Storage(error))) => return Err(error.into()),
                Err(Refused::Directory(error)) => last = error,
                done => return done,
            }
        }
        match last {
            DirectoryError::Taken("userName") => Err(Refused::Match("user name of another record")),
            DirectoryError::Taken(_) => Err(Refused::Match("linked to somebody else")),
            DirectoryError::Deleted => Err(Refused::Deleted),
            DirectoryError::TooMany => Err(Refused::Match("more than one record")),
            DirectoryError::Stale
            | DirectoryError::Missing
            | DirectoryError::TooLong(_)
            | DirectoryError::Storage(_) => Err(last.into()),
        }
    }

    async fn meet_once(
        &self,
        tenant: &Tenant,
        principal: &Principal,
        link: &Link,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        let directory = self.directory();
        if let Some(id) = directory.linked(link).await? {
            return self.known(&id, principal, link, actor).await;
        }
        let mut keys = vec![UserKey::UserName(fold(&principal.user_name))];
        keys.extend(external_id(principal));
        if directory.tombstone(link, &keys).await?.is_some() {
            return Err(Refused::Deleted);
        }
        if tenant.provisioning.jit == Jit::Off {
            return Err(Refused::Unknown);
        }
        let found = self.matching(tenant, principal).await?;
        match (found.as_slice(), tenant.provisioning.jit) {
            ([user], _) => self.tie(tenant, &user.id, principal, link, actor).await,
            ([], Jit::Create) => self.make(principal, link, actor).await,
            ([], Jit::Link | Jit::Off) => Err(Refused::Unknown),
            _ => Err(Refused::Match("more than one record")),
        }
    }

    /// A principal whose link leads to a record.
    async fn known(
        &self,
        id: &UserId,
        principal: &Principal,
        link: &Link,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        // Before the record is read: what ends the person's sessions from here on ends this sign-in.
        let ticket = self.people.sessions.ticket(&link.tenant, id);
        let user = self.directory().user(&link.tenant, id).await?;
        let user = user.ok_or(DirectoryError::Missing)?;
        check_active(&user)?;
        if user.sign_in == SignInMethod::Local {
            return Err(Refused::Method);
        }
        self.check_groups(principal, &link.tenant, Some(id)).await?;
        let user = self.keep_up(user, principal, actor).await?;
        self.people
            .ensure(&user, self.claims(&user, principal))
            .await?;
        Ok(Admitted { user, ticket })
    }

    /// People whom the configured match finds.
    pub(super) async fn matching(
        &self,
        tenant: &Tenant,
        principal: &Principal,
    ) -> Result<Vec<User>, Refused> {
        let key = match tenant.provisioning.matching {
            Match::UserName => Some(UserKey::UserName(fold(person::user_name(principal)?))),
            Match::ExternalId => external_id(principal),
            // R32: an address ties nobody to a record unless the idp verified it.
            Match::EmailsWork if !principal.email_verified => None,
            Match::EmailsWork => {
                person::address(principal).map(|email| UserKey::Email(fold(email.as_str())))
            }
        };
        let Some(key) = key else {
            return Ok(Vec::new());
        };
        let mut found = self.directory().find_users(&tenant.slug, &key).await?;
        if let UserKey::Email(address) = &key {
            found.retain(|user| person::has_work_address(user, address));
        }
        Ok(found)
    }

    /// Links a record that fits, at the first sign-in.
    async fn tie(
        &self,
        tenant: &Tenant,
        id: &UserId,
        principal: &Principal,
        link: &Link,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        let ticket = self.people.sessions.ticket(&link.tenant, id);
        let user = self.directory().user(&link.tenant, id).await?;
        let user = user.ok_or(DirectoryError::Missing)?;
        if user.sign_in == SignInMethod::Local {
            return Err(Refused::Match("a local account"));
        }
        check_active(&user)?;
        // R54: whoever has a link of this idp is another subject of it.
        let links = self.directory().links(&link.tenant, id).await?;
        match links.iter().find(|its| its.idp == link.idp) {
            Some(its) if its == link => return Err(DirectoryError::Stale.into()),
            Some(_) => return Err(Refused::Match("linked to somebody else")),
            None => {}
        }
        // R32: a user name is one idp's word alone. Who has a link of another idp is the same person only by
        // what is the same everywhere.
        match tenant.provisioning.matching {
            Match::UserName if !links.is_empty() => {
                return Err(Refused::Match("another idp's person of the same name"));
            }
            Match::UserName | Match::ExternalId | Match::EmailsWork => {}
        }
        self.check_groups(principal, &link.tenant, Some(id)).await?;
        let change = Change::AddLink(link.clone(), id.clone());
        let event = actor.did("link.created", &user);
        self.people
            .ensure(&user, self.claims(&user, principal))
            .await?;
        self.people
            .commit(vec![change], vec![event], &Touch::default())
            .await?;
        Ok(Admitted { user, ticket })
    }

    /// Makes the record of a first sign-in, with its link, or neither.
    async fn make(
        &self,
        principal: &Principal,
        link: &Link,
        actor: &Actor,
    ) -> Result<Admitted, Refused> {
        self.check_groups(principal, &link.tenant, None).await?;
        let now = self.people.clock.now();
        let user = person::from_principal(&link.tenant, principal, now)?;
        // R32: nobody enters the app under somebody else's address because an idp lets them type it.
        if self.is_foreign_address(principal, &user).await? {
            return match self.directory().linked(link).await? {
                // It is their own record, which another sign-in of theirs has just made.
                Some(_) => Err(DirectoryError::Stale.into()),
                None => Err(Refused::Match("unverified address of another record")),
            };
        }
        let ticket = self.people.sessions.ticket(&link.tenant, &user.id);
        let changes = vec![
            Change::PutUser(Box::new(user.clone()), Expected::New),
            Change::AddLink(link.clone(), user.id.clone()),
        ];
        let did = |action| actor.did(action, &user);
        let events = vec![did("user.created"), did("link.created")];
        // The app has them before their first request reaches it.
        self.people
            .commit_new(
                &user,
                changes,
                events,
                Begun::nothing(self.claims(&user, principal)),
            )
            .await?;
        Ok(Admitted { user, ticket })
    }

    /// What the idp says now, in a record that sign-ins keep; never in one that SCIM or an operator keeps.
    async fn keep_up(
        &self,
        user: User,
        principal: &Principal,
        actor: &Actor,
    ) -> Result<User, Refused> {
        if user.managed_by != ManagedBy::SignIn {
            return Ok(user);
        }
        let mut changed = user.clone();
        let with_email = !self.is_foreign_address(principal, &user).await?;
        if !person::tell(&mut changed, principal, with_email) {
            return Ok(user);
        }
        changed.modified = self.people.clock.now();
        changed.version = user.version.saturating_add(1);
        let change = Change::PutUser(Box::new(changed.clone()), Expected::Version(user.version));
        let event = actor.did("user.changed", &changed);
        let touch = Touch::person(&user.tenant, &user.id);
        self.people
            .commit_change(
                &user,
                &changed,
                (change, event),
                &touch,
                (Along::default(), self.claims(&changed, principal)),
            )
            .await?;
        Ok(changed)
    }

    /// Whose account of the app somebody may say is theirs by signing in. R32: where the app tells people apart by
    /// address, nobody's while the address is a claim that the idp did not verify.
    fn claims(&self, user: &User, principal: &Principal) -> TakeOver {
        let app = self.people.app.as_ref();
        let by_address = app.is_some_and(|app| app.connector.goes_by_address());
        if by_address && user.managed_by == ManagedBy::SignIn && !principal.email_verified {
            TakeOver::Nobody
        } else {
            TakeOver::Anybody
        }
    }

    /// Whether the principal's address is unverified and stands in another record.
    async fn is_foreign_address(
        &self,
        principal: &Principal,
        user: &User,
    ) -> Result<bool, Refused> {
        let Some(email) = person::address(principal).filter(|_| !principal.email_verified) else {
            return Ok(false);
        };
        let key = UserKey::Email(fold(email.as_str()));
        let holders = self.directory().find_users(&user.tenant, &key).await?;
        Ok(holders.iter().any(|holder| holder.id != user.id))
    }

    /// Where the idp cut the groups off, the directory must know some.
    async fn check_groups(
        &self,
        principal: &Principal,
        tenant: &TenantSlug,
        id: Option<&UserId>,
    ) -> Result<(), Refused> {
        if principal.groups != ClaimedGroups::TooMany {
            return Ok(());
        }
        let groups = match id {
            Some(id) => self.directory().groups_of(tenant, id).await?,
            None => Vec::new(),
        };
        let known = |group: &Group| !self.groups.ignores(&group.display_name);
        if groups.iter().any(known) {
            Ok(())
        } else {
            Err(Refused::GroupOverage)
        }
    }
}

/// R26: checked at every sign-in.
pub(super) fn check_active(user: &User) -> Result<(), Refused> {
    if user.active {
        Ok(())
    } else {
        Err(Refused::Inactive)
    }
}

/// R52: compared byte for byte, never parsed.
fn external_id(principal: &Principal) -> Option<UserKey> {
    let id = principal.external_id.as_deref()?;
    person::name(id).ok()?;
    Some(UserKey::ExternalId(id.to_owned()))
}
