//! Which signatures a message carries. Whether they hold is the checks' to say.

use roxmltree::Node;

use super::Fact;
use super::certificate::in_words;
use crate::clock::Timestamp;
use crate::saml::decode::base64;
use crate::saml::xml::{DSIG, algorithm, children, text};

/// Certificates of one message that are told.
const MOST: usize = 4;

/// The signature that stands in this element, and the certificates that it brings: nobody believes those.
pub(super) fn facts(holder: Node<'_, '_>, now: Timestamp) -> Vec<Fact> {
    let Some(signature) = children(holder, DSIG, "Signature").next() else {
        return vec![Fact::new("signature", "none of its own")];
    };
    let below = |name: &'static str| {
        let mut all = signature.descendants();
        all.find(|node| node.is_element() && node.tag_name().name() == name)
    };
    let name = |node: Option<Node<'_, '_>>| {
        let name = node.map(algorithm).unwrap_or_default();
        name.rsplit('#').next().unwrap_or_default().to_owned()
    };
    let mut facts = vec![Fact::new(
        "signature",
        format!(
            "{}, digest {}",
            name(below("SignatureMethod")),
            name(below("DigestMethod"))
        ),
    )];
    facts.extend(certificates(signature, "it brings the certificate", now));
    facts
}

/// Certificates below this element.
pub(super) fn certificates(holder: Node<'_, '_>, name: &str, now: Timestamp) -> Vec<Fact> {
    let nodes = holder.descendants().filter(|node| {
        node.tag_name().name() == "X509Certificate" && node.tag_name().namespace() == Some(DSIG)
    });
    let in_words = |node: Node<'_, '_>| match text(node).ok().and_then(|its| base64(&its)) {
        Some(der) => Fact::new(name, in_words(&der, now)),
        None => Fact::new(name, "one that is no base64"),
    };
    nodes.take(MOST).map(in_words).collect()
}
