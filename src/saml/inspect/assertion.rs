//! What an assertion says.

use roxmltree::Node;

use super::{Fact, Section, said, signatures, when};
use crate::clock::Timestamp;
use crate::saml::decrypt::Envelope;
use crate::saml::refusal::Refusal;
use crate::saml::screen::Screened;
use crate::saml::shown::shown;
use crate::saml::verify::{NameId, Trust, attributes};
use crate::saml::xml::{ASSERTION, DSIG, XENC, algorithm, attribute, children, is, optional, text};

/// Attributes that are told, and values of each.
const MOST: usize = 100;
/// Longest value, bytes.
const LONGEST: usize = 200;

/// Everything that checks and claims look at. `keys` open an encrypted name.
pub(super) fn section(
    assertion: Node<'_, '_>,
    title: &str,
    keys: Option<&Trust<'_>>,
    now: Timestamp,
) -> Section {
    let mut facts = said(assertion, &[("id", "ID")]);
    if let Ok(Some(issuer)) = optional(assertion, ASSERTION, "Issuer") {
        facts.push(Fact::new("issuer", text(issuer).unwrap_or_default()));
    }
    if let Some(issued) = attribute(assertion, "IssueInstant") {
        facts.push(Fact::new("issued", when(issued, now)));
    }
    for part in assertion.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "Subject" => facts.extend(subject(part, keys, now)),
            "Conditions" => facts.extend(conditions(part, now)),
            "AuthnStatement" => facts.extend(statement(part, now)),
            _ => {}
        }
    }
    facts.extend(signatures::facts(assertion, now));
    facts.extend(claims(assertion));
    Section {
        title: title.to_owned(),
        facts,
    }
}

/// An encrypted one, opened where our key does.
pub(super) fn sealed(sealed: Node<'_, '_>, keys: Option<&Trust<'_>>, now: Timestamp) -> Section {
    let methods = sealed
        .descendants()
        .filter(|node| is(*node, XENC, "EncryptionMethod"));
    let methods = methods.map(|method| {
        let name = algorithm(method).rsplit('#').next().unwrap_or_default();
        let digest = children(method, DSIG, "DigestMethod").next().map(algorithm);
        let digest = digest.and_then(|name| name.rsplit('#').next());
        digest.map_or_else(|| name.to_owned(), |digest| format!("{name} ({digest})"))
    });
    let mut facts = vec![Fact::new(
        "encrypted by",
        methods.take(MOST).collect::<Vec<_>>().join(", "),
    )];
    facts.extend(signatures::certificates(sealed, "to the certificate", now));
    match keys.map(|keys| opened(sealed, keys)) {
        None => facts.push(Fact::new(
            "content",
            "not read: no configuration with our key",
        )),
        Some(Err(why)) => facts.push(Fact::new("content", format!("not read: {why}"))),
        Some(Ok(plaintext)) => match Screened::assertion(&plaintext) {
            Err(why) => facts.push(Fact::new("content", format!("not read: {why}"))),
            Ok(screened) => {
                let title = "The assertion in it, opened with our key, says";
                let mut inner = section(screened.root(), title, keys, now);
                facts.append(&mut inner.facts);
                return Section {
                    title: inner.title,
                    facts,
                };
            }
        },
    }
    Section {
        title: "The assertion in it is encrypted".to_owned(),
        facts,
    }
}

/// The plaintext. Only here may it be told why there is none: whoever asks has the key.
pub(super) fn opened(sealed: Node<'_, '_>, keys: &Trust<'_>) -> Result<String, String> {
    if keys.decryption_keys.is_empty() {
        return Err("the settings of the idp have no key".to_owned());
    }
    let envelope = Envelope::read(sealed).map_err(|why: Refusal| why.to_string())?;
    let plaintext = envelope.open(keys.decryption_keys);
    plaintext.ok_or_else(|| {
        "none of our keys opens it: it is encrypted to another certificate, or was changed on the way"
            .to_owned()
    })
}

fn subject(subject: Node<'_, '_>, keys: Option<&Trust<'_>>, now: Timestamp) -> Vec<Fact> {
    let nobody = Trust {
        entity_id: "",
        certificates: &[],
        decryption_keys: &[],
    };
    let name_id = match NameId::in_element(subject, keys.unwrap_or(&nobody)) {
        Ok(name_id) => {
            let format = name_id.format.as_deref().unwrap_or("unspecified");
            let format = format.rsplit(':').next().unwrap_or_default();
            format!("{} ({format})", shown(&name_id.value, LONGEST))
        }
        Err(why) => format!("not read: {why}"),
    };
    let mut facts = vec![Fact::new("name id", name_id)];
    for confirmation in children(subject, ASSERTION, "SubjectConfirmation") {
        let method = attribute(confirmation, "Method").unwrap_or_default();
        facts.push(Fact::new(
            "confirmation",
            method.rsplit(':').next().unwrap_or_default(),
        ));
        let data = children(confirmation, ASSERTION, "SubjectConfirmationData").next();
        if let Some(data) = data {
            let names = [
                ("recipient", "Recipient"),
                ("in response to", "InResponseTo"),
            ];
            facts.extend(said(data, &names).into_iter().map(below));
            facts.extend(times(data, now).into_iter().map(below));
        }
    }
    facts
}

fn below(mut fact: Fact) -> Fact {
    fact.name.insert_str(0, "  ");
    fact
}

fn times(node: Node<'_, '_>, now: Timestamp) -> Vec<Fact> {
    let names = [
        ("not before", "NotBefore"),
        ("not on or after", "NotOnOrAfter"),
        ("signed in there", "AuthnInstant"),
        ("session ends", "SessionNotOnOrAfter"),
    ];
    let found = names
        .iter()
        .filter_map(|(name, key)| Some(Fact::new(*name, when(attribute(node, key)?, now))));
    found.collect()
}

fn conditions(conditions: Node<'_, '_>, now: Timestamp) -> Vec<Fact> {
    let mut facts = times(conditions, now);
    for restriction in children(conditions, ASSERTION, "AudienceRestriction") {
        for audience in children(restriction, ASSERTION, "Audience").take(MOST) {
            facts.push(Fact::new("audience", text(audience).unwrap_or_default()));
        }
    }
    facts
}

fn statement(statement: Node<'_, '_>, now: Timestamp) -> Vec<Fact> {
    let mut facts = times(statement, now);
    facts.extend(said(statement, &[("idp session", "SessionIndex")]));
    let class = statement
        .descendants()
        .find(|node| is(*node, ASSERTION, "AuthnContextClassRef"));
    if let Some(class) = class {
        facts.push(Fact::new("by the method", text(class).unwrap_or_default()));
    }
    facts
}

/// Names with all their values.
fn claims(assertion: Node<'_, '_>) -> Vec<Fact> {
    let found = match attributes::read(assertion) {
        Ok(found) => found,
        Err(why) => return vec![Fact::new("attributes", format!("not read: {why}"))],
    };
    let mut facts = Vec::new();
    for attribute in found.iter().take(MOST) {
        let values = attribute.values.iter().take(MOST);
        let values: Vec<_> = values.map(|value| shown(value, LONGEST)).collect();
        let more = attribute.values.len().saturating_sub(MOST);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        facts.push(Fact {
            name: format!("attribute {}", shown(&attribute.name, LONGEST)),
            value: format!("{}{more}", values.join(" | ")),
        });
    }
    if found.len() > MOST {
        let more = found.len().saturating_sub(MOST);
        facts.push(Fact::new("attributes", format!("and {more} more")));
    }
    facts
}
