//! Reading an idp's metadata: what cannot be trusted is refused here, so that it never means "no check needed".

use roxmltree::{Document, Node};
use url::Url;

use super::keys;
use super::{Endpoint, Endpoints, IdpMetadata, Origin};
use crate::clock::Timestamp;
use crate::config::SafeUrl;
use crate::saml::decode::document;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::{self, Screened};
use crate::saml::signature;
use crate::saml::time::{duration, moment_of};
use crate::saml::xml::{METADATA, PROTOCOL, attribute, children, is};

const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
/// Longest entity ID, bytes (Core 8.3.6).
const MAX_ENTITY_ID: usize = 1024;

impl IdpMetadata {
    /// Reads the document of one idp, or an aggregate with the one that `origin` names.
    ///
    /// # Errors
    ///
    /// It is no metadata, of nobody or somebody else, over, unsigned where it must not be, leads to unsafe addresses,
    /// or holds no signing certificate that is valid at `now` (R49).
    pub fn read(bytes: &[u8], origin: &Origin<'_>, now: Timestamp) -> Result<Self, Refusal> {
        let text = document(bytes)?;
        if origin.signed_by.is_empty() {
            return of_document(&screen::metadata(text)?, origin, now);
        }
        let screened = Screened::signed_metadata(text)?;
        if !screened.root_is_signed() {
            return Err(Refusal::new(
                Check::Signed,
                "signed metadata",
                "no signature of the whole",
            ));
        }
        let signed = signature::verify(&screened, origin.signed_by, now)?;
        of_document(signed.read()?.document(), origin, now)
    }
}

fn of_document(
    document: &Document<'_>,
    origin: &Origin<'_>,
    now: Timestamp,
) -> Result<IdpMetadata, Refusal> {
    let entity = entity(document.root_element(), origin.entity_id)?;
    let role = role(entity)?;
    let valid_until = least(role, |node| moment_of(node, "validUntil", Check::Metadata))?;
    if let Some(until) = valid_until.filter(|until| *until <= now) {
        return Err(refuse(
            "metadata that is not over",
            &format!("validUntil {}", until.to_rfc3339()),
        ));
    }
    let keep_for = least(role, |node| {
        let text = attribute(node, "cacheDuration");
        let read =
            |text: &str| duration(text).ok_or_else(|| refuse("a cacheDuration like PT6H", text));
        text.map(read).transpose()
    })?;
    let sign_in = endpoints(role, "SingleSignOnService")?;
    if sign_in == Endpoints::default() {
        return Err(refuse(
            "a SingleSignOnService by HTTP-Redirect or HTTP-POST",
            "none",
        ));
    }
    let (certificates, ignored) = keys::read(role, now)?;
    Ok(IdpMetadata {
        entity_id: attribute(entity, "entityID").unwrap_or_default().to_owned(),
        sign_in,
        sign_out: endpoints(role, "SingleLogoutService")?,
        certificates,
        ignored,
        valid_until,
        keep_for,
        wants_signed_requests: matches!(
            attribute(role, "WantAuthnRequestsSigned"),
            Some("true" | "1")
        ),
    })
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Metadata, expected, came)
}

/// The entity that is meant: the root, or one in an aggregate.
fn entity<'a, 'i>(root: Node<'a, 'i>, named: Option<&str>) -> Result<Node<'a, 'i>, Refusal> {
    if !is(root, METADATA, "EntityDescriptor") && !is(root, METADATA, "EntitiesDescriptor") {
        return Err(refuse(
            "an EntityDescriptor of SAML 2.0",
            root.tag_name().name(),
        ));
    }
    let entities = root
        .descendants()
        .filter(|node| is(*node, METADATA, "EntityDescriptor"));
    let mut meant = entities.filter(|node| {
        named.map_or_else(
            || {
                children(*node, METADATA, "IDPSSODescriptor")
                    .next()
                    .is_some()
            },
            |named| attribute(*node, "entityID") == Some(named),
        )
    });
    let wanted = named.map_or_else(|| "one idp".to_owned(), |named| format!("the idp {named}"));
    match (meant.next(), meant.next()) {
        (Some(one), None) => {
            let id = attribute(one, "entityID").unwrap_or_default();
            if id.is_empty() || id.len() > MAX_ENTITY_ID {
                return Err(refuse("an entityID of 1 to 1024 bytes", id));
            }
            Ok(one)
        }
        (None, _) => {
            let other = attribute(root, "entityID").unwrap_or("none");
            Err(refuse(&wanted, other))
        }
        (Some(_), Some(_)) => Err(refuse(&format!("{wanted}; configure which"), "several")),
    }
}

/// What it says as an idp of SAML 2.0; other roles and protocols, such as WS-Federation's, are passed over.
fn role<'a, 'i>(entity: Node<'a, 'i>) -> Result<Node<'a, 'i>, Refusal> {
    let mut roles = children(entity, METADATA, "IDPSSODescriptor").filter(|role| {
        attribute(*role, "protocolSupportEnumeration")
            .is_some_and(|all| all.split_ascii_whitespace().any(|one| one == PROTOCOL))
    });
    match (roles.next(), roles.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(refuse(
            "an IDPSSODescriptor for SAML 2.0; is it an idp's?",
            "none",
        )),
        (Some(_), Some(_)) => Err(refuse("one IDPSSODescriptor", "several")),
    }
}

/// The least of what an element and those around it say (Metadata 2.3.1, 2.3.2, 2.4.1).
fn least<T: Ord>(
    node: Node<'_, '_>,
    read: impl Fn(Node<'_, '_>) -> Result<Option<T>, Refusal>,
) -> Result<Option<T>, Refusal> {
    let mut least: Option<T> = None;
    for around in node.ancestors().filter(Node::is_element) {
        least = least.into_iter().chain(read(around)?).min();
    }
    Ok(least)
}

fn endpoints(role: Node<'_, '_>, name: &str) -> Result<Endpoints, Refusal> {
    let mut found = Endpoints::default();
    for node in children(role, METADATA, name) {
        let slot = match attribute(node, "Binding") {
            Some(REDIRECT) => &mut found.redirect,
            Some(POST) => &mut found.post,
            _ => continue,
        };
        let location = location(attribute(node, "Location").unwrap_or_default())?;
        let responses = attribute(node, "ResponseLocation").map(self::location);
        let responses = responses.transpose()?.unwrap_or_else(|| location.clone());
        // The first is the idp's choice.
        slot.get_or_insert(Endpoint {
            location,
            responses,
        });
    }
    Ok(found)
}

/// R21: people are sent there, and forms; nothing but https, or http of this machine.
fn location(text: &str) -> Result<Url, Refusal> {
    let url: SafeUrl = text
        .parse()
        .map_err(|why| refuse("addresses with https://", &format!("{text}: {why}")))?;
    if url.0.fragment().is_some() || !url.0.username().is_empty() || url.0.password().is_some() {
        return Err(refuse("addresses without fragment and password", text));
    }
    Ok(url.0)
}
