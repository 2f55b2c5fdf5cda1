//! From verified claims to a principal.

use serde_json::{Map, Value};
use url::Url;

use super::jws::VerifiedAccessToken;
use super::userinfo::VerifiedUserInfo;
use super::verify::VerifiedIdToken;
use crate::clock::Timestamp;
use crate::config::Attributes;
use crate::identity::{ClaimedGroups, IdpKind, IdpName, Principal};
use crate::problem::Problem;

/// Hosts of Entra's issuers: its `sub` differs from app to app, `tid` and `oid` do not.
const ENTRA: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
];
/// A longer ID token is no hint for the idp's sign-out: the address would be one that servers refuse (431, 414).
const MAX_HINT: usize = 4096;
/// More groups than any token lists.
const MAX_GROUPS: usize = 10_000;

/// Why claims make no principal.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimsError {
    /// No `sub`, or not a text of at most 255 bytes (Core 2).
    #[error("token holds no usable sub")]
    Subject,
    /// None of the claims that are configured for the user name is there.
    #[error("token holds none of the claims configured for the user name: {0}")]
    UserName(String),
}

impl From<ClaimsError> for Problem {
    fn from(error: ClaimsError) -> Self {
        Self::forbidden(
            "sign_in.claim",
            "Your sign-in service did not send the details that are needed here. Ask for them to be added to its settings.",
        )
        .because(error)
    }
}

/// Which idp's claims these are, and which of them hold what.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) idp: IdpName,
    pub(super) attributes: Attributes,
}

impl Mapping {
    /// The person whom an ID token proves, with what `UserInfo` added.
    pub(super) fn principal(
        &self,
        token: VerifiedIdToken,
        more: Option<VerifiedUserInfo>,
        now: Timestamp,
    ) -> Result<Principal, ClaimsError> {
        // Without `auth_time` nobody knows when the person last typed a password: rules with `max_auth_age` ask again.
        let authenticated_at = token.auth_time().unwrap_or_default().min(now);
        let (mut claims, raw) = token.into_parts();
        if let Some(more) = more {
            for (name, value) in more.into_claims() {
                // What is signed comes first.
                claims.entry(name).or_insert(value);
            }
        }
        let mut principal = self.read(claims)?;
        principal.authenticated_at = authenticated_at;
        principal.id_token = Some(raw).filter(|raw| raw.expose().len() <= MAX_HINT);
        Ok(principal)
    }

    /// The person for whom an access token was made.
    pub(super) fn bearer(
        &self,
        token: VerifiedAccessToken,
        now: Timestamp,
    ) -> Result<Principal, ClaimsError> {
        let mut principal = self.read(token.into_claims())?;
        let auth_time = principal.claims.get("auth_time").and_then(Value::as_u64);
        principal.authenticated_at = Timestamp::from_secs(auth_time.unwrap_or_default()).min(now);
        Ok(principal)
    }

    /// Whether `UserInfo` could add something that is configured and not there.
    pub(super) fn incomplete(&self, claims: &Map<String, Value>) -> bool {
        let a = &self.attributes;
        let lacks = |names: &[String]| {
            !names.is_empty() && !names.iter().any(|name| find(claims, name).is_some())
        };
        let first = a.user_name.iter().find(|name| text(claims, name).is_some());
        let only_sub = first.is_none_or(|name| name == "sub") && a.user_name.len() > 1;
        let no_groups = lacks(&a.groups) && !overage(claims, &a.groups);
        only_sub || lacks(&a.email) || lacks(&a.display_name) || no_groups
    }

