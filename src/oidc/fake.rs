//! For tests: an issuer on a real socket that can lie.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::Known;
use super::{Oidc, UsedTokens};
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::config::{self, Settings};
pub(super) use crate::crypto::fake::{Signer, forged, hmac, with};
use crate::crypto::{random_token, sha256};
use crate::identity::{ClaimedGroups, IdpKind, IdpName, TenantSlug, UserId};
use crate::login::{Pending, ReturnTo};
use crate::metrics::Metrics;
pub(super) use crate::outbound::fake::Answer;
use crate::outbound::fake::FakeServer;
use crate::secret::Secret;
use crate::session::{Claims, Session};

/// When every test happens.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The issuer.
pub(super) struct FakeIdp {
    server: FakeServer,
    folder: PathBuf,
    /// Shared by its relying parties, as by those of one process.
    used: UsedTokens,
}

impl Deref for FakeIdp {
    type Target = FakeServer;

    fn deref(&self) -> &FakeServer {
        &self.server
    }
}

impl Drop for FakeIdp {
    fn drop(&mut self) {
        // Not there when nobody asked.
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

impl FakeIdp {
    /// Listens, and answers discovery and keys well.
    pub(super) async fn start(keys: &[&Signer]) -> Self {
        let server = FakeServer::start().await;
        let folder = std::env::temp_dir().join(format!("sidegate-oidc-{}", random_token()));
        let used = UsedTokens::default();
        let fake = Self {
            server,
            folder,
            used,
        };
        fake.set(
            "/.well-known/openid-configuration",
            Answer::Json(fake.document(&json!({}))),
        );
        fake.publish(keys);
        fake
    }

    pub(super) fn document(&self, changes: &Value) -> Value {
        let url = &self.url;
        let mut document = json!({
            "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
            "userinfo_endpoint": format!("{url}/userinfo"), "end_session_endpoint": format!("{url}/end"),
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "HS256", "none"],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        document
    }

    /// What a good ID token for [`pending`] says.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.url, "sub": "sub-1", "aud": "sidegate", "nonce": "the-nonce", "sid": "their-session",
            "iat": NOON.as_secs(), "exp": NOON.plus(Duration::from_mins(5)).as_secs(),
            "preferred_username": "zoë.o’neil@例え.jp", "email": "zoe@example.com", "email_verified": true,
            "name": "Zoë O’Neil", "groups": ["équipe, \"quoted\"", "staff"],
        })
    }

    /// The token endpoint answers with this ID token.
    pub(super) fn grant(&self, id_token: &str) {
        self.set(
            "/token",
            Answer::Json(
                json!({ "access_token": "at-1", "token_type": "Bearer", "id_token": id_token }),
            ),
        );
    }

    pub(super) fn relying_party(&self) -> (Oidc, Arc<ManualClock>) {
        self.relying_party_at(&self.scratch(), "client_secret = \"the secret\"")
    }

    /// A relying party of this issuer that knows nothing yet but what its folder holds.
    pub(super) fn relying_party_at(&self, folder: &Path, more: &str) -> (Oidc, Arc<ManualClock>) {
        let text = format!(
            "public_url = \"https://app.test\"\n[upstream]\nurl = \"http://127.0.0.1:1\"\n[[idp]]\nname = \"one\"\n\
             kind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"sidegate\"\n{more}\n",
            self.url
        );
        let settings = Settings::parse(&text).unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let shared: Arc<dyn Clock> = clock.clone();
        let metrics = Arc::new(Metrics::new());
        let idp = settings.idps.first().unwrap();
        let config::Protocol::Oidc(oidc) = &idp.protocol else {
            panic!("not oidc");
        };
        (
            Oidc::new(&settings, idp, oidc, folder, &shared, &metrics, &self.used).unwrap(),
            clock,
        )
    }

    /// A folder of one relying party's own; goes with the issuer.
    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join(random_token())
    }

    pub(super) async fn known(&self) -> Arc<Known> {
        let (rp, _) = self.relying_party();
        rp.provider.current().await.unwrap()
    }
}

/// A sign-in that was begun at noon.
pub(super) fn pending() -> Pending {
    Pending {
        handle: "the-state".to_owned(),
        browser: sha256(b"browser"),
        idp: IdpName::try_from("one").unwrap(),
        nonce: "the-nonce".to_owned(),
        verifier: Secret::new("v".repeat(43)),
        origin: "https://app.test".to_owned(),
        return_to: ReturnTo::root(),
        host: "app.test".to_owned(),
        client: None,
        begun: NOON,
        again: false,
        replaces: None,
    }
}

/// A session of somebody who came by this idp.
pub(super) fn session() -> Session {
    Session {
        id: "s-1".to_owned(),
        key: sha256(b"token"),
        host: "app.test".to_owned(),
        tenant: TenantSlug::default(),
        user: UserId::random(),
        idp: IdpName::try_from("one").unwrap(),
        kind: IdpKind::Oidc,
        subject: "sub-1".to_owned(),
        name_id: None,
        idp_session: None,
        id_token: None,
        groups: ClaimedGroups::Silent,
        claims: Claims::default(),
        created: NOON,
        authenticated_at: NOON,
        last_seen: NOON,
        absolute_until: NOON,
        client: None,
        user_agent: String::new(),
        app_cookies: Vec::new(),
    }
}
