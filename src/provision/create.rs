//! Local accounts at sign-in, and people whom an operator makes.

use serde_json::json;

use super::admit::check_active;
use super::{Actor, Admitted, Begun, NewUser, Provision, Refused, TakeOver, person};
use crate::directory::{Change, DirectoryError, Expected};
use crate::identity::{Email, ManagedBy, SignInMethod, TenantSlug, User, UserId};

impl Provision {
    /// A local account that may try its password: by user name, folded, in the tenant of this host.
    ///
    /// # Errors
    ///
    /// The directory failed.
    pub async fn local_account(
        &self,
        host: &str,
        user_name: &str,
    ) -> Result<Option<User>, DirectoryError> {
        let Some(tenant) = self.local_tenant(host, user_name) else {
            return Ok(None);
        };
        let user = self.by_name(&tenant.slug, user_name).await?;
        Ok(user.filter(|user| user.sign_in == SignInMethod::Local))
    }

    /// A local account whose password was right. The record is read again, because checking a
    /// password takes time: what was true before it is not taken as true.
    ///
    /// # Errors
    ///
    /// [`Refused::Inactive`], [`Refused::Method`], [`Refused::Deleted`], or the directory failed.
    pub async fn admit_local(&self, checked: User) -> Result<Admitted, Refused> {
        let ticket = self.people.sessions.ticket(&checked.tenant, &checked.id);
        let user = self.directory().user(&checked.tenant, &checked.id).await?;
        let user = user.ok_or(Refused::Deleted)?;
        check_active(&user)?;
        if user.sign_in != SignInMethod::Local {
            return Err(Refused::Method);
        }
        let hash = |user: &User| user.password.as_ref().map(|hash| hash.expose().to_owned());
        if hash(&user).is_none() || hash(&user) != hash(&checked) {
            return Err(DirectoryError::Stale.into());
        }
        self.people.ensure(&user, TakeOver::Anybody).await?;
        Ok(Admitted { user, ticket })
    }

    /// Makes a person.
    ///
    /// # Errors
    ///
    /// The name is taken or cannot be one; the directory failed.
    pub async fn create(
        &self,
        tenant: &TenantSlug,
        new: NewUser,
        actor: &Actor,
    ) -> Result<User, Refused> {
        let domains = &self.tenant(tenant)?.domains;
        let user_name = person::name(&new.user_name).map_err(|_why| Refused::Claim("user name"))?;
        let email = new
            .email
            .as_deref()
            .map(str::trim)
            .filter(|email| !email.is_empty());
        let email = email.map(Email::try_from).transpose();
        let email = email.map_err(|_why| Refused::Claim("email"))?;
        // R31: the domain compared whole.
        let foreign = |email: &Email| !domains.is_empty() && !domains.contains(&email.domain());
        if email.as_ref().is_some_and(foreign) {
            return Err(Refused::Domain);
        }
        let now = self.people.clock.now();
        let mut user = User {
            id: UserId::random(),
            tenant: tenant.clone(),
            user_name: user_name.to_owned(),
            external_id: None,
            active: true,
            attributes: serde_json::Map::new(),
            sign_in: new.sign_in,
            password: new.password.filter(|_| new.sign_in == SignInMethod::Local),
            must_change_password: new.must_change_password,
            managed_by: ManagedBy::Operator,
            created: now,
            modified: now,
            version: 1,
        };
        if let Some(name) = new
            .display_name
            .as_deref()
            .and_then(|name| person::name(name).ok())
        {
            user.attributes
                .insert("displayName".to_owned(), name.into());
        }
        if let Some(email) = email {
            user.attributes
                .insert("emails".to_owned(), person::emails(email.as_str()));
        }
        let roles = new.roles.iter().enumerate();
        let roles: Vec<_> = roles
            .map(|(number, role)| json!({ "value": role, "primary": number == 0 }))
            .collect();
        if !roles.is_empty() {
            user.attributes.insert("roles".to_owned(), roles.into());
        }
        let changes = vec![Change::PutUser(Box::new(user.clone()), Expected::New)];
        let event = actor.did("user.created", &user);
        let begun = Begun::nothing(TakeOver::Anybody);
        self.people
            .commit_new(&user, changes, vec![event], begun)
            .await?;
        Ok(user)
    }
}
