//! Provisioning from outside: what clients send, what the app then sees, and who is out.

mod access;
mod attributes;
mod bad_input;
mod canaille;
mod errors;
mod identity;
mod lifecycle;
mod lists;
mod operated;
mod replayed;
mod tenants;

use std::path::PathBuf;

use serde_json::Value;

use crate::oidc::idp_settings;
use crate::support::{Answer, OidcIdp, Sidegate, UpstreamApp};

/// An app, an idp that signs people in, and us between them.
struct World {
    app: UpstreamApp,
    idp: OidcIdp,
    gate: Sidegate,
}

impl World {
    async fn start(settings: &str) -> Self {
        let app = UpstreamApp::start().await;
        let idp = OidcIdp::start(&[]).await;
        let gate = Sidegate::start(&app.url(), &idp_settings("corp", &idp, settings)).await;
        idp.trust(&gate.url(), "corp").await;
        Self { app, idp, gate }
    }
}

/// No app is reached.
const NO_APP: &str = "http://127.0.0.1:9";
/// Somebody must be able to sign in.
const LOCAL: &str = "local.enabled = true\nlocal.bcrypt_cost = 4\n";

/// Us alone: nobody signs in.
async fn gate(settings: &str) -> Sidegate {
    Sidegate::start(NO_APP, &format!("{LOCAL}{settings}")).await
}

/// The same with the state of an earlier one.
async fn gate_in(folder: PathBuf, settings: &str) -> Sidegate {
    Sidegate::start_in(folder, NO_APP, &format!("{LOCAL}{settings}")).await
}

/// Fails unless it is an error in SCIM's form with this status; gives its `detail`.
pub fn refused(answer: &Answer, status: u16, what: &str) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{what}: {text}");
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/scim+json"), "{what}: {text}");
    let error: Value = answer.json();
    let schemas = &error["schemas"];
    assert_eq!(
        schemas[0], "urn:ietf:params:scim:api:messages:2.0:Error",
        "{what}"
    );
    assert_eq!(error["status"], status.to_string(), "{what}: a text");
    let detail = error["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty(), "{what}: {text}");
    detail.to_owned()
}
