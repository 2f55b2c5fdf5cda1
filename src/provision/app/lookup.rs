//! People whom the app had before: looked up there when the directory does not know them, or brought in all at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::begun::TakeOver;
use super::{AppSide, view};
use crate::connector::{Found, Kind, Ledger, Link, Owner};
use crate::directory::{Change, Expected, UserKey};
use crate::identity::{IdpName, ManagedBy, SignInMethod, TenantSlug, User, UserId, fold};
use crate::provision::desk::{Desk, Keeper};
use crate::provision::touch::Touch;
use crate::provision::{Actor, Provision, Refused};

/// What becomes of an account of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// It is somebody's already.
    Linked,
    /// There is a person of exactly this user name.
    Exact,
    /// There is a person of this user name in other letters, large or small.
    Case,
    /// There is nobody of this name.
    New,
    /// It cannot be told whose it is.
    Ambiguous,
    /// A rule refuses the person.
    Refused,
}

/// An account of the app, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What the app calls it.
    pub app_id: String,
    /// Its login name there.
    pub login: String,
    /// What becomes of it.
    pub plan: Plan,
    /// Whose it becomes, or why it cannot be told.
    pub note: String,
}

impl Provision {
    /// Plans whose each account of the app is, and with `apply` makes it so. Accounts are not changed. Nobody is found by
    /// e-mail.
    ///
    /// # Errors
    ///
    /// There is no connector or tenant; the app or the directory failed.
    pub async fn import_accounts(
        &self,
        tenant: &TenantSlug,
        apply: bool,
        actor: &Actor,
    ) -> Result<Vec<Planned>, Refused> {
        let desk = Desk {
            keeper: Keeper::Operator,
            ..self.desk(tenant, actor)?
        };
        let Some(app) = self.people.app.clone() else {
            return Err(Refused::NoConnector);
        };
        let mut accounts = app.connector.users().await?;
        // A list that moved between two of its pages shows somebody twice.
        let mut seen = BTreeSet::new();
        accounts.retain(|account| seen.insert(account.id.clone()));
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for account in &accounts {
            let count = names.entry(fold(&login(&app, account))).or_default();
            *count = count.saturating_add(1);
        }
        let mut planned = Vec::with_capacity(accounts.len());
        for account in accounts {
            let several = names
                .get(&fold(&login(&app, &account)))
                .is_some_and(|count| *count > 1);
            planned.push(desk.plan(&app, account, several, apply).await?);
        }
        Ok(planned)
    }

    /// A person whom the directory does not know and the app does: from now on both do.
    pub(in crate::provision) async fn meet_in_app(
        &self,
        tenant: &TenantSlug,
        key: &UserKey,
    ) -> Result<Option<User>, Refused> {
        let Some(app) = &self.people.app else {
            return Ok(None);
        };
        let (attribute, value) = match key {
            UserKey::UserName(name) => (app.connector.user_key(), name.as_str()),
            UserKey::Email(address) => ("emails.value", address.as_str()),
            UserKey::ExternalId(_) => return Ok(None),
        };
        let ruled = self.ruled(tenant)?;
        if !ruled.sees_unmanaged() || !app.connector.user_attributes().any(|its| its == attribute) {
            return Ok(None);
        }
        let Some(found) = app.connector.find_user_by(attribute, value).await? else {
            return Ok(None);
        };
        // Several look-ups at once bring in one person.
        let _name = self
            .people
            .name_turn(Kind::User, app.key(&found.attributes))
            .await;
        if let Some(user) = self.directory().find_users(tenant, key).await?.pop() {
            return Ok(Some(user));
        }
        if app.is_somebodys(&found).await?
            || !app
                .may_take_over(tenant, &found, TakeOver::Ordinary)
                .await?
        {
            return Ok(None);
        }
        let actor = Actor {
            name: "connector".to_owned(),
            ..Actor::default()
        };
        let desk = Desk {
            keeper: Keeper::Operator,
            ..self.desk(tenant, &actor)?
        };
        let name = login(app, &found);
        let known = UserKey::UserName(fold(&name));
        if !self
            .directory()
            .find_users(tenant, &known)
            .await?
            .is_empty()
        {
            return Ok(None);
        }
        desk.bring_in(app, &found, ManagedBy::SignIn).await
    }
}

fn login(app: &AppSide, account: &Found) -> String {
    let login = account.attributes.get(app.connector.user_key());
    login
        .and_then(|it| it.as_str())
        .unwrap_or_default()
        .to_owned()
}

