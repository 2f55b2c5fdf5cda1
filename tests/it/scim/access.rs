//! Who may come in as a SCIM client, in every form that idps show it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use sidegate::identity::TenantSlug;
use sidegate::server::control::{CreateToken, Operation};

use super::{gate, refused};
use crate::support::{Answer, ScimClient, Sidegate, raw, status};

fn basic(name: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{secret}"))
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_tokens_in_every_form_and_nothing_else() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let token = scim.token().to_owned();
    let shown = ScimClient::with(&gate, "default", &token);
    let (id, secret) = shown.id_and_secret();
    let right = [
        format!("Bearer {token}"),
        format!("bearer   {token} "),
        format!("Bearer Bearer {token}"),
        token.clone(),
        basic("idp", &token),
        basic("idp", secret),
        basic(id, secret),
        basic("", &token),
        basic(&token, ""),
    ];
    let other = if token.ends_with('A') { 'B' } else { 'A' };
    let mut almost = token.clone();
    almost.pop();
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer wrong".to_owned()),
        Some(format!("Bearer {almost}")),
        Some(format!("Bearer {almost}{other}")),
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer {}", token.to_uppercase())),
        Some(format!("Bearer sgt_{id}_")),
        Some(basic("idp", "wrong")),
        Some(basic("other", secret)),
        Some("Basic !!!".to_owned()),
    ];
    for value in &right {
        scim.authorize(Some(value));
        let answer = scim.get("/Users?count=0").await;
        assert_eq!(answer.status, 200, "{value}: {}", answer.text());
    }
    for value in &wrong {
        scim.authorize(value.as_deref());
        let answer = scim.get("/Users").await;
        let detail = refused(&answer, 401, &format!("{value:?}"));
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
        assert!(!detail.contains(id), "{detail}");
    }
    scim.authorize(None);
    let answer = scim.get(&format!("/Users?access_token={token}")).await;
    refused(&answer, 401, "in the address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_a_revoked_token_is_none_at_once() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let mut newer = ScimClient::new(&gate).await;
    let access = token_request(&gate, &client_form(&scim), None).await;
    let access: Value = access.json();
    let access = access["access_token"].as_str().unwrap().to_owned();
    let mut by_access = ScimClient::with(&gate, "default", &access);
    for client in [&mut scim, &mut newer, &mut by_access] {
        assert_eq!(client.get("/Users").await.status, 200);
    }
    let id = scim.id_and_secret().0.to_owned();
    gate.operator(&format!("token revoke {id}")).await;
    refused(&scim.get("/Users").await, 401, "revoked");
    refused(&by_access.get("/Users").await, 401, "its access token");
    let form = client_form(&scim);
    assert_eq!(token_request(&gate, &form, None).await.status, 401);
    assert_eq!(newer.get("/Users").await.status, 200, "the new one");
    let listed = gate.operator("token list --json").await;
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(
        listed.iter().all(|row| row["last_used"].is_string()),
        "{listed:?}"
    );
    // R55: neither the token nor its hash.
    let listed = format!("{listed:?}");
    assert!(!listed.contains(scim.id_and_secret().1), "{listed}");
    assert!(!listed.contains("$2"), "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_when_the_operator_said() {
    let gate = gate("").await;
    // The command line makes none so brief.
    let made: Value = gate
        .ask(Operation::TokenCreate(CreateToken {
            tenant: TenantSlug::default(),
            name: Some("brief".to_owned()),
            expires_seconds: Some(1),
            roles: None,
        }))
        .await;
    let mut scim = ScimClient::with(&gate, "default", made["token"].as_str().unwrap());
    let over = async {
        // Asked as fast as this, some are too many.
        while matches!(scim.get("/Users").await.status.as_u16(), 200 | 429) {
            tokio::task::yield_now().await;
        }
    };
    let over = tokio::time::timeout(crate::support::SOON, over).await;
    assert!(over.is_ok(), "it goes on");
    refused(&scim.get("/Users").await, 401, "expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_a_token_gives_only_the_roles_of_its_list() {
    let settings = "[roles]\nallowed = [\"MEMBER\", \"ADMIN\"]\n[roles.groups]\nadmins = \"ADMIN\"\nmembers = \"MEMBER\"\n";
    let gate = gate(settings).await;
    let token = ScimClient::make_token(&gate, "token create --name narrow --roles MEMBER").await;
    let mut scim = ScimClient::with(&gate, "default", &token);
    let mut body = crate::support::user("ada");
    body["roles"] = serde_json::json!([{ "primary": true, "value": "ADMIN" }]);
    refused(&scim.post("/Users", &body).await, 400, "a role");
    let ada = scim.person("ada").await;
    scim.group("members", &[&ada]).await;
    let group = serde_json::json!({ "displayName": "admins", "members": [{ "value": ada }] });
    let answer = scim.post("/Groups", &group).await;
    let shown: Value = serde_json::from_str(&gate.operator("user show ada --json").await).unwrap();
    let roles = shown["roles"].to_string();
    assert!(
        !roles.contains("ADMIN"),
        "{} {}: {roles}",
        answer.status,
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_are_told_when_to_come_back() {
    let gate = gate("scim.rate = 2\n").await;
    let scim = ScimClient::new(&gate).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut client = ScimClient::with(&gate, "default", scim.token());
        asked.spawn(async move { client.get("/Users").await });
    }
    let answers = asked.join_all().await;
    let (fine, late): (Vec<_>, Vec<_>) = answers.iter().partition(|its| its.status == 200);
    assert!(
        !fine.is_empty() && !late.is_empty(),
        "{} {}",
        fine.len(),
        late.len()
    );
    for answer in late {
        refused(answer, 429, "too many");
        assert!(
            answer
                .header("retry-after")
                .unwrap()
                .parse::<u32>()
                .unwrap()
                > 0
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r60_guesses_are_limited_by_network() {
    let gate =
        gate("limits.failed_sign_ins = \"2/15m\"\nserver.trusted_proxies = [\"127.0.0.1\"]\n")
            .await;
    let mut scim = ScimClient::new(&gate).await;
    let from = http::HeaderName::from_static("x-forwarded-for");
    let mut told = Vec::new();
    for guess in 0..40 {
        let mut client = ScimClient::with(&gate, "default", &format!("guess{guess}"));
        let answer = client
            .send(Method::GET, "/Users", &[(from.clone(), "203.0.113.7")], "")
            .await;
        told.push(answer.status.as_u16());
        if answer.status == 429 {
            refused(&answer, 429, "a guess");
            break;
        }
    }
    assert_eq!(told.last(), Some(&429), "{told:?}");
    assert!(told.len() > 2, "{told:?}");
    // Whoever has the token, elsewhere, is not held up.
    let answer = scim
        .send(Method::GET, "/Users", &[(from, "198.51.100.1")], "")
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_other_networks_are_refused() {
    let settings =
        "scim.allowed_networks = [\"20.0.0.0/8\"]\nserver.trusted_proxies = [\"127.0.0.1\"]\n";
    let gate = gate(settings).await;
    let mut scim = ScimClient::new(&gate).await;
    let from = http::HeaderName::from_static("x-forwarded-for");
    for (address, status) in [
        ("20.1.2.3", 200),
        ("21.1.2.3", 403),
        ("20.1.2.3, 21.1.2.3", 403),
    ] {
        let answer = scim
            .send(Method::GET, "/Users", &[(from.clone(), address)], "")
            .await;
        assert_eq!(answer.status, status, "{address}: {}", answer.text());
        if status != 200 {
            refused(&answer, status, address);
        }
    }
    refused(&scim.get("/Users").await, 403, "from here");
    let answer = token_request(&gate, &client_form(&scim), None).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}

fn client_form(scim: &ScimClient) -> String {
    let (id, secret) = scim.id_and_secret();
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
}

async fn token_request(gate: &Sidegate, form: &str, authorization: Option<&str>) -> Answer {
    let mut client = gate.program();
    let mut headers = vec![(CONTENT_TYPE, "application/x-www-form-urlencoded")];
    headers.extend(authorization.map(|value| (http::header::AUTHORIZATION, value)));
    client
        .send(Method::POST, "/scim/v2/oauth2/token", &headers, form)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_credentials_become_an_access_token() {
    let gate = gate("").await;
    let scim = ScimClient::new(&gate).await;
    let (id, secret) = scim.id_and_secret();
    let in_head = basic(id, secret);
    let grant = "grant_type=client_credentials";
    for (name, form, head) in [
        ("body", client_form(&scim), None),
        ("head", grant.to_owned(), Some(in_head.as_str())),
        ("both", client_form(&scim), Some(in_head.as_str())),
    ] {
        let answer = token_request(&gate, &form, head).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
        let token: Value = answer.json();
        let mut client =
            ScimClient::with(&gate, "default", token["access_token"].as_str().unwrap());
        assert_eq!(client.get("/Users").await.status, 200, "{name}");
        assert!(
            (3600..=21600).contains(&token["expires_in"].as_u64().unwrap()),
            "{token}"
        );
    }
    for (form, head, error) in [
        (
            format!("{grant}&client_id={id}&client_secret=x"),
            None,
            "invalid_client",
        ),
        (format!("{grant}&client_id={id}"), None, "invalid_client"),
        (client_form(&scim), Some("Basic eDp5"), "invalid_request"),
        (
            "grant_type=password".to_owned(),
            Some(in_head.as_str()),
            "unsupported_grant_type",
        ),
        (String::new(), Some(in_head.as_str()), "invalid_request"),
        (
            format!("{grant}&{grant}"),
            Some(in_head.as_str()),
            "invalid_request",
        ),
    ] {
        let answer = token_request(&gate, &form, head).await;
        let told: Value = answer.json();
        assert_eq!(told["error"], error, "{form}: {told}");
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bare_quotes_in_the_address_are_read() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    scim.person("ada@example.com").await;
    for (target, found) in [
        ("/Users?filter=userName+eq+\"ada%40example.com\"", 1),
        (
            "/Users?filter=emails[type+eq+\"work\"].value+eq+\"ada@example.com\"",
            1,
        ),
        ("/Users?filter=userName+eq+\"<nobody>\"", 0),
    ] {
        let head = format!(
            "GET /scim/v2{target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            gate.host,
            scim.token()
        );
        let answer = raw(gate.address, head.as_bytes()).await;
        assert_eq!(status(&answer), 200, "{target}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let list: Value = serde_json::from_str(body).unwrap();
        assert_eq!(list["totalResults"], found, "{target}: {list}");
    }
}
