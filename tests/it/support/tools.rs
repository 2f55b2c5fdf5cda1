//! Programs that are not ours: the OpenID provider, the apps, the browser. They end when their input closes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Answer, Client};

/// The slowest start, a database's first one, takes some seconds. Now and then a Node hangs on a lock of its own before it runs a
/// line of ours (nodejs/node#54918 and its kin; 1 of 500 starts of version 20): it is started anew.
const START: Duration = Duration::from_mins(1);
const STARTS: usize = 3;

/// The slowest end.
const END: Duration = Duration::from_secs(30);

/// A program that says in its first line, as JSON, where it is.
pub struct Program {
    /// What it said.
    pub said: Value,
    child: Child,
}

impl Program {
    /// Starts it and waits for its line.
    pub async fn start(mut command: Command) -> Self {
        for _ in 1..STARTS {
            match timeout(START, Self::start_once(&mut command)).await {
                Ok(program) => return program,
                Err(_) => {
                    #[expect(clippy::print_stderr, reason = "whoever runs tests should know")]
                    {
                        eprintln!("{command:?} says nothing; started anew");
                    }
                }
            }
        }
        let last = timeout(START, Self::start_once(&mut command)).await;
        last.unwrap_or_else(|_| panic!("{command:?} says nothing in {STARTS} starts"))
    }

    async fn start_once(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{command:?}: {error}; tests/run installs what the tests need")
            });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("{command:?} ended without a word"));
        // Its later words are read away, so that it never waits for us.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            said: serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")),
            child,
        }
    }

    /// Ends it in order, so that it takes its data away.
    pub async fn end(mut self) {
        drop(self.child.stdin.take());
        let ended = timeout(END, self.child.wait()).await;
        assert!(ended.is_ok(), "{} does not end", self.said);
    }

    /// Where it is, as it said under this name.
    pub fn url(&self, name: &str) -> String {
        self.said[name].as_str().unwrap().to_owned()
    }
}

/// A file below `tests/`.
pub fn test_file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

/// The real OpenID provider of npm's `oidc-provider`, with people alice, bob, carol and zoë.
pub struct OidcIdp {
    pub issuer: String,
    _program: Program,
}

impl OidcIdp {
    /// On a free port. `settings` are its environment variables.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(node());
        command
            .arg(test_file("idp/oidc-idp.mjs"))
            .envs(settings.iter().copied());
        let program = Program::start(command).await;
        Self {
            issuer: program.url("issuer"),
            _program: program,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.issuer.trim_start_matches("http://").parse().unwrap()
    }

    /// Tells it where our server is.
    pub async fn trust(&self, public_url: &str, idp: &str) {
        let client = json!({
            "redirect_uris": [format!("{public_url}/oidc/{idp}/callback")],
            "post_logout_redirect_uris": [format!("{public_url}/.sidegate/logout/done")],
            "backchannel_logout_uri": format!("{public_url}/oidc/{idp}/backchannel-logout"),
            "backchannel_logout_session_required": true,
        });
        let answer = self.control("PUT", "/test/client", &client).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// One of its controls; see `tests/README.md`.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        let address = self.address();
        let mut client = Client::program(address, &address.to_string());
        let kind = [(http::header::CONTENT_TYPE, "application/json")];
        let method = method.parse().unwrap();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        client.send(method, path, &kind, &body).await
    }
}

/// A browser at the provider: its own jar, beside the one of our host.
pub struct AtIdp(Client);

impl AtIdp {
    pub fn new(idp: &OidcIdp) -> Self {
        Self(Client::new(idp.address(), &idp.address().to_string()))
    }

    /// Goes where our server sent the browser, signs in as this person, and gives the way back: path and query of our host.
    pub async fn sign_in(&mut self, location: &str, person: &str) -> String {
        let separator = if location.contains('?') { '&' } else { '?' };
        let hint = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("login_hint", person)
            .append_pair("auto_login", "1")
            .finish();
        self.follow(&format!("{location}{separator}{hint}")).await
    }

    /// Goes to the provider's sign-out, says yes, and gives the way back.
    pub async fn sign_out(&mut self, location: &str) -> String {
        let location = url::Url::parse(location).unwrap();
        let target = &location[url::Position::BeforePath..url::Position::AfterQuery];
        let page = self.0.get(target).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let text = page.text();
        let action = text.split("action=\"").nth(1).unwrap().split('"').next();
        let action = location.join(action.unwrap()).unwrap();
        let fields = page.hidden_fields();
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain([("logout", "yes")])
            .collect();
        let done = self.0.post_form(action.path(), &fields).await;
        let next = location.join(done.location()).unwrap();
        if next.origin() != location.origin() {
            return next[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        }
        self.follow(next.as_str()).await
    }

    /// Goes there and gives what the provider shows.
    pub async fn look(&mut self, location: &str) -> Answer {
        let mut location = url::Url::parse(location).unwrap();
        for _ in 0..10 {
            let target = &location[url::Position::BeforePath..url::Position::AfterQuery];
            let answer = self.0.get(target).await;
            if !answer.status.is_redirection() {
                return answer;
            }
            location = location.join(answer.location()).unwrap();
        }
        panic!("the provider leads in circles: {location}");
    }

    /// Follows redirects until one leads away from the provider, and gives path and query of that.
    pub async fn follow(&mut self, location: &str) -> String {
        let mut location = url::Url::parse(location).unwrap();
        let home = location.origin();
        for _ in 0..10 {
            let target = &location[url::Position::BeforePath..url::Position::AfterQuery];
            let answer = self.0.get(target).await;
            assert!(
                answer.status.is_redirection(),
                "{target}: {} {}",
                answer.status,
                answer.text()
            );
            location = location.join(answer.location()).unwrap();
            if location.origin() != home {
                return location[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            }
        }
        panic!("the provider leads in circles: {location}");
    }
}

/// Runs steps in a real browser; see `tests/browser/drive.mjs`. Gives one line for each step.
///
/// Panics with what the browser saw when a step fails.
pub async fn drive(script: &Value) -> Vec<Value> {
    let mut child = Command::new(node())
        .arg(test_file("browser/drive.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(script.to_string().as_bytes())
        .await
        .unwrap();
    drop(stdin);
    let done = child.wait_with_output().await.unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "the browser stopped:\n{text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn node() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests/run says where its tools are"
    )]
    std::env::var("NODE").unwrap_or_else(|_unset| "node".to_owned())
}

/// The Python of an environment that `tests/setup/packages` made: `scim`, `saml` or `canaille`.
pub fn python(environment: &str) -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests/run says where its tools are"
    )]
    let tools = std::env::var("SIDEGATE_TEST_TOOLS");
    let tools = tools.map_or_else(
        |_unset| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-tools"),
        PathBuf::from,
    );
    tools.join(environment).join("bin/python")
}
