//! `UserInfo`: claims that the ID token lacks, of the same person (Core 5.3).

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{Request, StatusCode};
use openidconnect::AccessToken;
use serde_json::{Map, Value};
use url::Url;

use crate::outbound::{Outbound, OutboundError};

/// Longest answer that is taken, bytes; it is kept with the session.
const MAX: usize = 128 * 1024;

/// Why `UserInfo` brought nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum UserInfoError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("userinfo request cannot be made")]
    Request(#[from] http::Error),
    #[error("userinfo was answered with status {0}")]
    Status(StatusCode),
    #[error("userinfo is larger than {MAX} bytes")]
    TooLarge,
    #[error("userinfo cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("userinfo is of another person")]
    Subject,
}

/// Claims of the person whom the ID token proved.
#[derive(Debug)]
pub(super) struct VerifiedUserInfo(Map<String, Value>);

impl VerifiedUserInfo {
    pub(super) fn into_claims(self) -> Map<String, Value> {
        self.0
    }
}

/// Asks for more claims of `subject`.
pub(super) async fn fetch(
    outbound: &Outbound,
    endpoint: &Url,
    token: &AccessToken,
    subject: Option<&str>,
) -> Result<VerifiedUserInfo, UserInfoError> {
    let request = Request::get(endpoint.as_str())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {}", token.secret()))
        .body(Bytes::new())?;
    let answer = outbound.call(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(UserInfoError::Status(answer.status()));
    }
    if answer.body().len() > MAX {
        return Err(UserInfoError::TooLarge);
    }
    let claims: Map<String, Value> = serde_json::from_slice(answer.body())?;
    // Core 5.3.2: the same `sub`, or these are somebody else's claims.
    let theirs = claims.get("sub").and_then(Value::as_str);
    if theirs.is_none() || theirs != subject {
        return Err(UserInfoError::Subject);
    }
    Ok(VerifiedUserInfo(claims))
}
