//! One call of a SCIM client whose token was verified.

use std::sync::Arc;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, StatusCode};

use super::ScimError;
use super::auth::ScimClient;
use super::render::{Base, etag};
use crate::identity::TenantSlug;
use crate::provision::Actor;

/// Longest `ActivityId` that is kept, bytes.
const MAX_ACTIVITY: usize = 128;

/// Who calls, where resources say they are, and which versions are expected.
#[derive(Debug)]
pub(super) struct Call {
    client: Arc<ScimClient>,
    base: Base,
    actor: Actor,
    if_match: Option<Vec<String>>,
    if_none_match: Option<Vec<String>>,
}

impl Call {
    pub(super) fn new(client: ScimClient, base: Base, actor: Actor, headers: &HeaderMap) -> Self {
        Self {
            client: Arc::new(client),
            base,
            actor,
            if_match: tags(headers, &IF_MATCH),
            if_none_match: tags(headers, &IF_NONE_MATCH),
        }
    }

    /// Whose directory it works on: the token's, and no other.
    pub(super) fn tenant(&self) -> &TenantSlug {
        self.client.tenant()
    }

    pub(super) fn client(&self) -> &ScimClient {
        &self.client
    }

    pub(super) const fn base(&self) -> &Base {
        &self.base
    }

    pub(super) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// `If-Match` (RFC 7644 3.14): the version that a write must find; none when any will do.
    ///
    /// # Errors
    ///
    /// 412: the record has another one.
    pub(super) fn expected(&self, version: u64) -> Result<Option<u64>, ScimError> {
        match &self.if_match {
            None => Ok(None),
            Some(tags) if tags.iter().any(|tag| tag == "*") => Ok(None),
            Some(tags) if names(tags, version) => Ok(Some(version)),
            Some(_) => Err(stale()),
        }
    }

    /// `If-None-Match`: whether the client has this version.
    pub(super) fn has(&self, version: u64) -> bool {
        let tags = self.if_none_match.as_deref().unwrap_or_default();
        tags.iter().any(|tag| tag == "*") || names(tags, version)
    }

    /// The same call for one operation of a bulk request, which says itself what version it expects.
    pub(super) fn expecting(&self, version: Option<&str>) -> Self {
        Self {
            client: Arc::clone(&self.client),
            base: self.base.clone(),
            actor: self.actor.clone(),
            if_match: version.map(|version| vec![version.to_owned()]),
            if_none_match: None,
        }
    }
}

/// 412: the record changed.
pub(super) fn stale() -> ScimError {
    ScimError::new(
        StatusCode::PRECONDITION_FAILED,
        "the resource changed: its version is not the one in If-Match",
    )
}

/// `ActivityId` of Entra ID, for the audit; other letters than of an identifier are dropped.
pub(super) fn activity_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("activityid")?.to_str().ok()?;
    let letters = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let id: String = letters.take(MAX_ACTIVITY).collect();
    (!id.is_empty()).then_some(id)
}

/// Compared weakly: `W/` does not matter (RFC 9110 8.8.3.2).
fn names(tags: &[String], version: u64) -> bool {
    let ours = etag(version);
    let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    tags.iter().any(|tag| bare(tag) == bare(&ours))
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    if values.is_empty() {
        return None;
    }
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    let tags = texts.flat_map(|text| text.split(','));
    Some(tags.map(|tag| tag.trim().to_owned()).collect())
}
