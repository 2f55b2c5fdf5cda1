//! Signatures, checked by xmlsec with pinned keys; what they covered is all that is read afterwards.

use std::panic::catch_unwind;

use samael::crypto::{
    AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider, ReduceMode,
};

use super::certificate::Certificate;
use super::decode::base64;
use super::refusal::{Check, Refusal};
use super::screen::{Kind, Screened};
use super::xml::{DSIG, attribute, is, text};
use crate::clock::Timestamp;

/// Keys of one kind and size that are tried. For each, the library digests the whole document anew: a forged signature costs
/// that many times (R48). An idp that lists more, as Entra does for a tenant's general keys, names the one that it used.
const MAX_KEYS: usize = 6;
/// Certificates in a message that are looked at: the one that signed, and some that vouch for it.
const MAX_NAMED: usize = 8;
const ALGORITHMS: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

/// The canonical form of an element that a pinned key signed. Only [`verify`] makes it.
#[derive(Debug)]
pub(super) struct SignedText {
    text: String,
    kind: Kind,
}

impl SignedText {
    /// Screened again: canonical form is new text to us.
    pub(super) fn read(&self) -> Result<Screened<'_>, Refusal> {
        Screened::signed(&self.text, self.kind)
    }
}

/// Checks every signature in the document, and gives what the outermost covers: the root, or the assertion in it.
///
/// # Errors
///
/// There is no signature, no certificate that fits and is valid at `now`, or a signature does not hold.
pub(super) fn verify(
    screened: &Screened<'_>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<SignedText, Refusal> {
    let fitting = fitting(screened, certificates, now)?;
    let text = screened.text();
    // A panic in the library ends this sign-in, not the process. The text is borrowed and nothing is left half done.
    let checked = catch_unwind(|| {
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(
            text,
            &fitting,
            ReduceMode::PreDigest,
            Some(&ALGORITHMS),
        )
    });
    let signed = checked
        .map_err(|_panic| refuse("the library gave up"))?
        .map_err(|why| refuse(&why.to_string()))?;
    // R45: nothing is signed by a digest over nothing.
    if signed.is_empty() {
        return Err(refuse("a signature over nothing"));
    }
    let signed = SignedText {
        text: signed,
        kind: screened.kind(),
    };
    covers_what_carries_it(screened, &signed)?;
    Ok(signed)
}

fn refuse(came: &str) -> Refusal {
    Refusal::new(
        Check::Signature,
        "a signature by a certificate of the idp's metadata",
        came,
    )
}

/// R43: the digested text is the element that we take it for, by name and by ID.
fn covers_what_carries_it(screened: &Screened<'_>, signed: &SignedText) -> Result<(), Refusal> {
    let root = screened.root();
    let carrier = if screened.root_is_signed() {
        Some(root)
    } else {
        root.children()
            .find(|child| child.tag_name().name() == "Assertion")
    };
    let read = signed.read()?;
    let fits = carrier.is_some_and(|carrier| {
        carrier.tag_name() == read.root().tag_name()
            && attribute(carrier, "ID") == attribute(read.root(), "ID")
    });
    if fits {
        Ok(())
    } else {
        Err(refuse("a signature over another element"))
    }
}

/// The certificates that could have made the signatures. The library gives up at the first whose key is of another
/// kind, and never looks at validity.
fn fitting(
    screened: &Screened<'_>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Vec<CertificateDer>, Refusal> {
    let shapes = screened.signatures();
    let Some(first) = shapes.first() else {
        return Err(Refusal::new(
            Check::Signed,
            "a signature by the idp",
            "none",
        ));
    };
    if shapes.iter().any(|shape| shape.key != first.key) {
        return Err(Refusal::new(
            Check::Certificate,
            "one kind of key for both signatures",
            "RSA and ECDSA",
        ));
    }
    let of_size = |its: &&Certificate| {
        its.kind() == first.key
            && shapes
                .iter()
                .any(|shape| shape.value_bytes == its.signature_bytes())
    };
    let mut sized = certificates.iter().filter(of_size).peekable();
    if sized.peek().is_none() {
        return Err(certificate(
            "none of the idp's fits the algorithm and length",
        ));
    }
    // R42, Entra's gallery: an expired certificate signs nobody in.
    let mut valid: Vec<_> = sized.filter(|its| its.is_valid(now)).collect();
    if valid.len() > 1 {
        // R49: what a message says of its key decides nothing but which of the pinned ones comes first.
        let named = named(screened);
        valid.sort_by_key(|its| !named.iter().any(|der| der == its.der()));
    }
    let valid: Vec<_> = valid
        .into_iter()
        .take(MAX_KEYS)
        .map(|its| CertificateDer::from(its.der().to_vec()))
        .collect();
    if valid.is_empty() {
        return Err(certificate(
            "only expired ones, or ones that are not valid yet",
        ));
    }
    Ok(valid)
}

/// The certificates that the signatures carry, as DER; whatever they are.
fn named(screened: &Screened<'_>) -> Vec<Vec<u8>> {
    screened
        .root()
        .descendants()
        .filter(|node| is(*node, DSIG, "X509Certificate"))
        .take(MAX_NAMED)
        .filter_map(|node| base64(&text(node).ok()?))
        .collect()
}

fn certificate(came: &str) -> Refusal {
    Refusal::new(
        Check::Certificate,
        "a valid certificate of the idp that fits",
        came,
    )
}
