//! How and when the person signed in at the idp (Core 2.7.2).

use roxmltree::Node;

use super::Expected;
use super::witness::{Part, Witness};
use crate::clock::Timestamp;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::{is_over, moment_of};
use crate::saml::xml::{ASSERTION, attribute, children, optional, text};

/// The idp's session.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) session_index: Option<String>,
    pub(super) session_ends: Option<Timestamp>,
    pub(super) authenticated_at: Option<Timestamp>,
}

/// At least one statement (Profiles 4.1.4.2), of a session that is not over. The earliest end counts.
pub(super) fn read(
    assertion: Node<'_, '_>,
    expected: &Expected<'_>,
    witness: &mut dyn Witness,
) -> Result<SignedIn, Refusal> {
    let now = expected.now;
    let mut found: Option<SignedIn> = None;
    for statement in children(assertion, ASSERTION, "AuthnStatement") {
        let way = in_a_wanted_way(statement, expected.authn_context);
        witness.saw(Part::Assertion, Check::AuthnStatement, way)?;
        let ends = moment_of(statement, "SessionNotOnOrAfter", Check::AuthnStatement)?;
        let over = ends.filter(|ends| is_over(*ends, now));
        let lasts = over.map_or(Ok(()), |ends| {
            Err(Refusal::new(
                Check::AuthnStatement,
                format!("a session that lasts at {}", now.to_rfc3339()),
                format!("SessionNotOnOrAfter {}", ends.to_rfc3339()),
            ))
        });
        witness.saw(Part::Assertion, Check::AuthnStatement, lasts)?;
        let at = moment_of(statement, "AuthnInstant", Check::AuthnStatement)?;
        let index = attribute(statement, "SessionIndex").map(str::to_owned);
        let before = found.take();
        let (before_index, before_ends, before_at) = before.map_or((None, None, None), |its| {
            (its.session_index, its.session_ends, its.authenticated_at)
        });
        found = Some(SignedIn {
            session_index: before_index.or(index),
            session_ends: before_ends.into_iter().chain(ends).min(),
            authenticated_at: before_at.into_iter().chain(at).min().map(|at| at.min(now)),
        });
    }
    found.ok_or_else(|| Refusal::new(Check::AuthnStatement, "an AuthnStatement", "none"))
}

/// Core 3.3.2.2.1, `exact`: what was asked for, or nothing. An idp that passes over the request, or is not asked because
/// it begins itself, signs nobody in by a weaker way.
fn in_a_wanted_way(statement: Node<'_, '_>, wanted: &[String]) -> Result<(), Refusal> {
    if wanted.is_empty() {
        return Ok(());
    }
    let context = optional(statement, ASSERTION, "AuthnContext")?;
    let class = match context {
        Some(context) => optional(context, ASSERTION, "AuthnContextClassRef")?,
        None => None,
    };
    let class = class.map(text).transpose()?.unwrap_or_default();
    if wanted.contains(&class) {
        return Ok(());
    }
    Err(Refusal::new(
        Check::AuthnStatement,
        format!("AuthnContextClassRef {}", wanted.join(" or ")),
        class,
    ))
}
