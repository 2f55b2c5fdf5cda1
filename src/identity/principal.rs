//! What an idp proved at one sign-in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::IdpName;
use crate::clock::Timestamp;

/// How an idp speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdpKind {
    /// OpenID Connect Core 1.0.
    Oidc,
    /// SAML 2.0.
    Saml,
    /// Accounts with a password of ours.
    Local,
}

impl IdpKind {
    /// The word in `whoami`, logs and listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Saml => "saml",
            Self::Local => "local",
        }
    }
}

/// What the idp said of the person's groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimedGroups {
    /// The idp sends no groups.
    #[default]
    Silent,
    /// These, all of them.
    Known(Vec<String>),
    /// There are more than the idp puts into a token (Entra's overage); none is known.
    TooMany,
}

/// A person as one idp proved it at one sign-in. Made only by `oidc`, `saml` and local sign-in.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Which configured idp.
    pub idp: IdpName,
    /// How that idp speaks.
    pub kind: IdpKind,
    /// Stable identifier at the idp, made unique by its issuer: the link's second half.
    /// `iss` and `sub` for OIDC, `tid` and `oid` for Entra (R32).
    pub link_subject: String,
    /// What the idp calls the person in its protocol (`sub`; the SAML NameID is in `name_id`).
    pub subject: String,
    /// SAML NameID as sent.
    pub name_id: Option<String>,
    /// User name for the match and for a record made at the first sign-in.
    pub user_name: String,
    /// E-mail address; only the idp's word.
    pub email: Option<String>,
    /// Whether the idp says that it verified the address.
    pub email_verified: bool,
    /// For a match on `externalId`: Entra's `oid` / objectidentifier, else the subject.
    pub external_id: Option<String>,
    /// Name for display.
    pub display_name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Groups as the idp names them.
    pub groups: ClaimedGroups,
    /// The idp's session (`sid`; SAML `SessionIndex`), for logout from there.
    pub idp_session: Option<String>,
    /// When the person proved who they are at the idp, for `max_auth_age`.
    pub authenticated_at: Timestamp,
    /// Our session must end then (SAML `SessionNotOnOrAfter`).
    pub session_ends: Option<Timestamp>,
    /// All claims as sent, for header templates (`claims.…`).
    pub claims: Map<String, Value>,
    /// The ID token as received, the hint for RP-initiated logout.
    pub id_token: Option<crate::secret::Secret>,
}
