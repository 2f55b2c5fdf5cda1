//! Miniflux, unmodified: it reads the header on its page `/` only, and then believes its own cookies.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Answer, Client, OidcIdp, PASSWORD, Program, Sidegate, drive, test_file};

/// As an operator would write it.
const SETTINGS: &str = r#"
[upstream.app_session]
cookies = ["MinifluxUserSessionID", "MinifluxAppSessionID"]
login_path = "/"
logout_paths = ["/logout"]
[local]
enabled = true
bcrypt_cost = 4
[[rule]]
path = "/history"
access = "public"
[[rule]]
path = "/feeds"
access = "optional"
"#;
const ZOE: &str = "zoë.o’neil@例え.jp";

/// Follows redirects on this host; gives the last answer and where it came from.
async fn open(browser: &mut Client, link: &str) -> (String, Answer) {
    let mut target = link.to_owned();
    for _ in 0..10 {
        let answer = browser.get(&target).await;
        if !answer.status.is_redirection() {
            return (target, answer);
        }
        answer.location().clone_into(&mut target);
    }
    panic!("{link} leads in circles");
}

/// Whom Miniflux shows its settings to; where it leads when that is nobody.
async fn person(browser: &mut Client) -> Result<String, String> {
    // A link that was led to the login a moment ago is not led there again: then the front page signs in.
    let _page = open(browser, "/").await;
    settings(browser).await
}

async fn settings(browser: &mut Client) -> Result<String, String> {
    let (at, answer) = open(browser, "/settings").await;
    let text = answer.text();
    let name = text.split_once("id=\"form-username\" value=\"");
    match name.and_then(|(_, rest)| rest.split_once('"')) {
        Some((name, _)) => Ok(name.to_owned()),
        None => Err(at),
    }
}

fn of_app(cookies: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let its = cookies
        .iter()
        .filter(|(name, _)| name.starts_with("Miniflux"));
    its.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn miniflux_never_shows_the_person_before() {
    let miniflux = Program::start(Command::new(test_file("apps/start-miniflux.sh"))).await;
    let idp = OidcIdp::start(&[]).await;
    let settings = format!(
        "{SETTINGS}[[idp]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"sidegate\"\nclient_secret = \"sidegate-secret\"\n",
        idp.issuer
    );
    let gate = Sidegate::start(&miniflux.url("url"), &settings).await;
    idp.trust(&gate.url(), "corp").await;
    for name in ["alice", "bob", "carol"] {
        gate.person(name, &[]).await;
    }
    it_believes_its_own_cookies(&miniflux).await;
    deep_links_and_a_change_of_person(&gate).await;
    sign_out(&gate).await;
    its_own_sign_out(&gate).await;
    deactivation(&gate).await;
    in_a_real_browser(&gate).await;
    drop(gate);
    miniflux.end().await;
}

/// What the rest guards against; were it not so, the rest would prove nothing.
async fn it_believes_its_own_cookies(miniflux: &Program) {
    let url = miniflux.url("url");
    let host = url.trim_start_matches("http://");
    let mut browser = Client::new(host.parse().unwrap(), host);
    let user = http::HeaderName::from_static("x-forwarded-user");
    browser.headers.push((user.clone(), "alice".to_owned()));
    assert_eq!(open(&mut browser, "/").await.0, "/unread");
    browser.headers.pop();
    assert_eq!(
        settings(&mut browser).await.as_deref(),
        Ok("alice"),
        "without a header"
    );
    browser.headers.push((user, "bob".to_owned()));
    assert_eq!(
        person(&mut browser).await.as_deref(),
        Ok("alice"),
        "with another's header"
    );
}

async fn deep_links_and_a_change_of_person(gate: &Sidegate) {
    let mut browser = gate.browser();
    let answer = browser.sign_in("alice", PASSWORD, "/settings").await;
    assert_eq!(answer.location(), "/settings");
    assert_eq!(settings(&mut browser).await.as_deref(), Ok("alice"));
    let (at, answer) = open(&mut browser, "/integrations?x=1").await;
    assert_eq!(
        (at.as_str(), answer.status.as_u16()),
        ("/integrations?x=1", 200)
    );
    let alices = of_app(&browser.cookies);
    assert_eq!(alices.len(), 2, "{alices:?}");

    // Somebody else signs in while alice's session and cookies are there.
    let answer = browser.sign_in_again("bob").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(of_app(&browser.cookies), alices, "still in the browser");
    assert_eq!(settings(&mut browser).await.as_deref(), Ok("bob"));
    for (name, value) in of_app(&browser.cookies) {
        assert_ne!(alices.get(&name), Some(&value), "{name}");
    }
    // Whoever brings them back is bob all the same.
    browser.cookies.extend(alices);
    assert_eq!(person(&mut browser).await.as_deref(), Ok("bob"));
}

async fn sign_out(gate: &Sidegate) {
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Ok("alice"));
    let before = browser.cookies.clone();
    let out = browser.get("/.sidegate/logout").await;
    assert!(out.location().starts_with("/.sidegate/logout/done"));
    // Whose form may be given back is remembered, and opens nothing.
    browser.cookies.remove("sidegate-person");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    is_nobody(gate, before).await;
}

