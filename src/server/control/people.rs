//! People and groups.

use super::execute::{Asked, Refusal, done};
use super::row::{
    AuditRow, ChangedUser, GroupDetails, GroupRow, Page, SessionRow, UserDetails, UserRow,
};
use super::{Answer, Create, MAX_ROWS};
use crate::audit::Filter;
use crate::directory::{Directory, UserKey};
use crate::identity::{Email, GroupId, SignInMethod, TenantSlug, User, UserId, fold};
use crate::provision::NewUser;
use crate::secret::Secret;

/// Entries of a person's history that are shown.
const HISTORY: usize = 20;
const LOCAL_IS_OFF: &str =
    "local accounts are switched off: set local.enabled = true, or nobody signs in with a password";

impl Asked<'_> {
    fn directory(&self) -> &dyn Directory {
        self.app.provision.directory()
    }

    pub(super) fn known(&self, tenant: &TenantSlug) -> Result<(), Refusal> {
        let known = &self.app.settings.tenants;
        if known.iter().any(|its| its.slug == *tenant) {
            Ok(())
        } else {
            Err(Refusal::Tenant(tenant.as_str().to_owned()))
        }
    }

    /// By user name, else by id.
    pub(super) async fn person(&self, tenant: &TenantSlug, user: &str) -> Result<User, Refusal> {
        self.known(tenant)?;
        let key = UserKey::UserName(fold(user));
        let found = self.directory().find_users(tenant, &key).await?;
        if let Some(user) = found.into_iter().next() {
            return Ok(user);
        }
        let by_id = self.directory().user(tenant, &UserId::from(user)).await?;
        by_id.ok_or_else(|| Refusal::User(user.to_owned()))
    }

    pub(super) async fn user_list(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        let limit = limit.clamp(1, MAX_ROWS);
        let users = self.directory().list_users(tenant, after, limit).await?;
        let full = users.len() >= limit;
        let roles = self.app.provision.role_sources(&users).await?;
        let rows = users.iter().zip(roles);
        done(&Page {
            next: users
                .last()
                .filter(|_| full)
                .map(|user| fold(&user.user_name)),
            rows: rows.map(|(user, roles)| UserRow::of(user, roles)).collect(),
        })
    }

    pub(super) async fn user_show(
        &self,
        tenant: &TenantSlug,
        user: &str,
    ) -> Result<Answer, Refusal> {
        let user = self.person(tenant, user).await?;
        let groups = self.directory().groups_of(tenant, &user.id).await?;
        let sessions = self.app.sessions.list();
        let sessions = sessions
            .iter()
            .filter(|live| live.record.tenant == *tenant && live.record.user == user.id)
            .take(MAX_ROWS)
            .map(|live| SessionRow::of(live, user.user_name.clone()));
        let filter = Filter {
            user: Some(user.id.to_string()),
            ..Filter::default()
        };
        let history = self.app.audit.find(filter, HISTORY).await?;
        done(&UserDetails {
            row: self.row(&user).await?,
            groups: groups.into_iter().map(|group| group.display_name).collect(),
            links: self.directory().links(tenant, &user.id).await?,
            sessions: sessions.collect(),
            history: history.into_iter().map(AuditRow::from).collect(),
            attributes: user.attributes,
        })
    }

    pub(super) async fn user_create(&self, new: Create) -> Result<Answer, Refusal> {
        self.check(&new)?;
        let (sign_in, password) = match &new.password {
            Some(password) => (SignInMethod::Local, Some(self.hash(password).await?)),
            None => (SignInMethod::External, None),
        };
        let made = NewUser {
            user_name: new.user_name,
            email: new.email,
            display_name: new.display_name,
            sign_in,
            must_change_password: new.must_change && password.is_some(),
            password,
            roles: new.roles.clone(),
        };
        let user = self
            .app
            .provision
            .create(&new.tenant, made, &self.actor)
            .await?;
        let told = self.row(&user).await?.roles;
        let silent = new.roles.iter().filter(|role| !told.contains(role));
        let silent: Vec<_> = silent.map(String::as_str).collect();
        let note = (!silent.is_empty()).then(|| {
            let silent = silent.join(", ");
            format!("roles.attribute decides which roles count; the app is not told {silent}")
        });
        self.changed(Some(&user), note).await
    }

    /// A person with what the app is told they may do.
    async fn row(&self, user: &User) -> Result<UserRow, Refusal> {
        let provision = &self.app.provision;
        let roles = provision.role_sources(std::slice::from_ref(user)).await?;
        Ok(UserRow::of(
            user,
            roles.into_iter().next().unwrap_or_default(),
        ))
    }

    /// What can be told better than `provision` does, which does not repeat input.
    fn check(&self, new: &Create) -> Result<(), Refusal> {
        self.known(&new.tenant)?;
        if new.user_name.trim().is_empty() || new.user_name.chars().any(char::is_control) {
            return Err(Refusal::UserName);
        }
        if let Some(email) = new.email.as_deref() {
            let bad = |why| Refusal::Email(email.to_owned(), why);
            Email::try_from(email).map_err(bad)?;
        }
        self.check_roles(&new.tenant, &new.roles)
    }

    pub(super) fn check_roles(&self, tenant: &TenantSlug, roles: &[String]) -> Result<(), Refusal> {
        let tenants = &self.app.settings.tenants;
        let own = tenants.iter().filter(|its| its.slug == *tenant);
        let allowed: Vec<&String> = own.flat_map(|its| &its.roles.allowed).collect();
        // A role that is not allowed would be kept in the record and told to nobody.
        let odd = |role: &&String| !allowed.is_empty() && !allowed.contains(role);
        match roles.iter().find(odd) {
            Some(role) => Err(Refusal::Role {
                role: role.clone(),
                allowed: allowed
                    .iter()
                    .map(|role| role.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
            None => Ok(()),
        }
    }

    pub(super) async fn user_set_password(
        &self,
        tenant: &TenantSlug,
        user: &str,
        password: &Secret,
        must_change: bool,
    ) -> Result<Answer, Refusal> {
        let user = self.person(tenant, user).await?;
        if user.sign_in != SignInMethod::Local {
            return Err(Refusal::Usage(
                "this person signs in through an idp; `sidegate user set-login NAME local` changes that",
            ));
        }
        let hash = self.hash(password).await?;
        self.app
            .provision
            .set_password(tenant, &user.id, hash, must_change, None, &self.actor)
            .await?;
        self.again(tenant, &user.id).await
    }

    pub(super) async fn user_set_login(
        &self,
        tenant: &TenantSlug,
        user: &str,
        method: SignInMethod,
    ) -> Result<Answer, Refusal> {
        let user = self.person(tenant, user).await?;
        self.app
            .provision
            .set_sign_in(tenant, &user.id, method, &self.actor)
            .await?;
        self.again(tenant, &user.id).await
    }

    pub(super) async fn user_set_active(
        &self,
        tenant: &TenantSlug,
        user: &str,
        active: bool,
    ) -> Result<Answer, Refusal> {
        let user = self.person(tenant, user).await?;
        self.app
            .provision
            .set_active(tenant, &user.id, active, &self.actor)
            .await?;
        self.again(tenant, &user.id).await
    }

    pub(super) async fn user_delete(
        &self,
        tenant: &TenantSlug,
        user: &str,
    ) -> Result<Answer, Refusal> {
        let user = self.person(tenant, user).await?;
        self.app
            .provision
            .delete(tenant, &user.id, &self.actor)
            .await?;
        self.changed(None, None).await
    }

    pub(super) async fn group_list(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        let limit = limit.clamp(1, MAX_ROWS);
        let groups = self.directory().list_groups(tenant, after, limit).await?;
        let full = groups.len() >= limit;
        done(&Page {
            next: groups
                .last()
                .filter(|_| full)
                .map(|group| fold(&group.display_name)),
            rows: groups.iter().map(GroupRow::from).collect(),
        })
    }

    pub(super) async fn group_show(
        &self,
        tenant: &TenantSlug,
        name: &str,
    ) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        let group = match self.directory().find_group(tenant, &fold(name)).await? {
            Some(group) => Some(group),
            None => self.directory().group(tenant, &GroupId::from(name)).await?,
        };
        let group = group.ok_or_else(|| Refusal::Group(name.to_owned()))?;
        let ids = self
            .directory()
            .members(tenant, &group.id, None, MAX_ROWS)
            .await?;
        let mut members = Vec::new();
        for id in &ids {
            members.push(self.name_of(tenant, id).await?);
        }
        done(&GroupDetails {
            row: GroupRow::from(&group),
            members,
            more: ids.len() >= MAX_ROWS,
        })
    }

    /// The user name; the id where the record is gone.
    pub(super) async fn name_of(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
    ) -> Result<String, Refusal> {
        let user = self.directory().user(tenant, id).await?;
        Ok(user.map_or_else(|| id.to_string(), |user| user.user_name))
    }

    async fn hash(&self, password: &Secret) -> Result<Secret, Refusal> {
        let hashed = self.app.login.passwords.hash(password).await;
        hashed.map_err(Refusal::Password)
    }

    async fn again(&self, tenant: &TenantSlug, id: &UserId) -> Result<Answer, Refusal> {
        let user = self.directory().user(tenant, id).await?;
        self.changed(user.as_ref(), None).await
    }

    async fn changed(&self, user: Option<&User>, note: Option<String>) -> Result<Answer, Refusal> {
        let mut notes = Vec::from_iter(note);
        if let Some(user) = user.filter(|user| user.sign_in == SignInMethod::Local) {
            if !self.app.settings.local.enabled {
                notes.push(LOCAL_IS_OFF.to_owned());
            }
            if user.password.is_none() {
                notes.push(format!(
                    "no password yet: sidegate user set-password {}",
                    user.user_name
                ));
            }
        }
        let user = match user {
            Some(user) => Some(self.row(user).await?),
            None => None,
        };
        done(&ChangedUser { user, notes })
    }
}
