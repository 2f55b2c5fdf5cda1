//! Does what was asked, through the same doors as everybody else: `provision`, sessions, audit.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde::Serialize;

use super::row::{AuditRow, ChainVerdict};
use super::socket::Execute;
use super::{Answer, AuditQuery, MAX_ROWS, Operation};
use crate::audit::Filter;
use crate::crypto::PasswordError;
use crate::directory::DirectoryError;
use crate::identity::EmailError;
use crate::provision::{Actor, Refused};
use crate::scim::token::{CreateError, RevokeError};
use crate::server::App;
use crate::storage::StorageError;

/// The running server, whatever its settings are at the moment.
pub(super) struct Desk(pub(super) Arc<ArcSwap<App>>);

#[async_trait]
impl Execute for Desk {
    async fn execute(&self, uid: u32, operation: Operation) -> Answer {
        let app = self.0.load_full();
        let actor = Actor {
            name: format!("cli:uid={uid}"),
            client: None,
            request_id: None,
            ..Actor::default()
        };
        let asked = Asked { app: &app, actor };
        asked.execute(operation).await.unwrap_or_else(Answer::from)
    }
}

/// Why it was not done. Operators may read every cause.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is no tenant {0:?}")]
    Tenant(String),
    #[error("there is no person {0:?}")]
    User(String),
    #[error("there is no group {0:?}")]
    Group(String),
    #[error("the role {role:?} is not one of roles.allowed: {allowed}")]
    Role { role: String, allowed: String },
    #[error("the user name cannot be used: it is empty, too long, or holds control characters")]
    UserName,
    #[error("the e-mail address {0:?} {1}")]
    Email(String, EmailError),
    #[error("{0}")]
    Usage(&'static str),
    #[error("the password {0}")]
    Password(PasswordError),
    #[error("the token was not made")]
    Token(#[from] CreateError),
    #[error("the token was not revoked")]
    Revoke(#[from] RevokeError),
    #[error(transparent)]
    Provision(#[from] Refused),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the answer cannot be written")]
    Json(#[from] serde_json::Error),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Tenant(_) => "no_tenant",
            Refusal::User(_) => "no_user",
            Refusal::Group(_) => "no_group",
            Refusal::Role { .. } => "role",
            Refusal::UserName => "user_name",
            Refusal::Email(..) => "email",
            Refusal::Usage(_) => "usage",
            Refusal::Password(_) => "password",
            Refusal::Token(_) => "token",
            Refusal::Revoke(_) => "no_token",
            Refusal::Provision(_) => "refused",
            Refusal::Directory(_) | Refusal::Storage(_) => "store",
            Refusal::Json(_) => "internal",
        };
        let mut text = refusal.to_string();
        let mut next = std::error::Error::source(&refusal);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        Self::error(code, text)
    }
}

pub(super) fn done(value: &impl Serialize) -> Result<Answer, Refusal> {
    Ok(Answer::Ok(serde_json::to_value(value)?))
}

/// One question to the running server.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) actor: Actor,
}

impl Asked<'_> {
    // R59: every operation is named; a new one does not compile until somebody thought about it.
    #[expect(
        clippy::too_many_lines,
        reason = "a list: one entry for each operation"
    )]
    async fn execute(&self, operation: Operation) -> Result<Answer, Refusal> {
        match operation {
            Operation::Ping => done(&env!("CARGO_PKG_VERSION")),
            Operation::UserList {
                tenant,
                after,
                limit,
            } => self.user_list(&tenant, after.as_deref(), limit).await,
            Operation::UserShow { tenant, user } => self.user_show(&tenant, &user).await,
            Operation::UserCreate(new) => self.user_create(new).await,
            Operation::UserSetPassword {
                tenant,
                user,
                password,
                must_change,
            } => {
                self.user_set_password(&tenant, &user, &password, must_change)
                    .await
            }
            Operation::UserSetLogin {
                tenant,
                user,
                method,
            } => self.user_set_login(&tenant, &user, method).await,
            Operation::UserSetActive {
                tenant,
                user,
                active,
            } => self.user_set_active(&tenant, &user, active).await,
            Operation::UserDelete { tenant, user } => self.user_delete(&tenant, &user).await,
            Operation::UserImport {
                tenant,
                people,
                apply,
            } => self.user_import(&tenant, people, apply).await,
            Operation::UserImportAccounts { tenant, apply } => {
                self.user_import_accounts(&tenant, apply).await
            }
            Operation::ConnectorDrift { mend } => self.connector_drift(&mend).await,
            Operation::ConnectorOwed { retry } => self.connector_owed(retry).await,
            Operation::WebhookList { dead } => self.webhook_list(dead).await,
            Operation::WebhookRetry { id } => self.webhook_retry(id.as_deref()).await,
            Operation::WebhookDrop { id } => self.webhook_drop(id.as_deref()).await,
            Operation::UserConflicts { tenant } => self.user_conflicts(&tenant),
            Operation::GroupList {
                tenant,
                after,
                limit,
            } => self.group_list(&tenant, after.as_deref(), limit).await,
            Operation::GroupShow { tenant, group } => self.group_show(&tenant, &group).await,
            Operation::SessionList {
                tenant,
                user,
                skip,
                limit,
            } => {
                self.session_list(tenant, user.as_deref(), skip, limit)
                    .await
            }
            Operation::SessionRevoke(which) => self.session_revoke(which).await,
            Operation::TokenCreate(new) => self.token_create(new).await,
            Operation::TokenList { tenant } => self.token_list(tenant.as_ref()),
            Operation::TokenRevoke { tenant, token } => {
                self.token_revoke(tenant.as_ref(), &token).await
            }
            Operation::AuditShow(query) => self.audit_show(query).await,
            Operation::ScimLog {
                user,
                failed,
                limit,
            } => self.scim_log(user, failed, limit),
            Operation::SamlLog {
                idp,
                request_id,
                limit,
            } => self.saml_log(idp, request_id, limit),
            Operation::ScimPause { on } => self.scim_pause(on).await,
            Operation::ScimResetFuse { tenant } => self.scim_reset_fuse(&tenant).await,
            Operation::AuditVerify => done(&ChainVerdict::from(self.app.audit.verify().await?)),
        }
    }

    async fn audit_show(&self, query: AuditQuery) -> Result<Answer, Refusal> {
        let filter = Filter {
            user_name: query.user,
            user: None,
            action: query.action,
            since: None,
            before: query.before,
        };
        let entries = self
            .app
            .audit
            .find(filter, query.limit.min(MAX_ROWS))
            .await?;
        let rows: Vec<_> = entries.into_iter().map(AuditRow::from).collect();
        done(&rows)
    }
}
