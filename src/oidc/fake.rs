//! For tests: an issuer on a real socket that can lie, and keys that sign whatever they are given.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::provider::Known;
use super::{Oidc, UsedTokens};
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::config::Settings;
use crate::crypto::{random_token, sha256};
use crate::identity::{ClaimedGroups, IdpKind, IdpName, TenantSlug, UserId};
use crate::login::{Pending, ReturnTo};
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::session::{Claims, Session};

/// When every test happens.
pub(super) const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A private key of an issuer.
pub(super) struct Signer {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    key: EncodingKey,
    pub(super) jwk: Value,
}

impl Signer {
    pub(super) fn rsa(id: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({
            "kty": "RSA", "use": "sig", "kid": id,
            "n": part(public.modulus().big_endian_without_leading_zero()),
            "e": part(public.exponent().big_endian_without_leading_zero()),
        });
        let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair);
        Self::new(
            id,
            Algorithm::RS256,
            // The key itself stands behind 26 bytes of PKCS#8.
            EncodingKey::from_rsa_der(&der.unwrap().as_ref()[26..]),
            jwk,
        )
    }

    pub(super) fn ec(id: &str) -> Self {
        let alg = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::generate(alg).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        let der = pair.to_pkcs8v1().unwrap();
        let key = EncodingKey::from_ec_der(der.as_ref());
        Self::new(id, Algorithm::ES256, key, jwk)
    }

    pub(super) fn ed(id: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x });
        let der = pair.to_pkcs8v1().unwrap();
        let key = EncodingKey::from_ed_der(der.as_ref());
        Self::new(id, Algorithm::EdDSA, key, jwk)
    }

    fn new(id: &str, algorithm: Algorithm, key: EncodingKey, jwk: Value) -> Self {
        Self {
            id: id.to_owned(),
            algorithm,
            key,
            jwk,
        }
    }

    /// Signs with a plain header: `alg`, `kid`, `typ` JWT.
    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_as(claims, |_| {})
    }

    /// Signs with a header of the test's choice.
    pub(super) fn sign_as(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        change(&mut header);
        encode(&header, claims, &self.key).unwrap()
    }
}

/// A token whose header and signature are the test's own words.
pub(super) fn forged(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&message));
    format!("{message}.{signature}")
}

/// `HS256` with the bytes of the public key as the secret.
pub(super) fn hmac(secret: &[u8], message: &str) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message.as_bytes())
        .as_ref()
        .to_vec()
}

/// What one path answers.
#[derive(Clone)]
pub(super) enum Answer {
    Json(Value),
    JsonAs(u16, Value),
    Status(u16),
    RedirectTo(String),
    Bytes(usize),
}

/// The issuer.
pub(super) struct FakeIdp {
    pub(super) url: String,
    pub(super) plan: Arc<Mutex<Plan>>,
    folder: PathBuf,
    /// Shared by its relying parties, as by those of one process.
    used: UsedTokens,
}

impl Drop for FakeIdp {
    fn drop(&mut self) {
        // Not there when nobody asked.
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Default)]
pub(super) struct Plan {
    pub(super) answers: HashMap<String, Answer>,
    pub(super) hits: HashMap<String, usize>,
    pub(super) token_form: String,
    pub(super) authorization: Option<String>,
}

impl FakeIdp {
    /// Listens, and answers discovery and keys well.
    pub(super) async fn start(keys: &[&Signer]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(Plan::default()));
        let served = plan.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = served.clone();
                let service = service_fn(move |request| answer(plan.clone(), request));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        let folder = std::env::temp_dir().join(format!("sidegate-oidc-{}", random_token()));
        let used = UsedTokens::default();
        let fake = Self {
            url,
            plan,
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

    pub(super) fn set(&self, path: &str, answer: Answer) {
        let mut plan = self.plan.lock().unwrap();
        plan.answers.insert(path.to_owned(), answer);
    }

    pub(super) fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        self.set("/jwks", Answer::Json(json!({ "keys": keys })));
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

    pub(super) fn hits(&self, path: &str) -> usize {
        let plan = self.plan.lock().unwrap();
        plan.hits.get(path).copied().unwrap_or_default()
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
        (
            Oidc::new(&settings, idp, folder, &shared, &metrics, &self.used).unwrap(),
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

async fn answer(
    plan: Arc<Mutex<Plan>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get("authorization").cloned();
    let body = crate::web::read(request.into_body(), 65_536, Duration::from_secs(5)).await;
    let chosen = {
        let mut plan = plan.lock().unwrap();
        let hits = plan.hits.entry(path.clone()).or_default();
        *hits = hits.saturating_add(1);
        if path == "/token" {
            plan.token_form = String::from_utf8(body.unwrap().to_vec()).unwrap();
            plan.authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        }
        plan.answers.get(&path).cloned()
    };
    let mut response = Response::new(Full::default());
    match chosen.unwrap_or(Answer::Status(404)) {
        Answer::Json(value) => fill(&mut response, &value),
        Answer::JsonAs(status, value) => {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            fill(&mut response, &value);
        }
        Answer::Status(status) => *response.status_mut() = StatusCode::from_u16(status).unwrap(),
        Answer::RedirectTo(location) => {
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert("location", location.parse().unwrap());
        }
        Answer::Bytes(size) => *response.body_mut() = Full::new(vec![b'['; size].into()),
    }
    Ok(response)
}

fn fill(response: &mut Response<Full<Bytes>>, value: &Value) {
    *response.body_mut() = Full::new(value.to_string().into());
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
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

/// Claims with changes; the word `absent` takes one out.
pub(super) fn with(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
