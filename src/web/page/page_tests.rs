//! Every page as it is sent, and what all of them have in common.

use std::time::Duration;

use http::{Method, StatusCode};

use super::colour::Colour;
use super::*;
use crate::problem::Problem;

const ODD: &str = "<b>\"O’Neil\" & 'Söhne'</b>";

fn look() -> Look {
    Look {
        name: "Handbook".to_owned(),
        logo: None,
        colour: String::new(),
        contact: "it@corp.test".to_owned(),
        own: "/.sidegate".to_owned(),
    }
}

fn sign_in<'a>(choices: &[&str], local: Option<LocalForm<'a>>) -> SignIn<'a> {
    let choice = |label: &&str| Choice {
        label: (*label).to_owned(),
        href: format!("/.sidegate/login?idp={}", label.to_lowercase()),
    };
    SignIn {
        choices: choices.iter().map(choice).collect(),
        by_email: choices.len() > 1,
        local,
        email: "",
        error: None,
        return_to: "/notes?a=1&b=2",
        again: false,
    }
}

const FORM: LocalForm<'_> = LocalForm {
    token: "token-1",
    user_name: "",
};

/// All pages by name; `text` stands wherever somebody else chose the text.
fn pages(look: &Look, text: &str) -> Vec<(&'static str, Page)> {
    let mut pages = forms(look, text);
    pages.extend(notices(look, text));
    pages.extend(problems(look, text));
    pages
}

fn forms(look: &Look, text: &str) -> Vec<(&'static str, Page)> {
    let failed = LocalForm {
        user_name: text,
        ..FORM
    };
    let failed = SignIn {
        error: Some(text),
        ..sign_in(&["Entra", "Okta"], Some(failed))
    };
    let unknown = SignIn {
        error: Some(text),
        email: text,
        ..sign_in(&["Entra", "Okta"], None)
    };
    let again = SignIn {
        again: true,
        ..sign_in(&["Entra"], None)
    };
    let change = ChangePassword {
        user_name: text,
        step: None,
        token: "token-1",
        min_length: 10,
        error: None,
    };
    let demanded = ChangePassword {
        step: Some("step-1"),
        error: Some(text),
        ..change
    };
    let waiting = Waiting {
        method: "POST",
        path: text,
        action: "/save?a=1&sidegate-resume=handle-1",
    };
    vec![
        ("sign_in_local", sign_in(&[], Some(FORM)).page(look)),
        ("sign_in_idps", sign_in(&["Entra", text], None).page(look)),
        ("sign_in_one_idp", again.page(look)),
        ("sign_in_failed", failed.page(look)),
        ("sign_in_unknown", unknown.page(look)),
        ("sign_in_nobody", sign_in(&[], None).page(look)),
        ("password", change.page(look)),
        ("password_demanded", demanded.page(look)),
        ("resume", resume(waiting)),
    ]
}

fn notices(look: &Look, text: &str) -> Vec<(&'static str, Page)> {
    let link = "/.sidegate/login?idp=entra&hint=ada%40corp.test";
    vec![
        ("password_changed", password_changed(look)),
        ("signed_out", signed_out(look, None)),
        ("signed_out_open", signed_out(look, Some(text))),
        ("sign_out", sign_out(look)),
        ("never_kept", stopped(NotKept::NeverKept, "/notes")),
        ("gone", stopped(NotKept::Gone, "/")),
        ("others", stopped(NotKept::Others, "/")),
        ("leaving", leaving(text, link)),
    ]
}

fn problems(look: &Look, text: &str) -> Vec<(&'static str, Page)> {
    let page = |status: u16, code, detail| {
        let status = StatusCode::from_u16(status).unwrap();
        let failure = Problem::new(status, code, detail);
        problem(look, &failure, text, &Method::GET)
    };
    let many = Problem::new(StatusCode::TOO_MANY_REQUESTS, "x.many", "Too many.");
    let many = many.retry_after(Duration::from_secs(90));
    let sent = Problem::internal("cause");
    vec![
        (
            "refused",
            page(403, "sign_in.inactive", "Your account is not active."),
        ),
        (
            "problem_400",
            page(400, "form.fields", "The form could not be read."),
        ),
        (
            "problem_401",
            page(401, "session.required", "Please sign in first."),
        ),
        (
            "problem_404",
            page(404, "not_found", "There is nothing at this address."),
        ),
        ("problem_429", problem(look, &many, text, &Method::GET)),
        ("problem_500", problem(look, &sent, text, &Method::POST)),
        (
            "problem_502",
            page(502, "upstream.connect", "The app does not answer."),
        ),
        (
            "problem_sign_in",
            page(400, "sign_in.answer", "That does not fit."),
        ),
    ]
}

