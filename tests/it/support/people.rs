//! Local people, made over the control socket and signed in through the page.

use std::path::{Path, PathBuf};

use http::Method;
use serde::de::DeserializeOwned;
use sidegate::identity::TenantSlug;
use sidegate::secret::Secret;
use sidegate::server::control::{self, Create, Operation};

use super::client::FORM;
use super::{Answer, Client, Sidegate};

/// Accounts of local people in tests all have this password.
pub const PASSWORD: &str = "correct horse battery";

impl Sidegate {
    /// Asks over the control socket, as the command line does.
    pub async fn ask<T: DeserializeOwned + Send + 'static>(&self, operation: Operation) -> T {
        let socket: PathBuf = self.folder.join("control.sock");
        tokio::task::spawn_blocking(move || control::ask(&socket, &operation).unwrap())
            .await
            .unwrap()
    }

    /// Makes a local account with [`PASSWORD`].
    pub async fn person(&self, name: &str, roles: &[&str]) {
        create_person(&self.folder, name, roles).await;
    }

    /// Shuts a person out, or lets them in again.
    pub async fn set_active(&self, name: &str, active: bool) {
        let operation = Operation::UserSetActive {
            tenant: TenantSlug::default(),
            user: name.to_owned(),
            active,
        };
        let _changed: serde_json::Value = self.ask(operation).await;
    }

    /// A browser in which this person is signed in.
    pub async fn signed_in(&self, name: &str) -> Client {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD, "/").await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }
}

/// Makes a local account with [`PASSWORD`] in the server whose state is in this folder.
pub async fn create_person(folder: &Path, name: &str, roles: &[&str]) {
    let create = Create {
        tenant: TenantSlug::default(),
        user_name: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        display_name: None,
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        password: Some(Secret::new(PASSWORD)),
        must_change: false,
    };
    let socket = folder.join("control.sock");
    let asked =
        move || control::ask::<serde_json::Value>(&socket, &Operation::UserCreate(create)).unwrap();
    tokio::task::spawn_blocking(asked).await.unwrap();
}

impl Client {
    /// Fills the sign-in page in and sends it.
    pub async fn sign_in(&mut self, name: &str, password: &str, return_to: &str) -> Answer {
        self.try_sign_in(name, password, return_to).await.unwrap()
    }

    /// The same on top of a session that exists, with [`PASSWORD`].
    pub async fn sign_in_again(&mut self, name: &str) -> Answer {
        let page = "/.sidegate/login?again=1";
        self.try_sign_in_at(page, name, PASSWORD).await.unwrap()
    }

    /// The same against a server that may be killed meanwhile.
    pub async fn try_sign_in(
        &mut self,
        name: &str,
        password: &str,
        return_to: &str,
    ) -> Option<Answer> {
        let page = format!("/.sidegate/login?return_to={return_to}");
        self.try_sign_in_at(&page, name, password).await
    }

    async fn try_sign_in_at(&mut self, page: &str, name: &str, password: &str) -> Option<Answer> {
        let page = self.try_send(Method::GET, page, &[], "").await?;
        assert_eq!(page.status, 200, "{}", page.text());
        let mut fields = page.hidden_fields();
        fields.push(("username".to_owned(), name.to_owned()));
        fields.push(("password".to_owned(), password.to_owned()));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.try_send(Method::POST, "/.sidegate/login", &FORM, &body)
            .await
    }
}

impl Answer {
    /// Names and values of a page's hidden inputs, each once.
    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        let text = self.text();
        let mut fields: Vec<(String, String)> = Vec::new();
        for input in text.split("<input ").skip(1) {
            let input = input.split('>').next().unwrap();
            let attribute = |name: &str| {
                Some(
                    input
                        .split_once(&format!("{name}=\""))?
                        .1
                        .split('"')
                        .next()?
                        .to_owned(),
                )
            };
            if attribute("type").as_deref() != Some("hidden") {
                continue;
            }
            let name = attribute("name").unwrap();
            if fields.iter().all(|(its, _)| *its != name) {
                let value = attribute("value").unwrap_or_default();
                fields.push((name, unescaped(&value)));
            }
        }
        fields
    }
}

/// A value of an attribute as a browser reads it.
pub(super) fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let (name, after) = after.split_once(';').unwrap();
        let number = |digits: &str, base| {
            u32::from_str_radix(digits, base)
                .ok()
                .and_then(char::from_u32)
        };
        text.push(match name {
            "quot" => '"',
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            name => name
                .strip_prefix("#x")
                .and_then(|digits| number(digits, 16))
                .or_else(|| number(name.strip_prefix('#')?, 10))
                .unwrap_or_else(|| panic!("&{name};")),
        });
        rest = after;
    }
    text.push_str(rest);
    text
}
