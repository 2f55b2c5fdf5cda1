//! Sign-in, sign-out and everything around them in a real browser, beside the real OpenID provider.

use serde_json::{Value, json};
use sidegate::identity::TenantSlug;
use sidegate::secret::Secret;
use sidegate::server::control::{Create, Operation};

use crate::support::{OidcIdp, PASSWORD, Sidegate, UpstreamApp, drive};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
const NEW_PASSWORD: &str = "another horse, another battery";
const WRONG: &str = "User name or password is wrong.";
pub const SIGNED_OUT: &str = "You are signed out";

/// Steps for [`drive`].
#[derive(Default)]
pub struct Steps(Vec<Value>);

impl Steps {
    pub fn then(mut self, steps: Value) -> Self {
        if let Value::Array(steps) = steps {
            self.0.extend(steps);
        } else {
            self.0.push(steps);
        }
        self
    }

    /// One key after the other, into whatever has the focus.
    fn type_keys(mut self, text: &str) -> Self {
        let keys = text.chars().map(|key| json!({ "press": key.to_string() }));
        self.0.extend(keys);
        self
    }

    /// On our sign-in page.
    fn sign_in(self, name: &str, password: &str) -> Self {
        self.then(json!([
            {"fill": "#username", "value": name},
            {"fill": "#password", "value": password},
            {"press": "Enter", "on": "#password"},
        ]))
    }

    /// On the provider's page.
    fn sign_in_at_idp(self, name: &str) -> Self {
        self.then(json!([
            {"expect_url": "/interaction/"},
            {"fill": "#username", "value": name},
            {"fill": "#password", "value": "password"},
            {"click": "#login"},
        ]))
    }

    /// The focus is here.
    fn focus(self, id: &str) -> Self {
        self.then(json!({"eval": "document.activeElement.id", "equals": id}))
    }

    /// The app sees this person, at this address.
    pub fn at_app(self, address: &str, person: &str) -> Self {
        let told = format!("[\"x-forwarded-user\",\"{person}\"]");
        self.then(json!([{"expect_url": address}, {"expect_text": told}]))
    }

    /// Runs them all; no page of ours at `origin` may break a rule of its own or complain in the console.
    pub async fn run(self, origin: &str, hosts: Value) -> Vec<Value> {
        let lines = drive(&json!({"hosts": hosts, "steps": self.0})).await;
        for line in &lines {
            if !line["url"].as_str().unwrap().starts_with(origin) {
                continue;
            }
            // Chromium writes the status of every refusal there.
            let status = "the server responded with a status of 4";
            let complaints = line["console"].as_array().into_iter().flatten();
            let odd = |text: &&Value| !text.as_str().unwrap().contains(status);
            assert_eq!(complaints.filter(odd).count(), 0, "{line}");
            assert!(
                line["csp"].is_null() && line["uncaught"].is_null(),
                "{line}"
            );
        }
        lines
    }
}

