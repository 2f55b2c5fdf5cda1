//! IDs: what a signature points at must be one element, for every reader (R43).

use std::collections::HashSet;

use roxmltree::Document;

use super::scan::{Limits, at_most};
use crate::saml::refusal::{Check, Refusal};

/// Longest ID, bytes.
const MAX: usize = 256;

/// At most as many IDs as `limits` let through, for a library that keeps a table of them. Every attribute that any reader takes for an ID (`ID`, `Id`, `id`, `AssertionID`): of no namespace, so that `xml:id`
/// cannot claim another's, an `NCName` (XML 1.0 needs it, and libxml2 holds us to it), and there once.
pub(super) fn check(document: &Document<'_>, limits: &Limits) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let attributes = document.descendants().flat_map(|node| node.attributes());
    for attribute in attributes.filter(|its| is_id(its.name())) {
        let value = attribute.value();
        if attribute.namespace().is_some() {
            return Err(Refusal::new(
                Check::Id,
                "IDs of no namespace",
                attribute.name(),
            ));
        }
        if !is_nc_name(value) {
            return Err(Refusal::new(
                Check::Id,
                "a letter or _, then letters, digits, dots, dashes",
                value,
            ));
        }
        if !seen.insert(value) {
            return Err(Refusal::new(Check::Id, "every ID once", value));
        }
        at_most("IDs", seen.len(), limits.ids)?;
    }
    Ok(())
}

fn is_id(name: &str) -> bool {
    name.eq_ignore_ascii_case("id") || matches!(name, "AssertionID" | "RequestID" | "ResponseID")
}

/// The part of `NCName` (Namespaces in XML 1.0, 4) that idps use.
fn is_nc_name(text: &str) -> bool {
    let mut letters = text.chars();
    text.len() <= MAX
        && letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
