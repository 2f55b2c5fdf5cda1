//! Who wrote a form: a mark of the person who signed in last in a browser, which outlives their session there.
//!
//! It opens nothing. A form that met an ended session waits for this person alone.

use super::Login;
use crate::crypto::sha256;
use crate::session::Session;
use crate::web::{OwnCookies, SetCookie, Visit};

/// Name of the cookie, without prefix.
const PERSON_COOKIE: &str = "sidegate-person";

/// Tells people apart, and nothing of them: their id is not known outside.
pub fn mark(session: &Session) -> String {
    let (tenant, user) = (&session.tenant, &session.user);
    sha256(format!("sidegate person\n{tenant}\n{user}").as_bytes()).to_hex()
}

impl Login {
    /// The mark as this browser keeps it until it closes.
    pub(super) fn person_cookie<'a>(&self, mark: &'a str) -> SetCookie<'a> {
        SetCookie {
            name: PERSON_COOKIE,
            max_age: None,
            ..self.browser_cookie(mark)
        }
    }

    /// Who is signed in, else who was last in this browser.
    pub fn writer(&self, visit: &Visit) -> Option<String> {
        if let Some(live) = self.current(visit) {
            return Some(mark(&live.record));
        }
        let name = self.person_cookie("").wire_name();
        let mut marks = OwnCookies::values(&visit.headers, &name);
        marks.next().map(str::to_owned)
    }
}
