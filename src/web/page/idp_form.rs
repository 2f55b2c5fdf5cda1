//! The form that carries a message to an idp (SAML Bindings 3.5).

use maud::html;

use super::{Forms, Page};

/// Sends the one form of the page; without scripts the person does.
const SEND: &str = "document.forms[0].submit()";

/// A form that is sent on at once. Names and values stand in it as they are.
pub fn idp_form(action: &str, fields: &[(&'static str, String)]) -> Page {
    let body = html! {
        h1 { "To your sign-in service" }
        p.quiet { "This takes a moment. If nothing happens, continue yourself." }
        form method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.button.main { "Continue" }
        }
    };
    Page {
        script: Some(SEND),
        ..Page::new("Continue", body).with_forms(Forms::Idp)
    }
}
