//! Secrets are sent through everything that takes one; nothing that is written or told may repeat them (R41).

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use sidegate::identity::TenantSlug;
use sidegate::secret::Secret;
use sidegate::server::control::{self, Create, CreateToken, NewTokenRow, Operation};

use crate::support::{AtIdp, Client, OidcIdp, UpstreamApp};

const PASSWORD: &str = "canary-password-of-carol";

/// The real binary, whose lines are kept.
struct Served {
    child: Child,
    lines: Vec<JoinHandle<String>>,
    ops: String,
    folder: PathBuf,
}

impl Served {
    fn start(folder: &Path, config: &str) -> Self {
        let file = folder.join("sidegate.toml");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidegate"))
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .env("SIDEGATE__LOG__LEVEL", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, answers) = keep(child.stdout.take().unwrap());
        let (err, _) = keep(child.stderr.take().unwrap());
        let line = answers.recv().expect("it starts");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            lines: vec![out, err],
            ops: line["ops"].as_str().unwrap().to_owned(),
            folder: folder.to_owned(),
        }
    }

    /// Ends it in order, and gives everything that it wrote.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
        let texts = self.lines.into_iter().map(|lines| lines.join().unwrap());
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// Keeps all lines, and hands over the one that says that requests are answered.
fn keep(from: impl Read + Send + 'static) -> (JoinHandle<String>, Receiver<String>) {
    let (tell, told) = channel();
    let thread = std::thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if line.contains("sidegate answers") {
                let _nobody_waits = tell.send(line.clone());
            }
            all += &line;
            all.push('\n');
        }
        all
    });
    (thread, told)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_no_line_metric_or_listing_repeats_a_secret() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let folder = std::env::temp_dir().join(format!(
        "sidegate-lines-{}",
        sidegate::crypto::random_token()
    ));
    std::fs::create_dir(&folder).unwrap();
    let (port, state) = (free_port(), folder.display());
    let config = format!(
        "public_url = 'http://localhost:{port}'
        server.listen = '127.0.0.1:{port}'
        server.ops.listen = '127.0.0.1:0'
        server.control.socket = '{state}/control.sock'
        storage.url = 'redb://{state}/sidegate.redb'
        audit.file = '{state}/audit.jsonl'
        upstream.url = '{}'
        local.enabled = true
        local.bcrypt_cost = 4
        [headers.assertion]
        [[idp]]
        name = 'corp'
        kind = 'oidc'
        issuer = '{}'
        client_id = 'sidegate'
        client_secret = 'sidegate-secret'
        bearer_audiences = ['api://canary']",
        app.url(),
        idp.issuer
    );
    let at = folder.clone();
    let served = tokio::task::spawn_blocking(move || Served::start(&at, &config));
    let served = served.await.unwrap();
    let host = format!("localhost:{port}");
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    idp.trust(&format!("http://{host}"), "corp").await;

    let mut secrets: Vec<String> = ["canary", "sidegate-secret", "$2b$"]
        .map(str::to_owned)
        .to_vec();
    make_carol(folder.join("control.sock")).await;
    secrets.extend(everything_that_takes_a_secret(address, &host, &idp).await);
    secrets.extend(everything_of_a_scim_client(address, &host, folder.join("control.sock")).await);

    let mut told = ops(&served.ops).await;
    told += &listings(&served).await;
    told += &tokio::task::spawn_blocking(move || served.stop())
        .await
        .unwrap();
    told += &std::fs::read_to_string(folder.join("audit.jsonl")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        told.contains("\"kind\":\"access\"") && told.contains("sign_in.ok"),
        "{told}"
    );
    for secret in &secrets {
        let line = told.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret}");
    }
}

async fn make_carol(socket: PathBuf) {
    let carol = Operation::UserCreate(Create {
        tenant: TenantSlug::default(),
        user_name: "carol-local".to_owned(),
        email: None,
        display_name: None,
        roles: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
        must_change: false,
    });
    let made = move || control::ask::<serde_json::Value>(&socket, &carol).unwrap();
    tokio::task::spawn_blocking(made).await.unwrap();
}

