//! What listings show: never a password, a token or a hash of one (R55). Times are RFC 3339 in UTC.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::{Entry, Event, Verdict};
use crate::identity::{Group, IdpName, Link, ManagedBy, SignInMethod, TenantSlug, User};
use crate::provision::{Conflict, Outcome, RoleFrom, RoleSource};
use crate::session::Live;

/// A part of a listing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to ask with for the rows after these; none at the end.
    pub next: Option<String>,
}

/// A person in a listing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRow {
    /// Ours.
    pub id: String,
    /// User name.
    pub user_name: String,
    /// Name for display.
    pub display_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether they are let in.
    pub active: bool,
    /// How they sign in.
    pub sign_in: SignInMethod,
    /// A local account whose password must be changed.
    pub must_change_password: bool,
    /// Who keeps the record.
    pub managed_by: ManagedBy,
    /// The SCIM client's identifier.
    pub external_id: Option<String>,
    /// What the app is told they may do, as the directory alone has it; none while inactive.
    pub roles: Vec<String>,
    /// Where each of them comes from.
    pub roles_from: Vec<RoleRow>,
    /// When it was made.
    pub created: String,
    /// When it last changed.
    pub modified: String,
}

/// A role, and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleRow {
    /// The role.
    pub role: String,
    /// `roles.attribute`, `group NAME`, or `default`.
    pub from: String,
}

impl From<RoleSource> for RoleRow {
    fn from(source: RoleSource) -> Self {
        Self {
            role: source.role.0,
            from: match source.from {
                RoleFrom::Attribute(path) => path,
                RoleFrom::Group(name) => format!("group {name}"),
                RoleFrom::Default => "default".to_owned(),
            },
        }
    }
}

impl UserRow {
    pub(super) fn of(user: &User, roles: Vec<RoleSource>) -> Self {
        Self {
            id: user.id.to_string(),
            user_name: user.user_name.clone(),
            display_name: user.display_name(),
            email: user.email().map(str::to_owned),
            active: user.active,
            sign_in: user.sign_in,
            must_change_password: user.must_change_password,
            managed_by: user.managed_by,
            external_id: user.external_id.clone(),
            roles: roles.iter().map(|its| its.role.0.clone()).collect(),
            roles_from: roles.into_iter().map(RoleRow::from).collect(),
            created: user.created.to_rfc3339(),
            modified: user.modified.to_rfc3339(),
        }
    }
}

/// A person in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserDetails {
    /// As in the listing.
    #[serde(flatten)]
    pub row: UserRow,
    /// Display names of their groups.
    pub groups: Vec<String>,
    /// Which principals are tied to the record.
    pub links: Vec<Link>,
    /// All other attributes.
    pub attributes: Map<String, Value>,
    /// Their live sessions.
    pub sessions: Vec<SessionRow>,
    /// What the audit has of them, newest first; the last 20 entries.
    pub history: Vec<AuditRow>,
}

/// What becomes of a person of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportedRow {
    /// User name.
    pub user_name: String,
    /// What is done; none where it is refused.
    pub outcome: Option<Outcome>,
    /// Why it is refused.
    pub conflict: Option<String>,
}

/// A sign-in that was refused because of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConflictRow {
    /// Who vouched.
    pub idp: IdpName,
    /// The idp's word for the person.
    pub subject: String,
    /// User name as the idp says it.
    pub user_name: String,
    /// Why not.
    pub why: String,
    /// User names of the records that fit.
    pub records: Vec<String>,
    /// How often since the start.
    pub times: u64,
    /// The last time.
    pub last: String,
}

impl From<Conflict> for ConflictRow {
    fn from(conflict: Conflict) -> Self {
        Self {
            idp: conflict.idp,
            subject: conflict.subject,
            user_name: conflict.user_name,
            why: conflict.why.to_owned(),
            records: conflict.records,
            times: conflict.times,
            last: conflict.last.to_rfc3339(),
        }
    }
}

/// What became of a person who was made or changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangedUser {
    /// As they are now; none after a deletion.
    pub user: Option<UserRow>,
    /// What the operator should know besides.
    pub notes: Vec<String>,
}

/// A group in a listing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRow {
    /// Ours.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// The SCIM client's identifier.
    pub external_id: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it last changed.
    pub modified: String,
}

impl From<&Group> for GroupRow {
    fn from(group: &Group) -> Self {
        Self {
            id: group.id.to_string(),
            display_name: group.display_name.clone(),
            external_id: group.external_id.clone(),
            created: group.created.to_rfc3339(),
            modified: group.modified.to_rfc3339(),
        }
    }
}

/// A group in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupDetails {
    /// As in the listing.
    #[serde(flatten)]
    pub row: GroupRow,
    /// User names of the first members.
    pub members: Vec<String>,
    /// There are more than these.
    pub more: bool,
}

/// A live session in a listing. Its id is public: it tells nothing about the cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionRow {
    /// Public id, for `session revoke --id`.
    pub id: String,
    /// Whose directory the person is in.
    pub tenant: TenantSlug,
    /// The person's id.
    pub user: String,
    /// The person's user name; the id when the record is gone.
    pub user_name: String,
    /// Which idp signed them in.
    pub idp: IdpName,
    /// The idp's session, for `session revoke --idp-session`.
    pub idp_session: Option<String>,
    /// When it started.
    pub created: String,
    /// When the person proved who they are.
    pub authenticated_at: String,
    /// Last use.
    pub last_seen: String,
    /// Its end, whatever happens.
    pub absolute_until: String,
    /// Client address at sign-in.
    pub client: Option<IpAddr>,
    /// `User-Agent` at sign-in.
    pub user_agent: String,
}

impl SessionRow {
    pub(super) fn of(live: &Live, user_name: String) -> Self {
        let record = &live.record;
        Self {
            id: record.id.clone(),
            tenant: record.tenant.clone(),
            user: record.user.to_string(),
            user_name,
            idp: record.idp.clone(),
            idp_session: record.idp_session.clone(),
            created: record.created.to_rfc3339(),
            authenticated_at: record.authenticated_at.to_rfc3339(),
            last_seen: live.last_seen().to_rfc3339(),
            absolute_until: record.absolute_until.to_rfc3339(),
            client: record.client,
            user_agent: record.user_agent.clone(),
        }
    }
}

/// How many sessions ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revoked {
    /// Public ids of those that ended; the first 500.
    pub sessions: Vec<String>,
    /// How many ended, bearer uses among them.
    pub count: usize,
}

/// An entry of the audit chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditRow {
    /// Counts from 1 without gaps.
    pub number: u64,
    /// When.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// What the next entry follows from.
    pub hash: String,
}

impl From<Entry> for AuditRow {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            at: entry.at.to_rfc3339(),
            event: entry.event,
            hash: entry.hash,
        }
    }
}

/// What checking the audit chain found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChainVerdict {
    /// Every entry follows from the one before.
    pub whole: bool,
    /// How many were checked, where it is whole.
    pub entries: Option<u64>,
    /// Number of the first entry that does not follow.
    pub broken_at: Option<u64>,
}

impl From<Verdict> for ChainVerdict {
    fn from(verdict: Verdict) -> Self {
        let (entries, broken_at) = match verdict {
            Verdict::Whole { entries } => (Some(entries), None),
            Verdict::Broken { number } => (None, Some(number)),
        };
        Self {
            whole: broken_at.is_none(),
            entries,
            broken_at,
        }
    }
}
