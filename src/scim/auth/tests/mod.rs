//! Every form of a token, and every reason to refuse one, from the head of a request on.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::*;
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::identity::TenantSlug;
use crate::scim::token::{Created, NewToken, Proof};
use crate::storage::Embedded;
use crate::web::{Inbound, Origin, RequestPath};

pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const HOME: &str = "192.0.2.1";

pub(crate) struct World {
    pub(crate) access: Access,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Arc<Metrics>,
}

impl World {
    pub(crate) async fn new(more: &str) -> Self {
        Self::with_entra(more, ENTRA).await
    }

    /// With Entra's keys at this address.
    pub(crate) async fn with_entra(more: &str, entra: &str) -> Self {
        let text = format!(
            "public_url = 'https://app.test'\nupstream.url = 'http://127.0.0.1:1'\nlocal.enabled = true\n\
             limits.failed_sign_ins = '3/15m'\n{more}\n[[tenant]]\nslug = 'default'\n[[tenant]]\nslug = 'acme'\n"
        );
        let settings = Arc::new(Settings::parse(&text).unwrap());
        let metrics = Arc::new(Metrics::new());
        let clock = Arc::new(ManualClock::at(NOON));
        let shared: Arc<dyn Clock> = clock.clone();
        let store = Embedded::in_memory(Arc::clone(&metrics)).unwrap();
        let tokens = Tokens::load_with(store, Arc::clone(&shared), Arc::clone(&metrics), 4);
        let tokens = Arc::new(tokens.await.unwrap());
        let trust = Trust::new(&settings, &shared, entra).unwrap();
        let failures = Arc::default();
        Self {
            access: Access::trusting(trust, &settings, &tokens, &failures, &metrics),
            tokens,
            clock,
            metrics,
        }
    }

    pub(crate) async fn create(&self, tenant: &str, roles: Option<&[&str]>) -> Created {
        let new = NewToken {
            tenant: TenantSlug::try_from(tenant).unwrap(),
            name: Some(format!("{tenant} idp")),
            lifetime: None,
            roles: roles.map(|roles| roles.iter().map(|&role| role.to_owned()).collect()),
        };
        self.tokens.create(new).await.unwrap()
    }

