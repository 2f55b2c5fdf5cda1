//! A query as it came: pieces are compared and verified as they were encoded, because a signature covers those bytes.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::saml::refusal::{Check, Refusal};

/// The parameters of the binding.
const KNOWN: [&str; 6] = [
    "SAMLRequest",
    "SAMLResponse",
    "RelayState",
    "SigAlg",
    "Signature",
    "SAMLEncoding",
];

/// A parameter, still encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// `name=value`
    pub(super) whole: &'a str,
    value: &'a str,
}

impl Piece<'_> {
    /// Decoded, with `+` as a space.
    pub(super) fn text(&self) -> Result<String, Refusal> {
        let spaced = self.value.replace('+', " ");
        let text = percent_decode_str(&spaced).decode_utf8();
        text.map(Cow::into_owned)
            .map_err(|_not_utf8| Refusal::new(Check::Encoding, "UTF-8", "other bytes"))
    }

    /// Decoded; base64 has no space, so `+` is itself.
    pub(super) fn base64_text(&self) -> Result<String, Refusal> {
        let text = percent_decode_str(self.value).decode_utf8();
        text.map(Cow::into_owned)
            .map_err(|_not_utf8| Refusal::new(Check::Encoding, "base64", "other bytes"))
    }
}

/// One parameter of the binding; twice is refused, however its name is spelled (R37).
pub(super) fn piece<'a>(query: &'a str, name: &'static str) -> Result<Option<Piece<'a>>, Refusal> {
    let mut found = None;
    for whole in query.split('&') {
        let (its, value) = whole.split_once('=').unwrap_or((whole, ""));
        if percent_decode_str(its).decode_utf8_lossy() != name {
            continue;
        }
        if its != name || found.is_some() {
            return Err(Refusal::new(
                Check::Parameters,
                format!("{name} once, spelled like this"),
                whole,
            ));
        }
        found = Some(Piece { whole, value });
    }
    Ok(found)
}

/// Whether every parameter of the binding is there at most once.
pub(super) fn check(query: &str) -> Result<(), Refusal> {
    KNOWN
        .iter()
        .try_for_each(|name| piece(query, name).map(drop))
}
