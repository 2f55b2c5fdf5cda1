//! What else an assertion says of the person (Core 2.7.3).

use std::collections::HashMap;

use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{ASSERTION, attribute, children, elements, is, text};

/// One attribute by its whole name, with all its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// As sent, such as `http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress`.
    pub name: String,
    /// Texts in order, without white space around them; an empty one is an empty text.
    pub values: Vec<String>,
}

/// All attributes in order; one that comes again adds its values (Keycloak repeats `Role`).
pub(in crate::saml) fn read(assertion: Node<'_, '_>) -> Result<Vec<Attribute>, Refusal> {
    let mut found: Vec<Attribute> = Vec::new();
    let mut places = HashMap::new();
    for statement in children(assertion, ASSERTION, "AttributeStatement") {
        for node in elements(statement) {
            if !is(node, ASSERTION, "Attribute") {
                // EncryptedAttribute too: a person without their groups would be somebody else.
                return Err(refuse("plain attributes", node.tag_name().name()));
            }
            let name = attribute(node, "Name").unwrap_or_default();
            if name.is_empty() {
                return Err(refuse("attributes with a name", "none"));
            }
            let values = children(node, ASSERTION, "AttributeValue").filter_map(value);
            let place = *places.entry(name).or_insert(found.len());
            match found.get_mut(place) {
                Some(known) => known.values.extend(values),
                None => found.push(Attribute {
                    name: name.to_owned(),
                    values: values.collect(),
                }),
            }
        }
    }
    Ok(found)
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Attributes, expected, came)
}

/// A text, or the `NameID` that `eduPersonTargetedID` wraps. Of other structures there is nothing to say.
fn value(node: Node<'_, '_>) -> Option<String> {
    let mut inside = elements(node);
    match (inside.next(), inside.next()) {
        (None, _) => text(node).ok(),
        (Some(name_id), None) if is(name_id, ASSERTION, "NameID") => text(name_id).ok(),
        _ => None,
    }
}