impl Desk {
    async fn plan(
        &self,
        app: &AppSide,
        account: Found,
        several: bool,
        apply: bool,
    ) -> Result<Planned, Refused> {
        let login = login(app, &account);
        let planned = |plan: Plan, note: String| Planned {
            app_id: account.id.clone(),
            login: login.clone(),
            plan,
            note,
        };
        if let Some(owner) = app.ledger.owner(Kind::User, &account.id).await?
            && !self.is_free(app, &owner, &account, apply).await?
        {
            return Ok(planned(Plan::Linked, owner.id));
        }
        let key = UserKey::UserName(fold(&login));
        let directory = &self.people.directory;
        let found = directory.find_users(self.tenant(), &key).await?;
        let person = found
            .into_iter()
            .find(|user| user.managed_by != ManagedBy::Retired);
        let Some(person) = person else {
            if several {
                let note = "several accounts of this name, in other letters";
                return Ok(planned(Plan::Ambiguous, note.to_owned()));
            }
            return self.plan_new(app, &account, apply, planned).await;
        };
        let exact = person.user_name == login;
        if several && !exact {
            let note = format!(
                "several accounts of this name; {} is written otherwise",
                person.user_name
            );
            return Ok(planned(Plan::Ambiguous, note));
        }
        let owner = AppSide::owner_of(&person);
        if let Some(link) = app.ledger.link(&owner).await?
            && let Some(other) = app.connector.user(&link.app_id).await?
            && app.is_theirs(&owner, &link, &other).await?
        {
            let note = format!(
                "{} has another account there: {}",
                person.user_name, link.app_id
            );
            return Ok(planned(Plan::Ambiguous, note));
        }
        if apply {
            let link = Link {
                app_id: account.id.clone(),
                login: login.clone(),
                unconfirmed: false,
                password: None,
            };
            app.ledger.write(Ledger::tie(&owner, &link)).await?;
        }
        Ok(planned(
            if exact { Plan::Exact } else { Plan::Case },
            person.id.to_string(),
        ))
    }

    /// Whether an account is not its owner's any more: the app calls it otherwise than when it was linked. An operator
    /// who applies the plan says so, and the link is forgotten.
    async fn is_free(
        &self,
        app: &AppSide,
        owner: &Owner,
        account: &Found,
        apply: bool,
    ) -> Result<bool, Refused> {
        let Some(link) = app.ledger.link(owner).await? else {
            return Ok(false);
        };
        if owner.tenant != *self.tenant() || app.is_theirs(owner, &link, account).await? {
            return Ok(false);
        }
        if apply {
            let gone = Ledger::untie(owner).and(Ledger::settle(owner));
            app.ledger.write(gone).await?;
        }
        Ok(true)
    }

    async fn plan_new(
        &self,
        app: &AppSide,
        account: &Found,
        apply: bool,
        planned: impl Fn(Plan, String) -> Planned,
    ) -> Result<Planned, Refused> {
        if let Some(email) = account
            .attributes
            .get("emails.value")
            .and_then(|it| it.as_str())
        {
            let key = UserKey::Email(fold(email));
            let same = self
                .people
                .directory
                .find_users(self.tenant(), &key)
                .await?;
            if let Some(person) = same.first() {
                let note = format!(
                    "{} has the same e-mail address, and another name",
                    person.user_name
                );
                return Ok(planned(Plan::Ambiguous, note));
            }
        }
        let mut draft = view::draft(&account.attributes);
        if let Err(rule) = self.ruled.check_user(&mut draft, None) {
            return Ok(planned(Plan::Refused, rule.to_string()));
        }
        let deleted = || {
            let note = "deleted here before; sidegate user create makes them anew";
            planned(Plan::Refused, note.to_owned())
        };
        if self.is_buried(&draft.user_name).await? {
            return Ok(deleted());
        }
        if !apply {
            return Ok(planned(Plan::New, String::new()));
        }
        let made = self.bring_in(app, account, ManagedBy::Operator).await?;
        Ok(match made {
            Some(user) => planned(Plan::New, user.id.to_string()),
            None => deleted(),
        })
    }

    pub(super) async fn is_buried(&self, user_name: &str) -> Result<bool, Refused> {
        let nobody = crate::identity::Link {
            idp: IdpName::local(),
            subject: String::new(),
            tenant: self.tenant().clone(),
        };
        let key = UserKey::UserName(fold(user_name));
        let tombstone = self.people.directory.tombstone(&nobody, &[key]).await?;
        Ok(tombstone.is_some())
    }

    /// Makes the record of somebody whom the app has; nobody whom somebody deleted here.
    async fn bring_in(
        &self,
        app: &AppSide,
        account: &Found,
        kept_by: ManagedBy,
    ) -> Result<Option<User>, Refused> {
        let mut draft = view::draft(&account.attributes);
        if self.ruled.check_user(&mut draft, None).is_err()
            || self.is_buried(&draft.user_name).await?
        {
            return Ok(None);
        }
        let now = self.people.clock.now();
        let user = User {
            id: UserId::random(),
            tenant: self.tenant().clone(),
            user_name: draft.user_name,
            external_id: draft.external_id,
            active: draft.active,
            attributes: draft.attributes,
            sign_in: SignInMethod::External,
            password: None,
            must_change_password: false,
            managed_by: kept_by,
            created: now,
            modified: now,
            version: 1,
        };
        let owner = Owner::new(Kind::User, self.tenant(), &user.id);
        let link = Link {
            app_id: account.id.clone(),
            login: login(app, account),
            unconfirmed: false,
            password: None,
        };
        let event = self.actor.did("user.created", &user);
        let change = Change::PutUser(Box::new(user.clone()), Expected::New);
        let along = Ledger::tie(&owner, &link);
        self.people
            .commit_with(vec![change], vec![event], &Touch::default(), along)
            .await?;
        Ok(Some(user))
    }
}
