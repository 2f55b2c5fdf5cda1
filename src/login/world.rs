//! A whole sign-in in memory, and a browser for it. For tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};

use super::{BearerCheck, Begin, BeginRequest, Idp, Login, Logout, Pendings, PrepareHeaders};
use crate::audit::{Audit, Event};
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::config::Settings;
use crate::crypto::Passwords;
use crate::directory::EmbeddedDirectory;
use crate::identity::{IdpKind, IdpName, SignInMethod, TenantSlug, User};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::provision::{Actor, NewUser, Provision};
use crate::secret::Secret;
use crate::session::{EmbeddedSessions, Live, Prepared, Session, Sessions};
use crate::storage::Embedded;
use crate::web::page::Look;
use crate::web::{Origin, RequestPath, Visit, answer};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(super) const PASSWORD: &str = "correct horse";
const ORIGIN: &str = "https://app.test";

pub(super) struct World {
    pub(super) login: Login,
    pub(super) clock: Arc<ManualClock>,
    /// People are gone although their sessions are not yet.
    pub(super) gone: Arc<AtomicBool>,
}

/// An idp that signs nobody in; `entra` can end its session, `okta` cannot.
struct FakeIdp(IdpName, Vec<String>);

struct Headers(Arc<Provision>, Arc<AtomicBool>);

impl World {
    /// With local accounts, and further settings as TOML.
    pub(super) async fn new(idps: &[(&str, &str)], more: &str) -> Self {
        let settings = format!(
            "public_url = '{ORIGIN}'\nupstream.url = 'http://127.0.0.1:1'\nlimits.failed_sign_ins = '3/15m'\n\
             local.bcrypt_cost = 4\n{more}"
        );
        let settings = Arc::new(Settings::parse(&settings).unwrap());
        let metrics = Arc::new(Metrics::new());
        let clock = Arc::new(ManualClock::at(NOW));
        let store = Embedded::in_memory(Arc::clone(&metrics)).unwrap();
        let kept = Arc::new(EmbeddedSessions::new(store.clone()));
        let idle = settings.session.idle;
        let sessions = Sessions::load(kept, clock.clone(), Arc::clone(&metrics), idle);
        let sessions = Arc::new(sessions.await.unwrap());
        let year = Duration::from_hours(24 * 365);
        let audit = Arc::new(Audit::new(store.clone(), clock.clone(), None, year).unwrap());
        let provision = Arc::new(Provision::new(
            Arc::new(EmbeddedDirectory::new(store)),
            Arc::clone(&sessions),
            Arc::clone(&audit),
            clock.clone(),
            settings.tenants.clone(),
            settings.groups.clone(),
        ));
        let idp = |(name, domain): &(&str, &str)| -> Arc<dyn Idp> {
            let domains = domain.split_terminator(',').map(str::to_owned).collect();
            Arc::new(FakeIdp(IdpName::try_from(*name).unwrap(), domains))
        };
        let gone = Arc::new(AtomicBool::new(false));
        let login = Login {
            idps: idps.iter().map(idp).collect(),
            pending: Arc::new(Pendings::new(100)),
            kept: Arc::default(),
            throttle: Arc::default(),
            steps: Arc::default(),
            provision: Arc::clone(&provision),
            sessions,
            audit,
            passwords: Arc::new(Passwords::new(4, settings.local.min_length, 2)),
            clock: clock.clone(),
            metrics,
            look: Arc::new(Look::from(&*settings)),
            prepare: Arc::new(Headers(provision, Arc::clone(&gone))),
            settings,
        };
        Self { login, clock, gone }
    }

    /// A person with [`PASSWORD`].
    pub(super) async fn person(
        &self,
        name: &str,
        sign_in: SignInMethod,
        must_change: bool,
    ) -> User {
        let hash = self.login.passwords.hash(&Secret::new(PASSWORD)).await;
        let new = NewUser {
            user_name: name.to_owned(),
            display_name: Some(format!("Display of {name}")),
            sign_in,
            password: (sign_in == SignInMethod::Local).then(|| hash.unwrap()),
            must_change_password: must_change,
            roles: vec!["MEMBER".to_owned()],
            ..NewUser::default()
        };
        let tenant = TenantSlug::default();
        let (provision, actor) = (&self.login.provision, actor());
        provision.create(&tenant, new, &actor).await.unwrap()
    }

    pub(super) async fn deactivate(&self, user: &User) {
        let (provision, actor) = (&self.login.provision, actor());
        let done = provision.set_active(&user.tenant, &user.id, false, &actor);
        done.await.unwrap();
    }

    /// The newest events, newest first, as `action reason user name`.
    pub(super) async fn events(&self, most: usize) -> Vec<String> {
        let show = |event: Event| {
            let reason = event.reason.unwrap_or_default();
            let name = event.user_name.unwrap_or_default();
            format!("{} {reason} {name}", event.action)
        };
        let newest = self.login.audit.newest(most).await.unwrap();
        newest.into_iter().map(|entry| show(entry.event)).collect()
    }

    pub(super) fn browser(&self) -> Browser<'_> {
        Browser {
            world: self,
            cookies: BTreeMap::new(),
            client: "192.0.2.1",
            fields: vec![
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        }
    }
}

