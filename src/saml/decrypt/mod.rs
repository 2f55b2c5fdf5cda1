//! XML Encryption 1.1, the part that SAML needs: AES content under a key that RSA-OAEP carries.
//!
//! What everybody can see (algorithms, counts) is refused with its name. What our key has to do with is not: whatever
//! goes wrong with it is [`None`], and its callers work on as if nothing had happened.

mod content;
mod key;

use roxmltree::Node;

use content::Content;
use key::WrappedKey;

use super::decode::{base64, document};
use super::private_key::PrivateKey;
use super::refusal::{Check, Refusal};
use super::xml::{
    DSIG, XENC, algorithm, attribute, children, elements, in_attribute, is_space, optional,
    required, text,
};
use crate::crypto::random_bytes;

/// Each costs a private operation, with each of our keys.
const MAX_KEYS: usize = 4;
const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// A ciphertext with the keys that carry its key.
#[derive(Debug)]
pub(super) struct Envelope {
    content: Content,
    ciphertext: Vec<u8>,
    keys: Vec<WrappedKey>,
    /// Prefixes that the plaintext may rely on.
    scope: Vec<(Option<String>, String)>,
}

impl Envelope {
    /// Reads `EncryptedAssertion` or `EncryptedID` (Core 2.2.4, 6).
    ///
    /// # Errors
    ///
    /// Algorithms that are not allowed, among them RSA 1.5 and Triple DES; a reference instead of a value; too many keys.
    pub(super) fn read(holder: Node<'_, '_>) -> Result<Self, Refusal> {
        only(holder, &["EncryptedData", "EncryptedKey"])?;
        let data = required(holder, XENC, "EncryptedData")?;
        if attribute(data, "Type").is_some_and(|kind| kind != ELEMENT) {
            return Err(refuse("an encrypted element", "another type"));
        }
        let info = optional(data, DSIG, "KeyInfo")?;
        let inside = info
            .into_iter()
            .flat_map(|info| children(info, XENC, "EncryptedKey"));
        let beside = children(holder, XENC, "EncryptedKey");
        let keys = inside
            .chain(beside)
            .take(MAX_KEYS.saturating_add(1))
            .map(|key| {
                let method = required(key, XENC, "EncryptionMethod")?;
                WrappedKey::read(method, cipher_value(key)?)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(refuse(
                &format!("1 to {MAX_KEYS} encrypted keys"),
                &keys.len().to_string(),
            ));
        }
        let method = required(data, XENC, "EncryptionMethod")?;
        Ok(Self {
            content: Content::read(algorithm(method))?,
            ciphertext: cipher_value(data)?,
            keys,
            scope: holder
                .namespaces()
                .map(|its| (its.name().map(str::to_owned), its.uri().to_owned()))
                .collect(),
        })
    }

    /// The plaintext, if one of our keys opens it. Does the same work whichever of them does, or none.
    pub(super) fn open(&self, ours: &[PrivateKey]) -> Option<String> {
        let length = self.content.key_bytes();
        let mut found: Option<Vec<u8>> = None;
        for wrapped in &self.keys {
            for key in ours {
                let candidate = wrapped.unwrap(key).filter(|key| key.len() == length);
                found = found.or(candidate);
            }
        }
        // RFC 3218 2.3.2: with a key of chance the rest takes its usual course.
        let key = found.unwrap_or_else(|| random_bytes::<32>().into_iter().take(length).collect());
        let plaintext = self.content.decrypt(&key, &self.ciphertext)?;
        let plaintext = String::from_utf8(plaintext).ok()?;
        let plaintext = document(plaintext.as_bytes()).ok()?.trim_matches(is_space);
        Some(self.in_scope(plaintext))
    }

    /// With the prefixes declared that the element inherits from around its ciphertext.
    fn in_scope(&self, plaintext: &str) -> String {
        let Some((tag, _)) = plaintext.split_once('>') else {
            return plaintext.to_owned();
        };
        let name_ends = |c: char| is_space(c) || c == '/';
        let name = tag.split_once(name_ends).map_or(tag, |(name, _)| name);
        let declares = |prefix: Option<&str>| {
            let declaration = prefix.map_or_else(|| "xmlns=".to_owned(), |p| format!("xmlns:{p}="));
            tag.split(is_space)
                .any(|part| part.starts_with(&declaration))
        };
        let own = name.trim_start_matches('<').split_once(':');
        if declares(own.map(|(prefix, _)| prefix)) {
            return plaintext.to_owned();
        }
        let mut text = name.to_owned();
        for (prefix, uri) in &self.scope {
            if declares(prefix.as_deref()) || prefix.as_deref() == Some("xml") {
                continue;
            }
            let prefix = prefix
                .as_ref()
                .map_or_else(String::new, |p| format!(":{p}"));
            for part in [" xmlns", &prefix, "=\"", &in_attribute(uri), "\""] {
                text.push_str(part);
            }
        }
        text.push_str(plaintext.strip_prefix(name).unwrap_or_default());
        text
    }
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Structure, expected, came)
}

/// The bytes in `CipherData`; no address of them.
fn cipher_value(holder: Node<'_, '_>) -> Result<Vec<u8>, Refusal> {
    let data = required(holder, XENC, "CipherData")?;
    only(data, &["CipherValue"])?;
    let value = text(required(data, XENC, "CipherValue")?)?;
    base64(&value).ok_or_else(|| refuse("a CipherValue in base64", "something else"))
}

fn only(node: Node<'_, '_>, names: &[&str]) -> Result<(), Refusal> {
    let known = |child: &Node<'_, '_>| {
        child.tag_name().namespace() == Some(XENC) && names.contains(&child.tag_name().name())
    };
    match elements(node).find(|child| !known(child)) {
        None => Ok(()),
        Some(other) => Err(refuse(
            &format!("{} in {}", names.join(", "), node.tag_name().name()),
            other.tag_name().name(),
        )),
    }
}
