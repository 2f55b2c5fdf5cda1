//! A captured message, explained to an operator: what it says, and what each check would say to it.
//!
//! Nothing here decides anything. A message is screened as at the door before a word of it is shown, what it says is told
//! as its own words, and checks are those of [`verify`](super::verify), run to the end. Nobody is asked over the network.

mod assertion;
mod certificate;
mod checks;
mod detail;
mod finding;
mod input;
mod message;
mod signatures;

use serde::Serialize;

use super::decode;
use super::screen::Screened;
use super::service::Party;
use super::shown::{MAX, shown};
use super::time::moment;
use super::verify::Trust;
use super::xml::{ASSERTION, PROTOCOL, attribute, is, optional};
use crate::clock::Timestamp;

pub use finding::{Finding, State};
pub use input::InputError;

/// Largest file, bytes: what is larger is refused at the door before anything is read.
pub const MAX_FILE: usize = 2 * 1024 * 1024;

/// What there is to say. All texts are one line each, escaped and cut.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How the message was found in the file.
    pub read_as: String,
    /// What it says of itself, in groups.
    pub says: Vec<Section>,
    /// What each check says to it, in their order.
    pub checks: Vec<Finding>,
    /// What the checks were made against.
    pub against: Vec<Fact>,
    /// As of when, and why then.
    pub as_of: Option<String>,
    /// The end of it, in a sentence.
    pub conclusion: String,
    /// Whether a check that could be made does not hold.
    pub refused: bool,
}

/// Facts that belong together.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Who says so.
    pub title: String,
    /// In the order of the message.
    pub facts: Vec<Fact>,
}

/// A name and what stands there.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// What.
    pub name: String,
    /// Its text.
    pub value: String,
}

impl Fact {
    fn new(name: impl Into<String>, value: impl AsRef<str>) -> Self {
        Self {
            name: name.into(),
            value: shown(value.as_ref(), MAX),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Raw XML, base64 of it, a form body, or an address with it.
    pub file: &'a [u8],
    /// The configured idps that it may be of.
    pub parties: &'a [Party],
    /// As of when it is checked; none takes when it says that it was issued, where that is long ago.
    pub at: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
}

/// Explains a message.
///
/// # Errors
///
/// There is no message in the file.
pub fn inspect(question: &Question<'_>) -> Result<Report, InputError> {
    let captured = input::read(question.file)?;
    let text = match decode::posted(&captured.field) {
        Ok(text) => text,
        Err(why) => return Ok(unreadable(captured.read_as, Finding::form(Some(&why)))),
    };
    let screened = match Screened::signed(&text, super::screen::Kind::Message) {
        Ok(screened) => screened,
        Err(why) => return Ok(unreadable(captured.read_as, Finding::form(Some(&why)))),
    };
    let party = checks::party(&screened, question);
    let keys = party.map(Party::no_trust);
    let mut says = vec![message::section(&screened, question.now)];
    if let Some(relay_state) = &captured.relay_state
        && let Some(first) = says.first_mut()
    {
        first.facts.push(Fact::new("relay state", relay_state));
    }
    says.extend(inner(&screened, keys.as_ref(), question));
    let mut report = Report {
        read_as: captured.read_as,
        says,
        checks: vec![Finding::form(None)],
        against: Vec::new(),
        as_of: None,
        conclusion: String::new(),
        refused: false,
    };
    if is(screened.root(), PROTOCOL, "Response") {
        if captured.deflated {
            report.checks.push(Finding::deflated());
        }
        checks::run(&mut report, &captured.field, &screened, party, question);
    } else {
        "Only a Response signs anybody in; other messages are described, not checked."
            .clone_into(&mut report.conclusion);
    }
    Ok(report)
}

/// The assertion, as far as it can be read.
fn inner(
    screened: &Screened<'_>,
    keys: Option<&Trust<'_>>,
    question: &Question<'_>,
) -> Option<Section> {
    let root = screened.root();
    if is(root, ASSERTION, "Assertion") {
        return Some(assertion::section(
            root,
            "The assertion says",
            keys,
            question.now,
        ));
    }
    if let Ok(Some(plain)) = optional(root, ASSERTION, "Assertion") {
        return Some(assertion::section(
            plain,
            "The assertion in it says",
            keys,
            question.now,
        ));
    }
    let sealed = optional(root, ASSERTION, "EncryptedAssertion")
        .ok()
        .flatten()?;
    Some(assertion::sealed(sealed, keys, question.now))
}

/// What does not pass the screen is not read any further, here as at the door.
fn unreadable(read_as: String, finding: Finding) -> Report {
    let conclusion = format!(
        "Would be refused: {}. What does not pass this check is not read any further, so there is no more to tell.",
        finding.check
    );
    Report {
        read_as,
        says: Vec::new(),
        checks: vec![finding],
        against: Vec::new(),
        as_of: None,
        conclusion,
        refused: true,
    }
}

/// `2026-11-22T09:30:00Z (14 h 3 min ago)`
fn when(text: &str, now: Timestamp) -> String {
    match moment(text) {
        Some(at) => format!("{} ({})", shown(text, 60), distance(at, now)),
        None => format!("{}, which is no time", shown(text, 60)),
    }
}

fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.since(now).max(now.since(at)).as_secs();
    let (days, hours) = (
        seconds.div_euclid(86_400),
        seconds.div_euclid(3600).rem_euclid(24),
    );
    let (minutes, rest) = (
        seconds.div_euclid(60).rem_euclid(60),
        seconds.rem_euclid(60),
    );
    let length = match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    };
    match at.cmp(&now) {
        std::cmp::Ordering::Less => format!("{length} ago"),
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Greater => format!("in {length}"),
    }
}

/// Facts of attributes that are there.
fn said(node: roxmltree::Node<'_, '_>, names: &[(&str, &str)]) -> Vec<Fact> {
    let found = names
        .iter()
        .filter_map(|(name, key)| attribute(node, key).map(|value| Fact::new(*name, value)));
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_two_units() {
        let at = Timestamp::from_secs;
        for (moment, now, want) in [
            (100, 100, "now"),
            (100, 142, "42 s ago"),
            (1000, 0, "in 16 min 40 s"),
            (0, 50_580, "14 h 3 min ago"),
            (200_000, 0, "in 2 d 7 h"),
        ] {
            assert_eq!(distance(at(moment), at(now)), want);
        }
        assert_eq!(when("yesterday", at(0)), "yesterday, which is no time");
    }
}
