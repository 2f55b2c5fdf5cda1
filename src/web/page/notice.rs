//! Pages that tell: refused and failed requests, sign-out, forms that wait, and the way to an idp.

use std::time::Duration;

use http::{Method, StatusCode};
use maud::{Markup, html};

use super::{Forms, Look, Page, button};
use crate::problem::Problem;

/// A form that met an ended session and can be sent now.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// What the person did, as `POST`.
    pub method: &'a str,
    /// Path of the app it was for, without its query.
    pub path: &'a str,
    /// Where the form goes: its own target with the handle of what was kept.
    pub action: &'a str,
}

/// Why a form could not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Too large, or not the app's own form.
    NeverKept,
    /// It was kept for a quarter of an hour, or was sent already.
    Gone,
    /// Another person wrote it in this browser.
    Others,
}

/// A refusal or a failure.
pub fn problem(look: &Look, problem: &Problem, request_id: &str, method: &Method) -> Page {
    let (title, advice) = words(problem.status, problem.code);
    let signing_in = ["sign_in", "oidc", "saml", "login"]
        .iter()
        .any(|area| problem.code.starts_with(area));
    let again = look.at("login");
    let other = format!("{again}?again=1");
    let mail = format!("{title} ({request_id})");
    let read_only = matches!(*method, Method::GET | Method::HEAD);
    let body = html! {
        h1 { (title) }
        p { (problem.detail) }
        @if let Some(wait) = problem.retry_after { p.quiet { (self::wait(wait)) } }
        @else if !advice.is_empty() { p.quiet { (advice) } }
        @if !look.contact.is_empty() {
            p.quiet {
                @if problem.status == StatusCode::FORBIDDEN { "For access, ask " } @else { "If it goes on, ask " }
                (look.contact(&mail)) "."
            }
        }
        div.actions {
            @match problem.status {
                StatusCode::UNAUTHORIZED => (button(&again, "Sign in", true)),
                StatusCode::FORBIDDEN => (button(&other, "Use another account", true)),
                _ if signing_in => (button(&again, "Sign in again", true)),
                status if status.is_server_error() && read_only => (button("", "Try again", true)),
                _ => (button("/", "To the start page", true)),
            }
        }
        (trace(problem.code, request_id))
    };
    Page {
        names_contact: true,
        ..Page::new(title, body)
    }
}

/// After sign-out. `open_at` is the idp where the person may still be signed in.
pub fn signed_out(look: &Look, open_at: Option<&str>) -> Page {
    let body = html! {
        h1 { "You are signed out" }
        p.quiet { (look.named("Your session", "at")) " has ended in this browser." }
        @if let Some(idp) = open_at {
            p.note {
                "You may still be signed in at " strong { (idp) }
                ". On a computer that others use, sign out there too, or close all windows of the browser."
            }
        }
        div.actions { (button(&look.at("login"), "Sign in again", true)) }
    };
    Page::new("Signed out", body)
}

/// Asks before a sign-out that another site wants.
pub fn sign_out(look: &Look) -> Page {
    let body = html! {
        h1 { (look.named("Sign out", "of")) "?" }
        p.quiet { "Another site sent you here. Nothing has happened yet." }
        div.actions {
            // A link, not a form: sign-out may lead on to the idp, and `form-action` would hold that up.
            (button(&look.at("logout"), "Sign out", true))
            (button("/", "Stay signed in", false))
        }
    };
    Page::new("Sign out", body)
}

/// A form waited for its person: nothing is sent before they say so.
pub fn resume(waiting: Waiting<'_>) -> Page {
    let body = html! {
        h1 { "You are signed in again" }
        p.quiet { "Your session had ended when you sent a form. What you entered was kept and has not been sent yet." }
        dl {
            dt { "Where" } dd { code { (waiting.method) " " (waiting.path) } }
        }
        form method="post" action=(waiting.action) {
            button.button.main { "Send it now" }
        }
        div.actions { (button("/", "Discard it", false)) }
    };
    Page::new("Continue where you were", body).with_forms(Forms::App)
}

/// What was sent is lost; `to` is where it was for.
pub fn stopped(why: NotKept, to: &str) -> Page {
    let reason = match why {
        NotKept::NeverKept => {
            "Your session had ended when you sent a form, and the form could not be kept: it was too large, or of a kind that is not kept."
        }
        NotKept::Gone => {
            "The form that waited for you is no longer here: it was sent already, or it waited for more than 15 minutes."
        }
        NotKept::Others => {
            "The form that waited here was written by somebody else, who was signed in before you. It was not sent, and it cannot be sent in your name."
        }
    };
    let others = matches!(why, NotKept::Others);
    let body = html! {
        h1 { @if others { "You are signed in" } @else { "You are signed in again" } }
        p { (reason) }
        @if !others {
            p.quiet {
                "Nothing was sent twice. Go back to the page and check it; often the browser's Back button still has what you entered."
            }
        }
        div.actions { (button(to, "Go to the page", true)) }
    };
    Page::new("Please check what you sent", body)
}

/// On the way to an idp that an e-mail address found.
pub fn leaving(label: &str, href: &str) -> Page {
    let body = html! {
        h1 { "One moment" }
        p.quiet { "You are being taken to " (label) " to sign in." }
        div.actions { (button(href, &format!("Continue with {label}"), true)) }
    };
    Page {
        refresh: Some(href.to_owned()),
        ..Page::new("Sign in", body)
    }
}

/// What people quote when they ask for help.
fn trace(code: &str, request_id: &str) -> Markup {
    html! {
        p.trace {
            "When you ask for help, quote this:" br;
            code { (request_id) } br;
            code { (code) }
        }
    }
}

/// What happened, and what to do where the problem's own text may not say it.
fn words(status: StatusCode, code: &str) -> (&'static str, &'static str) {
    match status.as_u16() {
        502 if code.starts_with("app_login.") => (
            "The app does not let you in",
            "This is not your fault, and signing in here again does not help.",
        ),
        401 => ("Please sign in", ""),
        403 => ("You have no access", ""),
        404 => (
            "There is nothing here",
            "Check the address, or start from the front page.",
        ),
        405 => ("This does not work here", "Go back and try it another way."),
        408 => ("That took too long", "Check your connection and try again."),
        413 => ("That is too large", "Send less at once."),
        429 => ("Too many tries", "Wait a moment and try again."),
        431 => (
            "Your browser sent too much",
            "Clear the cookies of this site and try again.",
        ),
        502 => (
            "The app cannot be reached",
            "This is not your fault. It may be starting again: try in a minute.",
        ),
        503 => (
            "Not available just now",
            "This is not your fault. Try again in a minute.",
        ),
        504 => (
            "The app did not answer in time",
            "This is not your fault. Before you send something again, look whether it was done.",
        ),
        400..=499 => ("That request cannot be served", ""),
        _ => (
            "Something went wrong",
            "This is not your fault. Try again in a minute.",
        ),
    }
}

/// `Please wait 3 minutes, then try again.`
pub fn wait(wait: Duration) -> String {
    let secs = wait.as_secs().max(1);
    let (count, unit) = if secs < 90 {
        (secs, "second")
    } else {
        (secs.div_ceil(60), "minute")
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("Please wait {count} {unit}{plural}, then try again.")
}