pub(super) fn actor() -> Actor {
    Actor {
        name: "cli:uid=0".to_owned(),
        client: None,
        request_id: None,
        ..Actor::default()
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Value of a form's hidden field.
    pub(super) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(mark.as_str()).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// Keeps cookies and says what browsers say.
pub(super) struct Browser<'a> {
    world: &'a World,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) client: &'static str,
    pub(super) fields: Vec<(&'static str, &'static str)>,
}

impl Browser<'_> {
    pub(super) async fn get(&mut self, target: &str) -> Answer {
        self.ask(Method::GET, target, "").await
    }

    pub(super) async fn post(&mut self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let body = body.finish();
        self.ask(Method::POST, page, &body).await
    }

    /// Opens the sign-in page and sends its form.
    pub(super) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let token = self.get("login?again=1").await.hidden("token");
        let fields = [
            ("username", name),
            ("password", password),
            ("token", &token),
        ];
        self.post("login", &fields).await
    }

    pub(super) fn is_signed_in(&self) -> bool {
        self.world
            .login
            .current(&self.visit(Method::GET, "whoami"))
            .is_some()
    }

    pub(super) fn visit(&self, method: Method, target: &str) -> Visit {
        let uri: Uri = format!("/.sidegate/{target}").parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        for (name, value) in &self.cookies {
            headers.append("cookie", format!("{name}={value}").parse().unwrap());
        }
        if method == Method::POST {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.entry("content-type").or_insert(kind);
            headers
                .entry("origin")
                .or_insert(HeaderValue::from_static(ORIGIN));
        }
        Visit {
            path: RequestPath::parse(uri.path()).unwrap(),
            method,
            uri,
            headers,
            origin: Origin {
                client: self.client.parse().ok(),
                https: true,
                host: "app.test".to_owned(),
                port: 443,
                request_id: "request-1".into(),
            },
            now: self.world.clock.now(),
        }
    }

    pub(super) async fn ask(&mut self, method: Method, target: &str, body: &str) -> Answer {
        let visit = self.visit(method, target);
        let rest = visit.path.as_str().strip_prefix("/.sidegate/").unwrap();
        let login = &self.world.login;
        let body = Bytes::copy_from_slice(body.as_bytes());
        let response = login.answer(&visit, rest, body).await;
        let response =
            response.unwrap_or_else(|problem| answer::problem(&problem, &visit, &login.look));
        self.take(response).await
    }

    pub(super) async fn take(&mut self, response: Response<Full<Bytes>>) -> Answer {
        let (head, body) = response.into_parts();
        for set in head.headers.get_all("set-cookie") {
            let cookie = cookie::Cookie::parse(set.to_str().unwrap()).unwrap();
            match cookie.value() {
                "" => self.cookies.remove(cookie.name()),
                value => self
                    .cookies
                    .insert(cookie.name().to_owned(), value.to_owned()),
            };
        }
        #[expect(clippy::disallowed_methods, reason = "an answer of our own, in a test")]
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

#[async_trait]
impl PrepareHeaders for Headers {
    async fn prepare(
        &self,
        live: &Arc<Live>,
        _: Timestamp,
    ) -> Result<Option<Arc<Prepared>>, Problem> {
        if self.1.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let record = &live.record;
        let identity = self
            .0
            .identity(&record.tenant, &record.user, &record.groups);
        let identity = identity.await.map_err(Problem::internal)?;
        let name = HeaderName::from_static("x-forwarded-user");
        Ok(identity.map(|identity| {
            let user = HeaderValue::from_bytes(identity.user.user_name.as_bytes()).unwrap();
            Arc::new(Prepared {
                stamp: live.stamp(),
                settings: 0,
                renew_at: record.absolute_until,
                headers: vec![
                    (name.clone(), user),
                    (name, HeaderValue::from_static("two")),
                ],
                identity: Arc::new(identity),
            })
        }))
    }
}

#[async_trait]
impl Idp for FakeIdp {
    fn name(&self) -> &IdpName {
        &self.0
    }

    fn label(&self) -> &str {
        self.0.as_str()
    }

    fn kind(&self) -> IdpKind {
        IdpKind::Oidc
    }

    fn domains(&self) -> &[String] {
        &self.1
    }

    async fn begin(&self, request: BeginRequest<'_>) -> Result<Begin, Problem> {
        let hint = request.hint.unwrap_or_default();
        let again = request.again;
        Ok(Begin::Redirect(format!(
            "https://{}.test/?hint={hint}&again={again}",
            self.0
        )))
    }

    async fn logout(&self, _: &Session, return_to: &str) -> Logout {
        match self.0.as_str() {
            "entra" => Logout::Redirect(format!("https://entra.test/out?to={return_to}")),
            _ => Logout::Unsupported,
        }
    }

    async fn bearer(&self, _: &str) -> BearerCheck {
        BearerCheck::NotOurs
    }

    async fn answer(
        &self,
        _: &Login,
        _: &Visit,
        _: &str,
        _: Bytes,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        Err(Problem::not_found())
    }

    async fn refresh(&self) {}

    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
