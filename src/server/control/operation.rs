//! What the command line may ask for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::{IdpName, SignInMethod, TenantSlug};
use crate::provision::{DriftKind, Imported};
use crate::secret::Secret;

/// One question. People are named by user name or by id, groups by display name or by id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Is anybody there; answers the version.
    Ping,
    /// People in the order of their names, after one of them.
    UserList {
        /// Whose directory.
        tenant: TenantSlug,
        /// `next` of the page before.
        after: Option<String>,
        /// At most so many, and never more than [`super::MAX_ROWS`].
        limit: usize,
    },
    /// One person with groups, roles, links and sessions.
    UserShow {
        /// Whose directory.
        tenant: TenantSlug,
        /// Name or id.
        user: String,
    },
    /// Makes a person.
    UserCreate(Create),
    /// Sets the password of a local account.
    UserSetPassword {
        /// Whose directory.
        tenant: TenantSlug,
        /// Name or id.
        user: String,
        /// The new one.
        password: Secret,
        /// It must be changed at the next sign-in.
        must_change: bool,
    },
    /// Sets the one way a person signs in.
    UserSetLogin {
        /// Whose directory.
        tenant: TenantSlug,
        /// Name or id.
        user: String,
        /// The way.
        method: SignInMethod,
    },
    /// Lets a person in again, or shuts them out at once.
    UserSetActive {
        /// Whose directory.
        tenant: TenantSlug,
        /// Name or id.
        user: String,
        /// In or out.
        active: bool,
    },
    /// Deletes a person and leaves a tombstone.
    UserDelete {
        /// Whose directory.
        tenant: TenantSlug,
        /// Name or id.
        user: String,
    },
    /// Makes or changes people of a file, in order; or only tells what would be done.
    UserImport {
        /// Whose directory.
        tenant: TenantSlug,
        /// They.
        people: Vec<Imported>,
        /// Does it.
        apply: bool,
    },
    /// Plans whose the app's accounts are, or makes it so.
    UserImportAccounts {
        /// Whose directory.
        tenant: TenantSlug,
        /// Does it.
        apply: bool,
    },
    /// Compares the app's accounts with the directory.
    ConnectorDrift {
        /// What is mended.
        mend: Vec<DriftKind>,
    },
    /// What the app has yet to follow; `retry` tries all of it first.
    ConnectorOwed {
        /// Tries it.
        retry: bool,
    },
    /// Webhook messages that wait, or were put aside.
    WebhookList {
        /// Those put aside.
        dead: bool,
    },
    /// Posts what was put aside again.
    WebhookRetry {
        /// One of them; none is all.
        id: Option<String>,
    },
    /// Forgets what was put aside.
    WebhookDrop {
        /// One of them; none is all.
        id: Option<String>,
    },
    /// Sign-ins that were refused because of a record, the last one first.
    UserConflicts {
        /// Whose directory.
        tenant: TenantSlug,
    },
    /// Groups in the order of their names, after one of them.
    GroupList {
        /// Whose directory.
        tenant: TenantSlug,
        /// `next` of the page before.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// One group with its first members.
    GroupShow {
        /// Whose directory.
        tenant: TenantSlug,
        /// Display name or id.
        group: String,
    },
    /// Live sessions, oldest first.
    SessionList {
        /// Only this tenant's.
        tenant: Option<TenantSlug>,
        /// Only this person's, by name or id; looked up in `tenant`, else in `default`.
        user: Option<String>,
        /// How many to pass over.
        skip: usize,
        /// At most so many.
        limit: usize,
    },
    /// Ends sessions, streams and bearer use at once.
    SessionRevoke(Which),
    /// Makes a token of a SCIM client.
    TokenCreate(CreateToken),
    /// Tokens of SCIM clients, oldest first.
    TokenList {
        /// Only this tenant's.
        tenant: Option<TenantSlug>,
    },
    /// Ends a token at once.
    TokenRevoke {
        /// Only one of this tenant.
        tenant: Option<TenantSlug>,
        /// Id or name.
        token: String,
    },
    /// The newest entries of the audit chain, newest first.
    AuditShow(AuditQuery),
    /// Checks the whole audit chain.
    AuditVerify,
    /// The last exchanges with SCIM clients, newest first.
    ScimLog {
        /// Only those that hold this text.
        user: Option<String>,
        /// Refused ones alone.
        failed: bool,
        /// At most so many.
        limit: usize,
    },
    /// The last answers of SAML idps that were refused, newest first.
    SamlLog {
        /// Only of this idp.
        idp: Option<IdpName>,
        /// Only the one with this request id.
        request_id: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// Stops provisioning, or lets it go on.
    ScimPause {
        /// Stop.
        on: bool,
    },
    /// Counts deactivations anew.
    ScimResetFuse {
        /// Whose.
        tenant: TenantSlug,
    },
}

/// A person to make.
#[derive(Debug, Serialize, Deserialize)]
pub struct Create {
    /// Whose directory.
    pub tenant: TenantSlug,
    /// User name.
    pub user_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Name for display.
    pub display_name: Option<String>,
    /// Roles given directly.
    pub roles: Vec<String>,
    /// The password of a local account; none makes a person who signs in through an idp.
    pub password: Option<Secret>,
    /// The password must be changed at the first sign-in.
    pub must_change: bool,
}

/// A token of a SCIM client to make.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateToken {
    /// Whose directory it opens.
    pub tenant: TenantSlug,
    /// What it is called; none calls it by its id.
    pub name: Option<String>,
    /// How long it is good, seconds; none is for ever.
    pub expires_seconds: Option<u64>,
    /// The only roles it may give; none is any.
    pub roles: Option<Vec<String>>,
}

/// Which entries of the audit chain.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only of this person, by the user name at that time.
    pub user: Option<String>,
    /// Only actions that start so.
    pub action: Option<String>,
    /// Only entries numbered below this.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// Which sessions end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Which {
    /// The one with this public id.
    #[serde(default)]
    pub id: Option<String>,
    /// All of this person in `tenant`, by name or id.
    #[serde(default)]
    pub user: Option<String>,
    /// All that this session of `idp` started.
    #[serde(default)]
    pub idp_session: Option<String>,
    /// The idp that `idp_session` is of.
    #[serde(default)]
    pub idp: Option<IdpName>,
    /// Alone: all of this tenant.
    #[serde(default)]
    pub tenant: Option<TenantSlug>,
}

/// One answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was asked for.
    Ok(Value),
    /// Why not, for the operator.
    Error {
        /// Stable word, for scripts.
        code: String,
        /// What to read.
        text: String,
    },
}

impl Answer {
    /// A refusal or failure.
    pub fn error(code: &str, text: impl Into<String>) -> Self {
        Self::Error {
            code: code.to_owned(),
            text: text.into(),
        }
    }
}
