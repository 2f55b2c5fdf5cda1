//! The demo app's pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem; }
nav a { margin-right: 1rem; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }
td { overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; }
code, pre { font-size: .9em; overflow-wrap: anywhere; white-space: pre-wrap; }
.live { padding: .6rem .8rem; border-radius: .4rem; background: #2a73; }
.live.cut { background: #c336; }
@media (max-width: 30rem) { th, td { display: block; border: 0; padding: .1rem 0; } tr { border-bottom: 1px solid #8886; } }
";

/// The app's own script: a stream that stays open, and what happens when it is cut.
const SCRIPT: &str = "
const live = document.getElementById('live');
const events = new EventSource('/events');
events.onmessage = event => { live.textContent = 'Live for ' + event.data + ' s.'; };
events.onerror = () => {
  events.close();
  live.className = 'live cut';
  live.textContent = 'The stream was cut: this session has ended, or the demo has. Reload the page.';
};
";

pub(super) fn home(headers: &HeaderMap) -> Markup {
    let name = text(headers, "x-forwarded-name");
    page(
        "Demo app",
        &html! {
            h1 { "Hello " (if name.is_empty() { "whoever you are" } else { &name }) }
            p { "This app has no sign-in of its own. It shows what arrived with your request." }
            p #live .live { "Opening a stream …" }
            (identity(headers))
            (assertion(headers))
            (others(headers))
            script { (PreEscaped(SCRIPT)) }
        },
    )
}

pub(super) fn admin(headers: &HeaderMap) -> Markup {
    page(
        "Administration",
        &html! {
            h1 { "Administration" }
            p { "Only the role ADMIN gets here: " code { "[[rule]] path = \"/admin/**\" roles = [\"ADMIN\"]" } }
            (identity(headers))
        },
    )
}

pub(super) fn public(headers: &HeaderMap) -> Markup {
    page(
        "Public",
        &html! {
            h1 { "Public" }
            p { "No session is needed here, and no identity arrives: not even one that the browser made up." }
            (identity(headers))
        },
    )
}

pub(super) fn not_found() -> Markup {
    page(
        "Not here",
        &html! {
            h1 { "Not here" }
            p { "The demo app does not know this page." }
        },
    )
}

fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav {
                    a href="/" { "Home" }
                    a href="/admin" { "Admins only" }
                    a href="/public" { "Public" }
                    a href="/.sidegate/whoami" { "Who am I" }
                    a href="/.sidegate/logout" { "Sign out" }
                }
                main { (content) }
            }
        }
    }
}

fn is_identity(name: &HeaderName) -> bool {
    let name = name.as_str();
    // These tell where a request came from, not from whom.
    let way = ["for", "proto", "host", "port"];
    let claim = |rest: &str| !way.contains(&rest);
    name.strip_prefix("x-forwarded-").is_some_and(claim) || name.starts_with("x-demo-")
}

fn is_assertion(name: &HeaderName) -> bool {
    name == "x-sidegate-assertion"
}

fn identity(headers: &HeaderMap) -> Markup {
    let rows: Vec<_> = headers.keys().filter(|name| is_identity(name)).collect();
    html! {
        h2 { "Identity headers" }
        @if rows.is_empty() {
            p { "None." }
        } @else {
            table { @for name in rows { tr { th { (name) } td { (text(headers, name.as_str())) } } } }
        }
    }
}

/// The JWT's payload; an app would verify the signature with the keys at `/.sidegate/jwks.json`.
fn assertion(headers: &HeaderMap) -> Markup {
    let token = text(headers, "x-sidegate-assertion");
    let payload = token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD
        .decode(payload)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .and_then(|claims| serde_json::to_string_pretty(&claims).ok());
    html! {
        @if let Some(claims) = claims {
            h2 { "Signed assertion" }
            p {
                "In " code { "x-sidegate-assertion" } ", for apps that verify; the keys are at "
                a href="/.sidegate/jwks.json" { "/.sidegate/jwks.json" } "."
            }
            pre { (claims) }
        }
    }
}

fn others(headers: &HeaderMap) -> Markup {
    let other = |name: &&HeaderName| !is_identity(name) && !is_assertion(name);
    html! {
        details {
            summary { "All other headers" }
            table { @for name in headers.keys().filter(other) { tr { th { (name) } td { (text(headers, name.as_str())) } } } }
        }
    }
}

/// All values of a header; what is no UTF-8 is shown as far as it goes.
pub(super) fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    values.join(", ")
}