    pub(crate) fn visit(&self, target: &str, client: &str, authorization: &[&str]) -> Visit {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("app.test"));
        for value in authorization {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(AUTHORIZATION, value);
        }
        let peer: Option<IpAddr> = client.parse().ok();
        let inbound = Inbound { peer, tls: true };
        let path = RequestPath::of(&target.parse().unwrap()).unwrap();
        Visit {
            method: Method::GET,
            uri: path.uri(),
            path,
            origin: Origin::read(inbound, &headers, None, &[]).unwrap(),
            headers,
            now: self.clock.now(),
        }
    }

    async fn ask(&self, tenant: &str, authorization: &[&str]) -> Result<ScimClient, Denied> {
        let visit = self.visit("/scim/v2/Users", HOME, authorization);
        self.access.authenticate(&visit, tenant).await
    }

    /// The client's name, or the status.
    async fn told(&self, tenant: &str, authorization: &str) -> String {
        let asked = self.ask(tenant, &[authorization]).await;
        asked.map_or_else(
            |denied| denied.error.status.as_str().to_owned(),
            |client| client.name().to_owned(),
        )
    }

    pub(crate) fn refused(&self) -> String {
        let text = self.metrics.to_text();
        let lines = text.lines().filter_map(|line| {
            let kind = line.strip_prefix("sidegate_scim_refused_total{kind=\"")?;
            Some(kind.replace("\"}", ""))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines.join(", ")
    }
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[tokio::test]
async fn every_form_of_a_token_is_understood() {
    let world = World::new("limits.exempt_networks = ['192.0.2.0/24']").await;
    let made = world.create("acme", None).await;
    let (whole, secret, id) = (
        made.whole.expose(),
        made.secret.expose(),
        made.token.id.as_str(),
    );
    let shown = Shown::Token(whole);
    let acme = TenantSlug::try_from("acme").unwrap();
    let verified = world.tokens.verify(shown, Some(&acme)).await.unwrap();
    let (access, _) = world.tokens.issue(Proof::Token(&verified)).await.unwrap();
    let access = access.expose();
    let no_padding = format!("basic {}", STANDARD_NO_PAD.encode(format!("x:{whole}")));
    for (name, authorization, want) in [
        ("Bearer", format!("Bearer {whole}"), "acme idp"),
        ("bearer", format!("bearer {whole}"), "acme idp"),
        ("BEARER", format!("BEARER   {whole}"), "acme idp"),
        ("tab", format!("Bearer\t{whole} "), "acme idp"),
        ("twice", format!("Bearer Bearer {whole}"), "acme idp"),
        ("bare", whole.to_owned(), "acme idp"),
        ("bare with blanks", format!("  {whole}  "), "acme idp"),
        ("access token", format!("Bearer {access}"), "acme idp"),
        ("bare access token", access.to_owned(), "acme idp"),
        (
            "Basic, anything and token",
            basic(&format!("anything:{whole}")),
            "acme idp",
        ),
        (
            "Basic, nothing and token",
            basic(&format!(":{whole}")),
            "acme idp",
        ),
        (
            "Basic, pasted token",
            basic(&format!("x: {whole}\n")),
            "acme idp",
        ),
        (
            "Basic, token and nothing",
            basic(&format!("{whole}:")),
            "acme idp",
        ),
        ("Basic, token alone", basic(whole), "acme idp"),
        (
            "Basic, access token",
            basic(&format!("x:{access}")),
            "acme idp",
        ),
        (
            "Basic, name and secret",
            basic(&format!("acme idp:{secret}")),
            "acme idp",
        ),
        (
            "Basic, id and secret",
            basic(&format!("{id}:{secret}")),
            "acme idp",
        ),
        (
            "Basic, id and token",
            basic(&format!("{id}:{whole}")),
            "acme idp",
        ),
        ("Basic without padding, small", no_padding, "acme idp"),
        ("Basic, wrong secret", basic(&format!("{id}:x")), "401"),
        ("Basic, secret alone", basic(&format!(":{secret}")), "401"),
        ("Basic, no base64", "Basic !!!".to_owned(), "401"),
        (
            "Basic, no text",
            format!("Basic {}", STANDARD.encode([0xff, 0xfe])),
            "401",
        ),
        ("Basic, nothing", "Basic ".to_owned(), "401"),
        ("Bearer, nothing", "Bearer ".to_owned(), "401"),
        ("nothing", String::new(), "401"),
        ("secret alone", format!("Bearer {secret}"), "401"),
        ("Digest", format!("Digest {whole}"), "401"),
        ("not ASCII", format!("Bearer {whole}é"), "401"),
        ("unknown access token", format!("Bearer {access}x"), "401"),
        (
            "JWT",
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".to_owned(),
            "401",
        ),
    ] {
        assert_eq!(world.told("acme", &authorization).await, want, "{name}");
    }
}

#[tokio::test]
async fn a_client_is_shut_out_of_every_other_tenant_as_of_none() {
    let world = World::new("limits.exempt_networks = ['192.0.2.0/24']").await;
    let made = world.create("acme", None).await;
    let right = format!("Bearer {}", made.whole.expose());
    let client = world.ask("acme", &[&right]).await.unwrap();
    assert_eq!(client.tenant().as_str(), "acme");
    assert_eq!(client.credential(), made.token.id);
    let actor = client.actor(&world.visit("/", HOME, &[]));
    assert_eq!(actor.name, "scim:acme idp");
    let mut answers = Vec::new();
    for (tenant, authorization) in [
        ("default", right.as_str()),
        ("nowhere", &right),
        ("ACME", &right),
        ("", &right),
        ("acme", "Bearer sgt_000000000000_x"),
        ("nowhere", "Bearer sgt_000000000000_x"),
        ("acme", "Bearer x"),
    ] {
        let denied = world.ask(tenant, &[authorization]).await.unwrap_err();
        answers.push(format!("{:?} {}", denied.challenge, denied.error.to_json()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    insta::assert_snapshot!(answers[0], @r#"Some("Bearer realm=\"SCIM\", error=\"invalid_token\"") {"detail":"The token is not valid for this address. Check that all of it was pasted, that it is of this tenant, and that it was neither revoked nor has expired.","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401"}"#);
    world.tokens.revoke(None, &made.token.id).await.unwrap();
    let denied = world.ask("acme", &[&right]).await.unwrap_err();
    let cause = denied.error.cause().unwrap().causes();
    assert_eq!(
        cause,
        format!("token {} is revoked", made.token.id),
        "for the log"
    );
    assert!(!denied.error.to_json().to_string().contains(&made.token.id));
    assert_eq!(world.refused(), "revoked 1, tenant 4, unknown 3");
}

#[tokio::test]
async fn one_token_in_one_place() {
    let world = World::new("").await;
    let made = world.create("default", None).await;
    let whole = made.whole.expose();
    let right = format!("Bearer {whole}");
    let in_query = format!("/scim/v2/Users?count=1&access_token={whole}");
    let escaped = format!("/scim/v2/Users?access%5Ftoken={whole}");
    for (name, target, authorization, want) in [
        ("none", "/scim/v2/Users", &[][..], "no token was shown"),
        (
            "two",
            "/scim/v2/Users",
            &[&*right, &*right],
            "Authorization stands twice",
        ),
        (
            "in the query",
            &in_query,
            &[],
            "a token stands in the query",
        ),
        (
            "in the query, escaped",
            &escaped,
            &[],
            "a token stands in the query",
        ),
        (
            "in both",
            &in_query,
            &[&right],
            "a token stands in the query",
        ),
    ] {
        let visit = world.visit(target, HOME, authorization);
        let denied = world
            .access
            .authenticate(&visit, "default")
            .await
            .unwrap_err();
        assert_eq!(denied.error.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(denied.challenge.unwrap(), "Bearer realm=\"SCIM\"", "{name}");
        assert_eq!(denied.error.cause().unwrap().causes(), want, "{name}");
    }
    let other = format!("/scim/v2/Users?filter=x&token={whole}");
    let visit = world.visit(&other, HOME, &[&right]);
    world.access.authenticate(&visit, "default").await.unwrap();
}

#[tokio::test]
async fn r53_a_client_gives_only_the_roles_of_its_token() {
    let world = World::new("").await;
    for (roles, may) in [
        (None, [true, true]),
        (Some(&["MEMBER"][..]), [true, false]),
        (Some(&[][..]), [false, false]),
    ] {
        let made = world.create("default", roles).await;
        let right = format!("Bearer {}", made.whole.expose());
        let client = world.ask("default", &[&right]).await.unwrap();
        let gives = ["MEMBER", "ADMIN"].map(|role| client.may_give(role));
        assert_eq!(gives, may, "{roles:?}");
        assert!(
            !roles.is_some_and(|_| client.may_give("member")),
            "byte for byte"
        );
        assert_eq!(
            client.roles().map(<[String]>::len),
            roles.map(<[&str]>::len)
        );
    }
}

mod limits_tests;