#[test]
fn every_page_as_it_is_sent() {
    let look = look();
    for (name, page) in pages(&look, ODD) {
        let html = page
            .to_html(&look)
            .replace(STYLE, "…")
            .replace("><", ">\n<");
        let policy = page.policy(&look).replace(&*STYLE_HASH, "…");
        insta::assert_snapshot!(name, format!("{policy}\n\n{html}\n"));
    }
}

#[test]
fn r51_every_value_is_escaped() {
    let canary = "<i>zq\"'&";
    let look = Look {
        name: canary.to_owned(),
        logo: Some(format!("data:{canary}")),
        colour: canary.to_owned(),
        contact: canary.to_owned(),
        own: "/.sidegate".to_owned(),
    };
    for (name, page) in pages(&look, canary) {
        let html = page.to_html(&look);
        assert!(
            !html.contains("<i>") && !html.contains("zq\""),
            "{name}: {html}"
        );
        assert_eq!(html.matches("<script").count(), 0, "{name}");
        assert_eq!(html.matches(" style=").count(), 0, "{name}");
    }
}

#[test]
fn r51_nothing_comes_from_elsewhere() {
    let look = look();
    for (name, page) in pages(&look, "text") {
        let html = page.to_html(&look).replace(STYLE, "");
        for outside in ["http:", "https:", "src=\"/", "@import", "url("] {
            assert!(!html.contains(outside), "{name}: {outside}");
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn every_field_has_its_label_and_every_page_one_heading() {
    let look = look();
    for (name, page) in pages(&look, "text") {
        let html = page.to_html(&look);
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        assert!(html.contains("<html lang=\"en\">"), "{name}");
        for input in html.split("<input ").skip(1) {
            let tag = input.split('>').next().unwrap();
            let id = tag
                .split("id=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let hidden = tag.contains("type=\"hidden\"");
            let labelled = id.is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
            assert!(hidden || labelled, "{name}: {tag}");
            assert!(hidden || tag.contains("autocomplete=\""), "{name}: {tag}");
        }
    }
}

#[test]
fn forms_lead_where_the_policy_lets_them() {
    let look = look();
    for (name, page) in pages(&look, "text") {
        let posts = page.to_html(&look).contains("<form");
        let expected = match (posts, name) {
            // These end in the app, and where that leads nobody knows here.
            (true, "sign_in_local" | "sign_in_failed" | "password_demanded" | "resume") => {
                "form-action 'self' https:;"
            }
            (true, _) => "form-action 'self';",
            (false, _) => "form-action 'none';",
        };
        assert!(page.policy(&look).contains(expected), "{name}");
    }
}

#[test]
fn text_is_readable_in_light_and_dark() {
    let dark_from = STYLE.find("prefers-color-scheme:dark").unwrap();
    let (light, dark) = STYLE.split_at(dark_from);
    for (theme, style) in [("light", light), ("dark", dark)] {
        let colour = |name: &str| {
            let rest = style.split(&format!("--{name}:")).nth(1).unwrap();
            Colour::parse(rest.get(..7).unwrap()).unwrap()
        };
        for (text, ground, least) in [
            ("text", "card", 7.0),
            ("text", "ground", 7.0),
            ("text", "field", 7.0),
            ("quiet", "card", 4.5),
            ("quiet", "ground", 4.5),
            ("link", "card", 4.5),
            ("link", "ground", 4.5),
            ("on-accent", "accent", 4.5),
            ("bad", "bad-ground", 4.5),
            ("good", "good-ground", 4.5),
            ("edge", "card", 3.0),
            ("edge", "field", 3.0),
        ] {
            let contrast = colour(text).contrast(colour(ground));
            assert!(
                contrast >= least,
                "{theme}: {text} on {ground} is {contrast:.2}"
            );
        }
    }
}

#[test]
fn only_plain_addresses_open_the_mail_program() {
    for (contact, is) in [
        ("it@corp.test", true),
        ("it.help+x@sub.corp.test", true),
        ("IT desk, room 4", false),
        ("it@corp.test?cc=x@evil.test", false),
        ("a@b@corp.test", false),
        ("@corp.test", false),
        ("it@localhost", false),
        ("javascript:x@y.z", false),
    ] {
        assert_eq!(is_address(contact), is, "{contact}");
    }
}
