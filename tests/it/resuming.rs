//! A form that met an ended session: it waits for its person and is sent again, once, when they say so.

use http::header::CONTENT_TYPE;
use http::{HeaderName, Method};

use crate::support::{Answer, Client, PASSWORD, Seen, Sidegate, UpstreamApp};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
const FORM: &str = "application/x-www-form-urlencoded";

async fn post(client: &mut Client, target: &str, site: &str, body: &str) -> Answer {
    let headers = [
        (CONTENT_TYPE, FORM),
        (HeaderName::from_static("sec-fetch-site"), site),
    ];
    client.send(Method::POST, target, &headers, body).await
}

/// Signs in on the page that the answer leads to, and gives the last answer.
async fn sign_in_there(client: &mut Client, led: &Answer) -> Answer {
    sign_in_there_as("alice", client, led).await
}

async fn sign_in_there_as(name: &str, client: &mut Client, led: &Answer) -> Answer {
    assert_eq!(led.status, 303, "{}", led.text());
    let page = client.get(led.location()).await;
    let mut fields = page.hidden_fields();
    fields.push(("username".to_owned(), name.to_owned()));
    fields.push(("password".to_owned(), PASSWORD.to_owned()));
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let done = client.post_form("/.sidegate/login", &fields).await;
    client.get(done.location()).await
}

/// Where the page's one form posts to.
fn action(page: &Answer) -> String {
    let text = page.text();
    let action = text
        .split("action=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no form: {text}"));
    action.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_sent_again_once() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.browser();
    let led = post(
        &mut alice,
        "/save?draft=1",
        "same-origin",
        "text=a+long+story",
    )
    .await;
    let page = sign_in_there(&mut alice, &led).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        app.seen().is_empty(),
        "nothing is sent unasked: {:?}",
        app.seen()
    );
    let action = action(&page);
    let seen: Seen = post(&mut alice, &action, "same-origin", "").await.json();
    assert_eq!(
        (seen.target.as_str(), seen.body.as_str()),
        ("/save?draft=1", "text=a+long+story")
    );
    assert_eq!(seen.header("content-type"), Some(FORM));
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    let again = post(&mut alice, &action, "same-origin", "").await;
    assert_eq!(again.status, 410, "{}", again.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_site_or_browser_is_not_sent() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.browser();
    let led = post(&mut alice, "/transfer", "cross-site", "to=mallory").await;
    let page = sign_in_there(&mut alice, &led).await;
    assert!(!page.text().contains("sidegate-resume"), "{}", page.text());

    let mut mallory = gate.browser();
    let led = post(&mut mallory, "/transfer", "same-origin", "to=mallory").await;
    let page = sign_in_there(&mut mallory, &led).await;
    let stolen = action(&page);
    let mut alice = gate.signed_in("alice").await;
    let answer = post(&mut alice, &stolen, "same-origin", "").await;
    assert_eq!(answer.status, 410, "{}", answer.text());
    assert!(app.seen().is_empty(), "{:?}", app.seen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_too_large_is_told() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.browser();
    let body = format!("text={}", "a".repeat(70 * 1024));
    let led = post(&mut alice, "/save", "same-origin", &body).await;
    let page = sign_in_there(&mut alice, &led).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(!page.text().contains("sidegate-resume"), "{}", page.text());
    assert!(page.text().contains("/save"), "{}", page.text());
    assert!(app.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_a_form_is_not_sent_as_another_person() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    gate.person("bob", &[]).await;
    for signs_out in [false, true] {
        let mut shared = gate.signed_in("alice").await;
        // Her session ends, and hers is the form in the open page.
        if signs_out {
            shared.post_form("/.sidegate/logout", &[]).await;
            assert!(!shared.cookies.contains_key("sidegate"), "still signed in");
        } else {
            gate.set_active("alice", false).await;
            gate.set_active("alice", true).await;
        }
        let led = post(&mut shared, "/transfer", "same-origin", "to=carol").await;
        let page = sign_in_there_as("bob", &mut shared, &led).await;
        let text = page.text();
        assert!(text.contains("written by somebody else"), "{text}");
        assert!(!text.contains("sidegate-resume"), "{text}");
        // Even when he asks for it by its name.
        let handle = led.location().split("kept%3D").nth(1).unwrap();
        let stolen = format!("/transfer?sidegate-resume={handle}");
        let answer = post(&mut shared, &stolen, "same-origin", "").await;
        assert_eq!(answer.status, 410, "{}", answer.text());
        assert!(app.seen().is_empty(), "{:?}", app.seen());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packed_form_is_not_kept() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.browser();
    let headers = [
        (CONTENT_TYPE, FORM),
        (http::header::CONTENT_ENCODING, "gzip"),
        (HeaderName::from_static("sec-fetch-site"), "same-origin"),
    ];
    let led = alice.send(Method::POST, "/save", &headers, "packed").await;
    let page = sign_in_there(&mut alice, &led).await;
    assert!(page.text().contains("could not be kept"), "{}", page.text());
    assert!(!page.text().contains("sidegate-resume"), "{}", page.text());
}
