//! The SAML identity provider that is not ours, and browsers at it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::process::Command;
use url::{Position, Url};

use super::people::unescaped;
use super::{Answer, Client, Program, Sidegate, python, test_file};

/// The provider of Python's `pysaml2`, with people alice, bob, carol and zoë.
pub struct SamlIdp {
    pub metadata_url: String,
    pub sso: Url,
    pub slo: Url,
    /// Where it answers by TLS, if it does.
    pub tls: Option<String>,
    base: String,
    _program: Program,
}

impl SamlIdp {
    /// On a free port. `settings` are its environment variables.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(python("saml"));
        command
            .arg(test_file("idp/saml-idp.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(settings.iter().copied());
        let program = Program::start(command).await;
        Self {
            metadata_url: program.url("metadata"),
            sso: program.url("sso").parse().unwrap(),
            slo: program.url("slo").parse().unwrap(),
            tls: program.said["tls"].as_str().map(str::to_owned),
            base: program.url("base"),
            _program: program,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.base.trim_start_matches("http://").parse().unwrap()
    }

    /// Gives it our metadata, as our server shows it.
    pub async fn trust(&self, gate: &Sidegate, idp: &str) {
        let path = format!("/saml2/service-provider-metadata/{idp}");
        let shown = gate.program().get(&path).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        self.trust_metadata(&shown.text()).await;
    }

    /// Gives it this metadata.
    pub async fn trust_metadata(&self, metadata: &str) {
        self.control("PUT", "/test/sp", &json!({ "metadata": metadata }))
            .await;
    }

    /// What it says of itself.
    pub async fn metadata(&self) -> String {
        let address = self.address();
        let mut client = Client::program(address, &address.to_string());
        client.get("/metadata").await.text()
    }

    /// Changes its settings.
    pub async fn set(&self, changes: &Value) {
        self.control("PUT", "/test/settings", changes).await;
    }

    /// What happened at it.
    pub async fn state(&self) -> Value {
        self.control("GET", "/test/state", &Value::Null).await
    }

    /// One of its controls; see `tests/idp/saml_control.py`.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = self.address();
        let mut client = Client::program(address, &address.to_string());
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let method = method.parse().unwrap();
        let answer = client.send(method, path, &[], &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

/// Where an answer sends a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a redirect, to this address.
    Get(Url),
    /// By a page with a form that posts these fields to this address.
    Post(Url, Vec<(String, String)>),
}

impl Way {
    /// Of an answer from this address: its redirect, or the form in its page.
    pub fn of(answer: &Answer, from: &Url) -> Self {
        let to = |text: &str| {
            from.join(text)
                .unwrap_or_else(|why| panic!("{why}: {text}"))
        };
        if answer.status.is_redirection() {
            return Self::Get(to(answer.location()));
        }
        let text = answer.text();
        let form = text.split("<form ").nth(1);
        let form = form.unwrap_or_else(|| panic!("no form: {} {text}", answer.status));
        let form = form.split('>').next().unwrap();
        let action = form
            .split("action=\"")
            .nth(1)
            .and_then(|its| its.split('"').next());
        let action = to(&unescaped(action.unwrap_or_default()));
        Self::Post(action, answer.hidden_fields())
    }

    pub const fn address(&self) -> &Url {
        match self {
            Self::Get(address) | Self::Post(address, _) => address,
        }
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.address()[Position::BeforePath..Position::AfterQuery]
    }

    /// A field, or a parameter of the query.
    pub fn field(&self, name: &str) -> Option<String> {
        match self {
            Self::Get(address) => {
                let mut all = address.query_pairs();
                all.find(|(its, _)| its == name)
                    .map(|(_, value)| value.into_owned())
            }
            Self::Post(_, fields) => {
                let found = fields.iter().find(|(its, _)| its == name);
                found.map(|(_, value)| value.clone())
            }
        }
    }

    /// With another value, or without the field.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        let Self::Post(_, fields) = &mut self else {
            panic!("not a form: {self:?}");
        };
        fields.retain(|(its, _)| its != name);
        fields.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }
}

impl Client {
    /// Goes where another site sends this browser. Our server may send it to itself once more, to see the cookies that are
    /// kept from other sites: by a redirect to the same path, or by a form of a page of ours.
    pub async fn bring(&mut self, way: &Way) -> Answer {
        let answer = match way {
            Way::Get(_) => return self.get(way.target()).await,
            Way::Post(_, fields) => {
                let fields: Vec<_> = pairs(fields).collect();
                self.post_from_elsewhere(way.target(), &fields).await
            }
        };
        let onwards = answer.status.is_redirection() || answer.text().contains("<form ");
        if answer.status.is_client_error() || !onwards {
            return answer;
        }
        let again = Way::of(&answer, way.address());
        let here = |its: &Url| (its.origin(), its.path().to_owned());
        if here(again.address()) != here(way.address()) {
            return answer;
        }
        match &again {
            Way::Get(_) => self.get(again.target()).await,
            Way::Post(_, fields) => {
                let fields: Vec<_> = pairs(fields).collect();
                self.post_form(again.target(), &fields).await
            }
        }
    }
}

fn pairs(fields: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// A browser at the provider: its own jar, beside the one of our host.
pub struct AtSamlIdp {
    client: Client,
    at: Url,
}

impl AtSamlIdp {
    pub fn new(idp: &SamlIdp) -> Self {
        Self {
            client: Client::new(idp.address(), &idp.address().to_string()),
            at: idp.sso.clone(),
        }
    }

    /// Goes where our server sent the browser, signs in as this person, and gives the way back.
    pub async fn sign_in(&mut self, way: &Way, person: &str) -> Way {
        let hinted = |address: &Url| {
            let mut address = address.clone();
            address
                .query_pairs_mut()
                .append_pair("login_hint", person)
                .append_pair("auto_login", "1");
            address
        };
        let way = match way {
            Way::Get(address) => Way::Get(hinted(address)),
            Way::Post(address, fields) => Way::Post(hinted(address), fields.clone()),
        };
        self.go(&way).await
    }

    /// Goes where our server sent the browser, and on from there.
    pub async fn go(&mut self, way: &Way) -> Way {
        let answer = self.look(way).await;
        assert!(
            answer.status == 200 || answer.status.is_redirection(),
            "{} {}",
            answer.status,
            answer.text()
        );
        Way::of(&answer, &self.at)
    }

    /// Goes there and gives what the provider shows.
    pub async fn look(&mut self, way: &Way) -> Answer {
        match way {
            Way::Get(_) => self.client.get(way.target()).await,
            Way::Post(_, fields) => {
                let fields: Vec<_> = pairs(fields).collect();
                self.client.post_form(way.target(), &fields).await
            }
        }
    }

    /// Opens one of its own pages: `/idp-init` or `/idp-logout`.
    pub async fn open(&mut self, path: &str, parameters: &[(&str, &str)]) -> Way {
        let mut address = self.at.join(path).unwrap();
        address.query_pairs_mut().extend_pairs(parameters);
        self.go(&Way::Get(address)).await
    }
}