/// With cookies of a session that ended, ours and the app's.
async fn is_nobody(gate: &Sidegate, before: BTreeMap<String, String>) {
    let mut browser = gate.browser();
    for target in ["/settings", "/history", "/feeds"] {
        browser.cookies = before.clone();
        let (at, answer) = open(&mut browser, target).await;
        assert!(
            at.starts_with("/.sidegate/login"),
            "{target} leads to {at}: {}",
            answer.text()
        );
        assert!(
            !answer.text().contains("alice"),
            "{target}: {}",
            answer.text()
        );
    }
    browser.cookies.extend(of_app(&before));
    let answer = browser.sign_in("carol", PASSWORD, "/").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser.cookies.extend(of_app(&before));
    assert_eq!(person(&mut browser).await.as_deref(), Ok("carol"));
}

async fn its_own_sign_out(gate: &Sidegate) {
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Ok("alice"));
    let before = browser.cookies.clone();
    let (at, page) = open(&mut browser, "/logout").await;
    assert!(at.starts_with("/.sidegate/logout/done"), "{at}");
    assert!(
        page.text().contains("You are signed out"),
        "{}",
        page.text()
    );
    is_nobody(gate, before).await;
}

async fn deactivation(gate: &Sidegate) {
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Ok("alice"));
    let before = browser.cookies.clone();
    gate.set_active("alice", false).await;
    is_nobody(gate, before.clone()).await;
    // Let in again, but what she had before stays dead.
    gate.set_active("alice", true).await;
    is_nobody(gate, before.clone()).await;
    let mut back = gate.signed_in("alice").await;
    back.cookies.extend(of_app(&before));
    assert_eq!(person(&mut back).await.as_deref(), Ok("alice"));
    for (name, value) in of_app(&back.cookies) {
        assert_ne!(before.get(&name), Some(&value), "{name}");
    }
}

/// Through the provider, with a name that no ASCII holds; then somebody else, on top of the cookies that are there.
async fn in_a_real_browser(gate: &Sidegate) {
    let url = gate.url();
    let is = |name: &str| {
        let expression = "document.querySelector('#form-username').value";
        json!({"eval": expression, "equals": name})
    };
    let sign_in = |name: &str, password: &str| {
        [
            json!({"fill": "#username", "value": name}),
            json!({"fill": "#password", "value": password}),
            json!({"press": "Enter", "on": "#password"}),
            json!({"expect_url": format!("^{url}/settings$")}),
            is(name),
        ]
    };
    let choose = [
        json!({"goto": format!("{url}/settings")}),
        json!({"expect_url": r"/\.sidegate/login\?"}),
        json!({"click": ".choices a"}),
        json!({"expect_url": "/interaction/"}),
    ];
    let out = [
        json!({"goto": format!("{url}/logout")}),
        json!({"expect_text": "You are signed out"}),
        json!({"cookies": true}),
    ];
    let mut steps = Vec::from(choose.clone());
    steps.extend(sign_in(ZOE, "password"));
    // Its own sign-out is one at the provider too, which asks again.
    steps.extend(out.clone());
    steps.extend(choose);
    steps.extend(sign_in(ZOE, "password"));
    steps.extend([
        json!({"cookies": true}),
        json!({"goto": format!("{url}/.sidegate/login?again=1&return_to=/settings")}),
    ]);
    steps.extend(sign_in("bob", PASSWORD));
    steps.extend(out);
    let lines = drive(&json!(steps)).await;
    let left = |line: &serde_json::Value| {
        let cookies = line["cookies"].as_array().unwrap().iter();
        cookies
            .filter(|cookie| cookie["name"].as_str().unwrap().starts_with("Miniflux"))
            .count()
    };
    let counts: Vec<_> = lines
        .iter()
        .filter(|line| line["do"] == "cookies")
        .map(left)
        .collect();
    assert_eq!(counts, [0, 2, 0], "they went with the session");
}