/// One cookie of the last step that asked for them.
pub fn cookie<'a>(lines: &'a [Value], name: &str) -> Option<&'a Value> {
    let cookies = lines.iter().rev().find(|line| line["do"] == "cookies");
    let cookies = cookies.unwrap()["cookies"].as_array().unwrap();
    cookies.iter().find(|cookie| cookie["name"] == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_person_needs_a_keyboard_and_no_script() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let url = gate.url();
    let steps = Steps::default()
        .then(json!([
            {"goto": format!("{url}/wanted?x=1")},
            {"expect_url": r"/\.sidegate/login\?return_to=%2Fwanted%3Fx%3D1$"},
            {"expect_status": 200},
        ]))
        .focus("username")
        .type_keys("alice")
        .then(json!({"press": "Tab"}))
        .focus("password")
        .type_keys("wrong")
        .then(json!([{"press": "Enter"}, {"expect_text": WRONG, "in": "[role=alert]"}, {"expect_status": 401}]))
        .focus("password")
        .then(json!({"eval": "document.querySelector('#username').value", "equals": "alice"}))
        .type_keys(PASSWORD)
        .then(json!({"press": "Enter"}))
        .at_app(r"/wanted\?x=1$", "alice")
        .then(json!([
            {"cookies": true},
            {"eval": "document.cookie", "equals": ""},
            {"goto": format!("{url}/write")},
            {"press": "Tab"}, {"press": "Tab"}, {"press": "Tab"},
        ]))
        .focus("out")
        .then(json!([
            {"press": "Enter"},
            {"expect_text": SIGNED_OUT},
            {"goto": format!("{url}/wanted")},
            {"expect_url": r"/\.sidegate/login\?"},
            // The same without JavaScript, all the way.
            {"new_context": "scriptless", "javascript": false},
            {"goto": format!("{url}/wanted")},
        ]))
        .sign_in("alice", "wrong")
        .then(json!({"expect_text": WRONG}))
        .sign_in("alice", PASSWORD)
        .at_app("/wanted$", "alice")
        .then(json!([
            {"goto": format!("{url}/write")},
            {"click": "#out"},
            {"expect_text": SIGNED_OUT},
            {"click": ".actions a"},
            {"expect": "#username"},
            {"expect_clean": true},
        ]));
    let lines = steps.run(&url, json!({})).await;
    let session = cookie(&lines, "sidegate").unwrap();
    assert_eq!(session["httpOnly"], true);
    assert_eq!(session["sameSite"], "Lax");
    assert_eq!(session["path"], "/");
    assert_eq!(session["domain"], "localhost", "of this host alone");
    assert_eq!(session["secure"], false, "by http");
    assert_eq!(session["expires"], -1, "it ends with the browser");
    let browser = cookie(&lines, "sidegate-browser").unwrap();
    assert_eq!(
        (&browser["httpOnly"], &browser["sameSite"]),
        (&json!(true), &json!("Lax"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_sign_in_at_once() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let url = gate.url();
    let steps = Steps::default()
        .then(json!([
            {"goto": format!("{url}/one")}, {"expect": "#username"},
            {"tab": "second"}, {"goto": format!("{url}/two")}, {"expect": "#username"},
        ]))
        .sign_in("alice", PASSWORD)
        .at_app("/two$", "alice")
        .then(json!({"tab": "main"}))
        .sign_in("alice", PASSWORD)
        .at_app("/one$", "alice")
        .then(json!([{"tab": "second"}, {"reload": true}]))
        .at_app("/two$", "alice")
        .then(json!({"expect_clean": true}));
    steps.run(&url, json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r58_passwords_are_changed() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let bob = Create {
        tenant: TenantSlug::default(),
        user_name: "bob".to_owned(),
        email: None,
        display_name: None,
        roles: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
        must_change: true,
    };
    let _made: Value = gate.ask(Operation::UserCreate(bob)).await;
    let url = gate.url();
    let save = json!({"press": "Enter", "on": "#repeat"});
    let steps = Steps::default()
        .then(json!({"goto": format!("{url}/.sidegate/password")}))
        .sign_in("alice", PASSWORD)
        .then(json!([{"expect_url": r"/\.sidegate/password$"}, {"fill": "#password", "value": "wrong"},
            {"fill": "#new", "value": NEW_PASSWORD}, {"fill": "#repeat", "value": NEW_PASSWORD}, save,
            {"expect_text": "The current password is wrong.", "in": "[role=alert]"},
            {"fill": "#password", "value": PASSWORD},
            {"fill": "#new", "value": NEW_PASSWORD}, {"fill": "#repeat", "value": NEW_PASSWORD}, save,
            {"expect_text": "Your password is changed"}, {"click": ".actions a"}]))
        .at_app("/$", "alice")
        .then(json!([{"new_context": "elsewhere"}, {"goto": format!("{url}/wanted")}]))
        .sign_in("alice", PASSWORD)
        .then(json!({"expect_text": WRONG}))
        .sign_in("alice", NEW_PASSWORD)
        .at_app("/wanted$", "alice")
        // A first password is good for one thing: a new one.
        .then(json!([{"new_context": "bob"}, {"goto": format!("{url}/wanted")}]))
        .sign_in("bob", PASSWORD)
        .then(json!([{"expect_url": r"/\.sidegate/password\?step="}]))
        .focus("new")
        .then(json!([{"tab": "second"}, {"goto": format!("{url}/wanted")}, {"expect": "#username"},
            {"tab": "main"}, {"fill": "#new", "value": NEW_PASSWORD}, {"fill": "#repeat", "value": PASSWORD}, save,
            {"expect_text": "The two new passwords are not the same."},
            {"fill": "#new", "value": PASSWORD}, {"fill": "#repeat", "value": PASSWORD}, save,
            {"expect_text": "Choose another password than the one you have."},
            {"fill": "#new", "value": NEW_PASSWORD}, {"fill": "#repeat", "value": NEW_PASSWORD}, save]))
        .at_app("/wanted$", "bob")
        .then(json!({"expect_clean": true}));
    steps.run(&url, json!({})).await;
}

/// What is written when the session ends is kept, shown to nobody else, and sent once.
fn write_and_lose(url: &str, context: &str, password: &str, next: &str) -> Steps {
    Steps::default()
        .then(json!([{"context": context}, {"goto": format!("{url}/write")}]))
        .sign_in("alice", password)
        .then(json!([{"expect": "#save"}, {"fill": "textarea", "value": "a long story, not yet sent"}]))
        // Elsewhere the password is changed, which ends this session.
        .then(json!([{"new_context": next}, {"goto": format!("{url}/.sidegate/password")}]))
        .sign_in("alice", password)
        .then(json!([{"expect": "#new"}, {"fill": "#password", "value": password},
            {"fill": "#new", "value": next}, {"fill": "#repeat", "value": next}, {"press": "Enter", "on": "#repeat"},
            {"expect_text": "Your password is changed"},
            {"context": context}, {"click": "#save"}, {"expect_url": r"/\.sidegate/login\?"}]))
        .sign_in("alice", next)
        .then(json!([{"expect_url": r"/\.sidegate/resume\?kept="}, {"expect_text": "You are signed in again"},
            {"expect_text": "POST /save"}, {"expect_no_text": "a long story"}, {"click": "form button"}]))
        .at_app(r"/save\?draft=1&sidegate-resume=", "alice")
        .then(json!([{"expect_text": "\"body\":\"text=a+long+story%2C+not+yet+sent\""},
            {"expect_text": "\"target\":\"/save?draft=1\""}, {"expect_clean": true}]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_survives_the_end_of_its_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let url = gate.url();
    let second = "a second horse of hers";
    let steps = write_and_lose(&url, "main", PASSWORD, second)
        .then(json!([{"reload": true}, {"expect_status": 410}, {"expect_text": "go back and enter it again"},
            {"new_context": "scriptless", "javascript": false}]));
    let again = write_and_lose(&url, "scriptless", second, "a third horse of hers");
    steps.then(Value::Array(again.0)).run(&url, json!({})).await;
    let sent = app.seen().into_iter().filter(|seen| seen.method == "POST");
    assert_eq!(sent.count(), 2, "each was sent once");
}

/// Behind TLS, under a name of its own, with the provider on another site: as people have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_and_out_through_the_provider() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let folder = std::env::temp_dir().join(format!(
        "sidegate-test-{}",
        sidegate::crypto::random_token()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["app.example.com".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let further = format!(
        "public_url = \"https://app.example.com\"\nserver.tls.certificate_file = \"{0}/tls.crt\"\nserver.tls.key_file = \"{0}/tls.key\"\n\
         [[idp]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"{1}\"\nclient_id = \"sidegate\"\nclient_secret = \"sidegate-secret\"\n\
         scopes = [\"openid\", \"profile\", \"email\", \"groups\"]\n",
        folder.display(),
        idp.issuer
    );
    let gate = Sidegate::start_in(folder, &app.url(), &further).await;
    let url = "https://app.example.com";
    idp.trust(url, "corp").await;
    let steps = Steps::default()
        .then(json!([{"goto": format!("{url}/wanted?x=1")}, {"expect_url": format!("^{}/interaction/", idp.issuer)},
            {"click": "#cancel"}, {"expect_url": format!("^{url}/oidc/corp/callback")}, {"expect_status": 403},
            {"expect_text": "You cancelled the sign-in"}, {"goto": format!("{url}/wanted?x=1")}]))
        .sign_in_at_idp("alice")
        .at_app(&format!(r"^{url}/wanted\?x=1$"), "alice")
        .then(json!([{"cookies": true}, {"eval": "document.cookie", "equals": ""},
            {"goto": format!("{url}/write")}, {"click": "#out"},
            {"expect_url": format!(r"^{url}/\.sidegate/logout/done")}, {"expect_text": SIGNED_OUT},
            // Neither here nor at the provider is anybody left.
            {"goto": format!("{url}/wanted")}, {"expect_url": "/interaction/"}, {"expect": "#password"},
            // Two tabs at once; the second ends first.
            {"new_context": "tabs"}, {"goto": format!("{url}/one")}, {"expect_url": "/interaction/"},
            {"tab": "second"}, {"goto": format!("{url}/two")}]))
        .sign_in_at_idp("zoë.o’neil@例え.jp")
        .at_app("/two$", "zoë.o’neil@例え.jp")
        .then(json!({"tab": "main"}))
        .sign_in_at_idp("zoë.o’neil@例え.jp")
        .at_app("/one$", "zoë.o’neil@例え.jp")
        .then(json!([{"tab": "second"}, {"reload": true}]))
        .at_app("/two$", "zoë.o’neil@例え.jp")
        .then(json!([{"new_context": "scriptless", "javascript": false}, {"goto": format!("{url}/wanted")}]))
        .sign_in_at_idp("bob")
        .at_app("/wanted$", "bob")
        .then(json!({"expect_clean": true}));
    let hosts = json!({"app.example.com": gate.address.to_string()});
    let lines = steps.run(url, hosts).await;
    for name in ["__Host-sidegate", "__Host-sidegate-browser"] {
        let cookie = cookie(&lines, name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(cookie["secure"], true, "{name}");
        assert_eq!(cookie["httpOnly"], true, "{name}");
        assert_eq!(cookie["sameSite"], "Lax", "{name}");
        assert_eq!(cookie["path"], "/", "{name}");
        assert_eq!(cookie["domain"], "app.example.com", "{name}");
    }
}
