//! Who is signed in, and what the app is told of them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::Login;
use crate::clock::Timestamp;
use crate::identity::{Identity, IdpKind};
use crate::problem::Problem;
use crate::session::{Live, Prepared};
use crate::web::{Visit, answer};

/// Makes what the app is told of a person; implemented by `proxy`.
#[async_trait]
pub trait PrepareHeaders: Send + Sync {
    /// What was prepared for this session, made anew when it aged; none when the person is gone or inactive.
    ///
    /// # Errors
    ///
    /// The directory failed, or a value cannot be sent to the app.
    async fn prepare(
        &self,
        live: &Arc<Live>,
        now: Timestamp,
    ) -> Result<Option<Arc<Prepared>>, Problem>;
}

impl Login {
    /// JSON about the signed-in person (design, section 3).
    ///
    /// # Errors
    ///
    /// Nobody is signed in; the directory failed.
    pub(super) async fn whoami(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        let nobody = || {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "session.required",
                "Please sign in first.",
            )
        };
        let live = self.current(visit).ok_or_else(nobody)?;
        // R26: who was deactivated a moment ago is nobody.
        let prepared = self.prepare.prepare(&live, visit.now).await?;
        let prepared = prepared.ok_or_else(nobody)?;
        let record = &live.record;
        let idle_until = live.last_seen().plus(self.settings.session.idle);
        let mut idp = json!({
            "name": record.idp.as_str(),
            "kind": record.kind.as_str(),
            "subject": record.subject,
        });
        if let (IdpKind::Saml, Some(name_id), Some(idp)) =
            (record.kind, &record.name_id, idp.as_object_mut())
        {
            idp.insert("name_id".to_owned(), name_id.clone().into());
        }
        let body = json!({
            "user": user(&prepared.identity),
            "tenant": record.tenant.as_str(),
            "roles": prepared.identity.roles,
            "groups": prepared.identity.groups,
            "idp": idp,
            "session": {
                "id": record.id,
                "created": record.created.to_rfc3339(),
                "idle_until": idle_until.min(record.absolute_until).to_rfc3339(),
                "absolute_until": record.absolute_until.to_rfc3339(),
            },
            "headers": headers(&prepared.headers),
        });
        Ok(answer::json(StatusCode::OK, &body))
    }
}

fn user(identity: &Identity) -> Value {
    let user = &identity.user;
    json!({
        "id": user.id.as_str(),
        "userName": user.user_name,
        "displayName": user.display_name(),
        "email": user.email(),
        "active": user.active,
    })
}

/// What the app gets, by name; a field that stands twice is joined as RFC 9110 5.3 reads it.
fn headers(prepared: &[(HeaderName, HeaderValue)]) -> Map<String, Value> {
    let mut shown: Map<String, Value> = Map::new();
    for (name, value) in prepared {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = match shown.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.into_owned(),
        };
        shown.insert(name.as_str().to_owned(), joined.into());
    }
    shown
}
