//! Our few HTML pages: small, under a strict CSP (R51), without JavaScript but for the line that sends a form on to an idp.
//!
//! Templates escape every value. Refuses to load or run anything: style and logo stand in the page itself.

mod colour;
mod idp_form;
mod notice;
mod password;
mod sign_in;

use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use idp_form::idp_form;
pub use notice::{NotKept, Waiting, leaving, problem, resume, sign_out, signed_out, stopped, wait};
pub use password::{ChangePassword, password_changed};
pub use sign_in::{Choice, LocalForm, SignIn};

/// The style of every page; a configured colour comes after it.
const STYLE: &str = include_str!("style.css");
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash(STYLE));

/// Stands where there is neither logo nor name.
const KEYHOLE: &str = "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"><rect x=\"4\" y=\"10\" width=\"16\" height=\"11\" rx=\"2.5\"/><path d=\"M8 10V7a4 4 0 0 1 8 0v3\"/><path d=\"M12 14.5v2.5\"/></svg>";

/// How pages look; made from `[pages]` once.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Name of the app or company.
    pub name: String,
    /// `data:` URI of the logo.
    pub logo: Option<String>,
    /// `#rrggbb`, or empty.
    pub colour: String,
    /// Whom to ask; empty when nobody is named.
    pub contact: String,
    /// Prefix of our own pages (`paths.own`), for links to sign-in and sign-out.
    pub own: String,
}

impl Look {
    /// `Sign in` becomes `Sign in to Miniflux` where there is a name.
    fn named(&self, text: &str, joined_by: &str) -> String {
        if self.name.is_empty() {
            text.to_owned()
        } else {
            format!("{text} {joined_by} {}", self.name)
        }
    }

    /// Address of one of our own pages.
    fn at(&self, page: &str) -> String {
        format!("{}/{page}", self.own)
    }

    /// The contact as people can use it: an address opens the mail program with `subject`.
    fn contact(&self, subject: &str) -> Markup {
        let contact = self.contact.as_str();
        if is_address(contact) {
            let subject = url::form_urlencoded::byte_serialize(subject.as_bytes());
            let subject = subject.collect::<String>().replace('+', "%20");
            html! { a href=(format!("mailto:{contact}?subject={subject}")) { (contact) } }
        } else {
            html! { (contact) }
        }
    }
}

/// Where a page's form may lead, all redirects after it included: Chrome holds `form-action` against those too,
/// and a person whose app sends them on to another host would stay on the sign-in page for no reason they can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Forms {
    /// There is none.
    #[default]
    Nowhere,
    /// Our own origin.
    Own,
    /// Wherever the app sends the browser on.
    App,
    /// An idp, and wherever it sends the browser on.
    Idp,
}

/// One page, before it has a look.
#[derive(Debug)]
pub struct Page {
    title: String,
    body: Markup,
    forms: Forms,
    /// Whether the page itself says whom to ask.
    names_contact: bool,
    /// Goes there at once, without a script; no `form-action` holds it, unlike a redirect after a form.
    refresh: Option<String>,
    /// A fixed text, the only one that may run.
    script: Option<&'static str>,
}

impl Page {
    fn new(title: impl Into<String>, body: Markup) -> Self {
        Self {
            title: title.into(),
            body,
            forms: Forms::Nowhere,
            names_contact: false,
            refresh: None,
            script: None,
        }
    }

    const fn with_forms(mut self, forms: Forms) -> Self {
        self.forms = forms;
        self
    }

    /// The whole document.
    pub fn to_html(&self, look: &Look) -> String {
        let title = match look.name.as_str() {
            "" => self.title.clone(),
            name => format!("{} · {name}", self.title),
        };
        let icon = look.logo.as_deref().unwrap_or("data:,");
        let theme = colour::theme(&look.colour);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    @if let Some(target) = &self.refresh {
                        meta http-equiv="refresh" content=(format!("0;url={target}"));
                    }
                    title { (title) }
                    link rel="icon" href=(icon);
                    style { (PreEscaped(STYLE)) }
                    @if let Some(theme) = &theme { style { (PreEscaped(theme)) } }
                }
                body {
                    main {
                        (header(look))
                        div.card { (self.body) }
                        @if !self.names_contact && !look.contact.is_empty() {
                            footer { "Need help? Ask " (look.contact("Signing in")) "." }
                        }
                    }
                    @if let Some(script) = self.script { script { (PreEscaped(script)) } }
                }
            }
        }
        .into_string()
    }

    /// `Content-Security-Policy` (CSP 3).
    pub fn policy(&self, look: &Look) -> String {
        let mut styles = format!("'sha256-{}'", *STYLE_HASH);
        if let Some(theme) = colour::theme(&look.colour) {
            let _never_fails = write!(styles, " 'sha256-{}'", hash(&theme));
        }
        let forms = match self.forms {
            Forms::Nowhere => "'none'",
            Forms::Own => "'self'",
            Forms::App => "'self' https:",
            Forms::Idp => "*",
        };
        let script = match self.script {
            Some(script) => format!("script-src 'sha256-{}'; ", hash(script)),
            None => String::new(),
        };
        format!(
            "default-src 'none'; {script}style-src {styles}; img-src data:; form-action {forms}; \
             frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

fn header(look: &Look) -> Markup {
    html! {
        header {
            @match (&look.logo, look.name.chars().next()) {
                (Some(logo), _) => { img src=(logo) alt=(look.name); }
                (None, Some(letter)) => {
                    div.mark aria-hidden="true" { (letter.to_uppercase()) }
                    div.name { (look.name) }
                }
                (None, None) => { div.mark aria-hidden="true" { (PreEscaped(KEYHOLE)) } }
            }
        }
    }
}

/// A link that looks like a button.
fn button(href: &str, text: &str, main: bool) -> Markup {
    html! { a.button.main[main] href=(href) { (text) } }
}

/// Something the person has to know before anything else on the page; read out at once.
fn alert(text: &str) -> Markup {
    html! { p.note.bad role="alert" { (text) } }
}

/// Whether a contact is an e-mail address: anything doubtful is shown as text.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    text.chars().all(plain)
        && text.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !domain.contains('@')
        })
}

fn hash(style: &str) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, style.as_bytes()))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
