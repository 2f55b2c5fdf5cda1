//! What may be looked at at all: untrusted text becomes a [`Screened`] document, or nothing goes on. Pure Rust: C
//! code sees a document after this, and only if a signature of the one allowed shape stands where one may stand.

mod algorithms;
mod canonical;
mod comments;
mod ids;
mod reference;
mod response;
mod scan;
mod shape;

use roxmltree::{Document, Node, ParsingOptions};

pub(super) use algorithms::KeyKind;
pub(super) use reference::SignatureShape;
use scan::{Limits, scan};

use super::refusal::{Check, Refusal};
use super::xml::{ASSERTION, PROTOCOL, is};

/// For a message: what the largest ones need, ten times. Each stands in for CPU: `benches/run saml` shows what a message
/// costs that fills them (R48).
const MESSAGE: Limits = Limits {
    bytes: super::decode::MAX_ENCODED,
    tags: 10_000,
    depth: 64,
    attributes: 64,
    all_attributes: 10_000,
    declarations: 64,
    ids: 64,
};

/// For metadata: a federation's small aggregate.
const METADATA: Limits = Limits {
    bytes: super::metadata::MAX_BYTES,
    tags: 200_000,
    depth: 64,
    attributes: 64,
    all_attributes: 200_000,
    declarations: 64,
    ids: 10_000,
};

/// What kind of text it is, and how much of it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What browsers bring.
    Message,
    /// What an operator configured.
    Metadata,
}

impl Kind {
    const fn limits(self) -> &'static Limits {
        match self {
            Self::Message => &MESSAGE,
            Self::Metadata => &METADATA,
        }
    }
}

/// Text that passed every rule that needs no key.
#[derive(Debug)]
pub(super) struct Screened<'a> {
    kind: Kind,
    text: &'a str,
    document: Document<'a>,
    signatures: Vec<SignatureShape>,
}

impl<'a> Screened<'a> {
    /// A message that came from outside: its root is a `samlp` element of this name.
    pub(super) fn message(text: &'a str, name: &'static str) -> Result<Self, Refusal> {
        let screened = Self::read(text, Kind::Message)?;
        screened.expect_root(PROTOCOL, name)?;
        if name == "Response" {
            response::check(screened.root())?;
        }
        Ok(screened)
    }

    /// One assertion, as it stood in a ciphertext.
    pub(super) fn assertion(text: &'a str) -> Result<Self, Refusal> {
        let screened = Self::read(text, Kind::Message)?;
        screened.expect_root(ASSERTION, "Assertion")?;
        response::check_assertion(screened.root())?;
        Ok(screened)
    }

    /// What a signature covered: the canonical form of a whole element. The same rules hold for it.
    pub(super) fn signed(text: &'a str, kind: Kind) -> Result<Self, Refusal> {
        let screened = Self::read(text, kind)?;
        let root = screened.root();
        if is(root, PROTOCOL, "Response") {
            response::check(root)?;
        } else if is(root, ASSERTION, "Assertion") {
            response::check_assertion(root)?;
        }
        Ok(screened)
    }

    /// A piece that stands for itself, such as a decrypted `NameID`.
    pub(super) fn piece(
        text: &'a str,
        namespace: &str,
        name: &'static str,
    ) -> Result<Self, Refusal> {
        let screened = Self::read(text, Kind::Message)?;
        screened.expect_root(namespace, name)?;
        if screened.signatures.is_empty() {
            Ok(screened)
        } else {
            Err(Refusal::new(Check::Reference, "no signature here", "one"))
        }
    }

    /// Metadata whose own signature is to be checked.
    pub(super) fn signed_metadata(text: &'a str) -> Result<Self, Refusal> {
        Self::read(text, Kind::Metadata)
    }

    fn read(text: &'a str, kind: Kind) -> Result<Self, Refusal> {
        let document = parse(text, kind.limits())?;
        comments::check(&document)?;
        ids::check(&document, kind.limits())?;
        let signatures = reference::check(&document)?;
        if !signatures.is_empty() {
            canonical::check(&document, kind.limits())?;
        }
        Ok(Self {
            kind,
            text,
            document,
            signatures,
        })
    }

    fn expect_root(&self, namespace: &str, name: &'static str) -> Result<(), Refusal> {
        if is(self.root(), namespace, name) {
            return Ok(());
        }
        let tag = self.root().tag_name();
        Err(Refusal::new(
            Check::Structure,
            format!("{name} of {namespace}"),
            format!("{} of {}", tag.name(), tag.namespace().unwrap_or("nothing")),
        ))
    }

    /// What it was screened as.
    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The text itself, as it was screened.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// The one root.
    pub(super) fn root(&self) -> Node<'_, 'a> {
        self.document.root_element()
    }

    /// As it was read.
    pub(super) const fn document(&self) -> &Document<'a> {
        &self.document
    }

    /// All signatures: of the root, and of an assertion in a response. At most one each.
    pub(super) fn signatures(&self) -> &[SignatureShape] {
        &self.signatures
    }

    /// Whether the root carries a signature of its own.
    pub(super) fn root_is_signed(&self) -> bool {
        self.signatures.iter().any(|its| its.of_root)
    }
}

/// Metadata whose own signature nobody asked for: it came over a channel that is trusted, and none of it goes to C code.
pub(super) fn metadata(text: &str) -> Result<Document<'_>, Refusal> {
    parse(text, &METADATA)
}

fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Document<'a>, Refusal> {
    scan(text, limits)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.tags.saturating_mul(2)).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
        .map_err(|why| Refusal::new(Check::Xml, "well-formed XML", why.to_string()))
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