    fn read(&self, claims: Map<String, Value>) -> Result<Principal, ClaimsError> {
        let a = &self.attributes;
        let first = |names: &[String]| names.iter().find_map(|name| text(&claims, name));
        let subject = text(&claims, "sub")
            .filter(|sub| sub.len() <= 255)
            .ok_or(ClaimsError::Subject)?;
        let user_name =
            first(&a.user_name).ok_or_else(|| ClaimsError::UserName(a.user_name.join(", ")))?;
        let email = a
            .email
            .iter()
            .find_map(|name| text(&claims, name).map(|value| (name, value)));
        Ok(Principal {
            idp: self.idp.clone(),
            kind: IdpKind::Oidc,
            link_subject: link_subject(&claims, &subject),
            subject,
            name_id: None,
            user_name,
            // R32: the idp's word is about the claim `email`; an address from another claim is nobody's word.
            email_verified: email.as_ref().is_some_and(|(name, _)| *name == "email")
                && verified(&claims),
            email: email.map(|(_, value)| value),
            external_id: first(&a.external_id),
            display_name: first(&a.display_name),
            given_name: first(&a.given_name),
            family_name: first(&a.family_name),
            groups: groups(&claims, &a.groups),
            idp_session: text(&claims, "sid"),
            authenticated_at: Timestamp::default(),
            session_ends: None,
            id_token: None,
            claims,
        })
    }
}

/// R32: `iss` and `sub` name one person for ever; Entra's `tid` and `oid` do so across apps. An e-mail address never does.
fn link_subject(claims: &Map<String, Value>, subject: &str) -> String {
    let issuer = text(claims, "iss").unwrap_or_default();
    if let (Some(tenant), Some(object)) = (text(claims, "tid"), text(claims, "oid")) {
        let host = Url::parse(&issuer).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let part = |part: &str| part == tenant;
        // The tenant must be the issuer's own: one that only the token names could be anybody's.
        if issuer.split('/').any(part) && (ENTRA.contains(&host) || tenant.len() == 36) {
            return format!("entra:{tenant}:{object}");
        }
    }
    // An issuer has no fragment (Core 2), so the first # ends it.
    format!("{issuer}#{subject}")
}

fn verified(claims: &Map<String, Value>) -> bool {
    let yes = |name: &str| match claims.get(name) {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(text)) => text == "true" || (name == "xms_edov" && text == "1"),
        Some(Value::Number(number)) => name == "xms_edov" && number.as_u64() == Some(1),
        _ => false,
    };
    yes("email_verified") || yes("xms_edov")
}

fn groups(claims: &Map<String, Value>, names: &[String]) -> ClaimedGroups {
    let found = names.iter().find_map(|name| find(claims, name));
    match found {
        // A part of the groups would take roles away; the directory or nobody answers then.
        _ if overage(claims, names) => ClaimedGroups::TooMany,
        Some(Value::Array(all)) if all.len() > MAX_GROUPS => ClaimedGroups::TooMany,
        Some(Value::Array(all)) => {
            let names = all.iter().filter_map(Value::as_str);
            ClaimedGroups::Known(names.filter(|n| !n.is_empty()).map(str::to_owned).collect())
        }
        Some(Value::String(one)) if one.is_empty() => ClaimedGroups::Known(Vec::new()),
        Some(Value::String(one)) => ClaimedGroups::Known(vec![one.clone()]),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            ClaimedGroups::Silent
        }
    }
}

/// Entra's sign that there are too many groups for the token (over 200 in a JWT).
fn overage(claims: &Map<String, Value>, names: &[String]) -> bool {
    let distributed = claims.get("_claim_names").and_then(Value::as_object);
    let elsewhere = |name: &String| distributed.is_some_and(|its| its.contains_key(name));
    let flag = claims.get("hasgroups");
    let has = flag.is_some_and(|f| f.as_bool() == Some(true) || f.as_str() == Some("true"));
    names.iter().any(elsewhere) || (has && names.iter().any(|name| name == "groups"))
}

/// A claim by its whole name, else by a path such as `realm_access.roles`.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// A text, or a number as text; the first of several. An empty one is none.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let value = find(claims, name)?;
    let value = value.as_array().map_or(Some(value), |all| all.first())?;
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