/// Gives what only the browser and we should know.
async fn everything_that_takes_a_secret(
    address: std::net::SocketAddr,
    host: &str,
    idp: &OidcIdp,
) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut alice = Client::new(address, host);
    let led = alice
        .get("/.sidegate/login?idp=corp&return_to=/wanted%3Ftoken=canary-query")
        .await;
    let back = AtIdp::new(idp).sign_in(led.location(), "alice").await;
    let (_, query) = back.split_once('?').unwrap();
    secrets.extend(
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(name, _)| *name == "code" || *name == "state")
            .map(|(_, value)| value.to_owned()),
    );
    assert_eq!(alice.get(&back).await.status, 302);
    assert_eq!(alice.get("/").await.status, 200);

    let mut carol = Client::new(address, host);
    let wrong = carol
        .sign_in("carol-local", "canary-wrong-password", "/")
        .await;
    assert_eq!(wrong.status, 401, "{}", wrong.text());
    // A password in the wrong field.
    let nobody = carol.sign_in("canary-as-a-name", "x", "/").await;
    assert_eq!(nobody.status, 401, "{}", nobody.text());
    assert_eq!(
        carol.sign_in("carol-local", PASSWORD, "/").await.status,
        303
    );
    for browser in [&alice, &carol] {
        secrets.extend(browser.cookies.values().cloned());
    }

    let mut forged = Client::program(address, host);
    forged
        .cookies
        .insert("sidegate".to_owned(), "canary-cookie".to_owned());
    assert_eq!(forged.get("/").await.status, 401);
    let bearer = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.canary-signature";
    for bearer in [bearer, "Bearer canary-opaque", "Basic Y2FuYXJ5OmNhbmFyeQ=="] {
        let headers = [(AUTHORIZATION, bearer)];
        forged
            .send(http::Method::GET, "/?x=canary", &headers, "")
            .await;
    }
    secrets.push("Y2FuYXJ5OmNhbmFyeQ".to_owned());
    secrets.push("eyJpc3MiOiJjYW5hcnkifQ".to_owned());
    let unasked = forged
        .get("/oidc/corp/callback?code=canary-code&state=canary-state")
        .await;
    assert_ne!(unasked.status, 200);
    let logout = "logout_token=canary-logout-token";
    let form = [(
        http::header::CONTENT_TYPE,
        "application/x-www-form-urlencoded",
    )];
    let path = "/oidc/corp/backchannel-logout";
    forged.send(http::Method::POST, path, &form, logout).await;
    secrets
}

/// A token of a SCIM client in every place where one is put, and assertions.
async fn everything_of_a_scim_client(
    address: std::net::SocketAddr,
    host: &str,
    socket: PathBuf,
) -> Vec<String> {
    let create = Operation::TokenCreate(CreateToken {
        tenant: TenantSlug::default(),
        name: Some("entra".to_owned()),
        expires_seconds: Some(86_400),
        roles: None,
    });
    let made = move || control::ask::<NewTokenRow>(&socket, &create).unwrap();
    let made = tokio::task::spawn_blocking(made).await.unwrap();
    let (id, whole, secret) = (
        made.client_id.as_str(),
        made.token.expose(),
        made.client_secret.expose(),
    );
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    let mut client = Client::program(address, host);
    let wrong = format!("Bearer {whole}canary");
    for authorization in [
        &format!("Bearer {whole}"),
        whole,
        &wrong,
        &format!("Basic {pair}"),
    ] {
        let headers = [(AUTHORIZATION, authorization)];
        client
            .send(http::Method::GET, "/scim/v2/Users?count=1", &headers, "")
            .await;
    }
    client
        .get(&format!("/scim/v2/Users?access_token={whole}"))
        .await;
    let endpoint = "/scim/v2/oauth2/token";
    let grant = ("grant_type", "client_credentials");
    let by_secret = [grant, ("client_id", id), ("client_secret", secret)];
    let granted = client.post_form(endpoint, &by_secret).await.text();
    let granted: serde_json::Value = serde_json::from_str(&granted).unwrap();
    let access = granted["access_token"].as_str().unwrap().to_owned();
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let claims = r#"{"iss":"https://idp.test","aud":"a","sub":"s","jti":"canary-jti","exp":9}"#;
    let claims = URL_SAFE_NO_PAD.encode(claims);
    let assertion = format!("eyJhbGciOiJSUzI1NiJ9.{claims}.Y2FuYXJ5LXNpZ25hdHVyZQ");
    let signed = [
        grant,
        ("client_assertion_type", kind),
        ("client_assertion", assertion.as_str()),
    ];
    client.post_form(endpoint, &signed).await;
    let headers = [(AUTHORIZATION, &*format!("Bearer {assertion}"))];
    client
        .send(http::Method::GET, "/scim/v2/Users", &headers, "")
        .await;
    vec![
        secret.to_owned(),
        access,
        pair,
        claims,
        "Y2FuYXJ5LXNpZ25hdHVyZQ".to_owned(),
    ]
}

async fn ops(address: &str) -> String {
    let mut probe = Client::program(address.parse().unwrap(), "ops");
    probe.get("/metrics").await.text() + &probe.get("/readyz").await.text()
}

async fn listings(served: &Served) -> String {
    let config = served.folder.join("sidegate.toml");
    let run = move || {
        let mut all = String::new();
        for line in [
            "user list --json",
            "user show carol-local --json",
            "session list --json",
            "token list --json",
            "token list",
            "audit show --json",
            "check --connect",
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sidegate"));
            let ran = command
                .args(line.split(' '))
                .arg("--config")
                .arg(&config)
                .output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{line}");
            all += &String::from_utf8_lossy(&ran.stdout);
            all += &String::from_utf8_lossy(&ran.stderr);
        }
        all
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
