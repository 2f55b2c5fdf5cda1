//! The token endpoint: every way to authenticate, every error, and what an access token opens.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::*;
use crate::crypto::fake::Signer;
use crate::outbound::fake::{Answer, FakeServer};
use crate::scim::auth::tests::{HOME, NOON, World};
use crate::scim::token::Created;

const EXEMPT: &str = "limits.exempt_networks = ['192.0.2.0/24']";

struct Got {
    status: u16,
    body: Value,
    fields: http::HeaderMap,
    cause: String,
}

impl Got {
    fn word(&self) -> &str {
        self.body["error"].as_str().unwrap_or("token")
    }

    fn token(&self) -> &str {
        self.body["access_token"].as_str().unwrap()
    }
}

async fn post(world: &World, tenant: &str, authorization: Option<&str>, form: &str) -> Got {
    let mut visit = world.visit("/scim/v2/oauth2/token", HOME, &[]);
    visit.method = Method::POST;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    visit.headers.insert(CONTENT_TYPE, kind);
    if let Some(authorization) = authorization {
        let value = HeaderValue::from_str(authorization).unwrap();
        visit.headers.insert(AUTHORIZATION, value);
    }
    send(world, tenant, &visit, form).await
}

async fn send(world: &World, tenant: &str, visit: &Visit, form: &str) -> Got {
    let body = Bytes::copy_from_slice(form.as_bytes());
    let TokenAnswer { response, problem } = world.access.answer_token(visit, tenant, &body).await;
    let (head, mut body) = response.into_parts();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(head.headers[CACHE_CONTROL], "no-store");
    assert_eq!(head.headers[CONTENT_TYPE], "application/json");
    Got {
        status: head.status.as_u16(),
        body: serde_json::from_slice(&frame.into_data().unwrap()).unwrap(),
        fields: head.headers,
        cause: problem.map_or_else(String::new, |problem| problem.causes()),
    }
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

async fn who(world: &World, tenant: &str, token: &str) -> Option<String> {
    let visit = world.visit("/scim/v2/Users", HOME, &[&format!("Bearer {token}")]);
    let client = world.access.authenticate(&visit, tenant).await.ok()?;
    Some(client.actor(&visit).name)
}

#[tokio::test]
async fn clients_authenticate_in_the_header_in_the_body_or_in_both() {
    let world = World::new(EXEMPT).await;
    let made = world.create("acme", None).await;
    let Created {
        token,
        whole,
        secret,
    } = &made;
    let (id, whole, secret) = (token.id.as_str(), whole.expose(), secret.expose());
    let escaped = |text: &str| form_urlencoded(text);
    let grant = "grant_type=client_credentials";
    let post_form = format!("{grant}&client_id={id}&client_secret={secret}");
    let named = format!("{grant}&client_id=ACME+idp&client_secret={secret}");
    for (name, authorization, form, want) in [
        ("body", None, post_form.clone(), "token"),
        (
            "body with scope and more",
            None,
            format!("{post_form}&scope=scim&resource=x&baseAddress=y"),
            "token",
        ),
        (
            "body, whole token",
            None,
            format!("{grant}&client_id={id}&client_secret={whole}"),
            "token",
        ),
        (
            "body, pasted",
            None,
            format!("{grant}&client_id=+{id}&client_secret={secret}%0A"),
            "token",
        ),
        ("body, by name", None, named, "token"),
        (
            "body, id with its prefix",
            None,
            format!("{grant}&client_id=sgt_{id}&client_secret={secret}"),
            "token",
        ),
        ("header", Some(basic(id, secret)), grant.to_owned(), "token"),
        (
            "header, small",
            Some(basic(id, secret).replace("Basic", "basic")),
            grant.to_owned(),
            "token",
        ),
        (
            "header, escaped name",
            Some(basic(&escaped("acme idp"), secret)),
            grant.to_owned(),
            "token",
        ),
        (
            "header, name with a plus",
            Some(basic("acme+idp", secret)),
            grant.to_owned(),
            "token",
        ),
        ("both", Some(basic(id, secret)), post_form.clone(), "token"),
        (
            "header, and the id in the body",
            Some(basic(id, secret)),
            format!("{grant}&client_id={id}"),
            "token",
        ),
        (
            "both, and not the same",
            Some(basic(id, "x")),
            post_form.clone(),
            "invalid_request",
        ),
        (
            "wrong secret",
            None,
            format!("{grant}&client_id={id}&client_secret=x"),
            "invalid_client",
        ),
        (
            "wrong secret in the header",
            Some(basic(id, "x")),
            grant.to_owned(),
            "invalid_client",
        ),
        (
            "unknown id",
            None,
            format!("{grant}&client_id=nobody&client_secret={secret}"),
            "invalid_client",
        ),
        (
            "whole token of another id",
            None,
            format!("{grant}&client_id=nobody&client_secret={whole}"),
            "invalid_client",
        ),
        (
            "no secret",
            None,
            format!("{grant}&client_id={id}"),
            "invalid_client",
        ),
        (
            "empty secret",
            None,
            format!("{grant}&client_id={id}&client_secret="),
            "invalid_client",
        ),
        ("nothing", None, grant.to_owned(), "invalid_client"),
        (
            "another scheme",
            Some(format!("Bearer {whole}")),
            grant.to_owned(),
            "invalid_client",
        ),
        (
            "no grant",
            None,
            format!("client_id={id}&client_secret={secret}"),
            "invalid_request",
        ),
        (
            "empty grant",
            None,
            format!("grant_type=&client_id={id}"),
            "invalid_request",
        ),
        (
            "another grant",
            None,
            post_form.replace("client_credentials", "password"),
            "unsupported_grant_type",
        ),
        (
            "grant twice",
            None,
            format!("{post_form}&{grant}"),
            "invalid_request",
        ),
        (
            "secret twice",
            None,
            format!("{post_form}&client_secret=x"),
            "invalid_request",
        ),
        (
            "hundreds",
            None,
            format!("{post_form}{}", "&x=1".repeat(100)),
            "invalid_request",
        ),
    ] {
        let got = post(&world, "acme", authorization.as_deref(), &form).await;
        assert_eq!(got.word(), want, "{name}: {} {}", got.body, got.cause);
        let status = match want {
            "token" => 200,
            "invalid_client" => 401,
            _ => 400,
        };
        assert_eq!(got.status, status, "{name}");
        assert_eq!(
            got.fields.contains_key(WWW_AUTHENTICATE),
            status == 401,
            "{name}"
        );
        if status == 200 {
            assert_eq!(got.body["token_type"], "Bearer");
            let lifetime = got.body["expires_in"].as_u64().unwrap();
            assert!((3600..=21600).contains(&lifetime), "{lifetime}");
            let actor = who(&world, "acme", got.token()).await;
            assert_eq!(actor.as_deref(), Some("scim:acme idp"), "{name}");
            assert_eq!(who(&world, "default", got.token()).await, None);
        }
        let told = got.body.to_string() + &format!("{:?}", got.fields) + &got.cause;
        assert!(!told.contains(secret), "{name}: {told}");
    }
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_client_of_another_tenant_is_unknown_as_anybody() {
    let world = World::new(EXEMPT).await;
    let made = world.create("acme", None).await;
    let right = basic(&made.token.id, made.secret.expose());
    let mut answers = Vec::new();
    for (tenant, authorization) in [
        ("default", right.clone()),
        ("nowhere", right.clone()),
        ("acme", basic("nobody", "x")),
        ("acme", basic(&made.token.id, "x")),
    ] {
        let got = post(
            &world,
            tenant,
            Some(&authorization),
            "grant_type=client_credentials",
        )
        .await;
        answers.push(format!("{} {:?} {}", got.status, got.fields, got.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    world.tokens.revoke(None, &made.token.id).await.unwrap();
    let got = post(
        &world,
        "acme",
        Some(&right),
        "grant_type=client_credentials",
    )
    .await;
    assert_eq!(got.word(), "invalid_client");
    assert!(
        got.cause.contains("is revoked"),
        "for the log: {}",
        got.cause
    );
}

#[tokio::test]
async fn revoking_ends_access_tokens_at_once() {
    let world = World::new("").await;
    let made = world.create("acme", Some(&["MEMBER"])).await;
    let right = basic(&made.token.id, made.secret.expose());
    let got = post(
        &world,
        "acme",
        Some(&right),
        "grant_type=client_credentials",
    )
    .await;
    let visit = world.visit(
        "/scim/v2/Users",
        HOME,
        &[&format!("Bearer {}", got.token())],
    );
    let client = world.access.authenticate(&visit, "acme").await.unwrap();
    // R53: what the token may not give, what it was traded for may not either.
    assert!(client.may_give("MEMBER") && !client.may_give("ADMIN"));
    assert_eq!(client.credential(), made.token.id);
    world.tokens.revoke(None, &made.token.id).await.unwrap();
    assert_eq!(who(&world, "acme", got.token()).await, None);
}

mod other_tests;
