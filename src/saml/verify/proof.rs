//! From a screened response to text that a pinned key signed, by whichever of the ways idps take.

use roxmltree::Node;

use super::Trust;
use super::decoy;
use super::message::Message;
use super::status;
use super::witness::{Part, Witness};
use crate::clock::Timestamp;
use crate::saml::decrypt::Envelope;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::Screened;
use crate::saml::signature::{self, SignedText};
use crate::saml::xml::{ASSERTION, is, optional, required};

/// Text that may be believed, and what the message around it said.
pub(super) struct Proof {
    pub(super) message: Message,
    text: Text,
}

enum Text {
    /// A signature covers it.
    Signed(SignedText),
    /// A signature covers the ciphertext that it was.
    Opened(String),
}

impl Proof {
    /// The text as a document.
    pub(super) fn read(&self) -> Result<Screened<'_>, Refusal> {
        match &self.text {
            Text::Signed(signed) => signed.read(),
            Text::Opened(plaintext) => Screened::assertion(plaintext),
        }
    }
}

/// The assertion in what [`Proof::read`] gave.
pub(super) fn assertion<'a, 'i>(read: &'a Screened<'i>) -> Result<Node<'a, 'i>, Refusal> {
    let root = read.root();
    if is(root, ASSERTION, "Assertion") {
        Ok(root)
    } else {
        required(root, ASSERTION, "Assertion")
    }
}

/// Finds the proof in a response.
///
/// # Errors
///
/// The idp says no; nothing or the wrong thing is signed; nothing can be decrypted.
pub(super) fn prove(
    raw: &Screened<'_>,
    trust: &Trust<'_>,
    now: Timestamp,
    witness: &mut dyn Witness,
) -> Result<Proof, Refusal> {
    let root = raw.root();
    // An unsigned no is no as well.
    status::check(root)?;
    witness.saw(Part::Response, Check::Status, Ok(()))?;
    if raw.root_is_signed() {
        return signed_response(raw, trust, now, witness);
    }
    let text = if let Some(sealed) = optional(root, ASSERTION, "EncryptedAssertion")? {
        let text = open_unsigned(sealed, trust, now)?;
        witness.saw(Part::Assertion, Check::Decryption, Ok(()))?;
        text
    } else {
        required(root, ASSERTION, "Assertion")?;
        signature::verify(raw, trust.certificates, now)?
    };
    witness.saw(Part::Assertion, Check::Signature, Ok(()))?;
    Ok(Proof {
        message: Message::read(root, false)?,
        text: Text::Signed(text),
    })
}

/// The whole response is signed: from here on only the signed text counts.
fn signed_response(
    raw: &Screened<'_>,
    trust: &Trust<'_>,
    now: Timestamp,
    witness: &mut dyn Witness,
) -> Result<Proof, Refusal> {
    let signed = signature::verify(raw, trust.certificates, now)?;
    witness.saw(Part::Response, Check::Signature, Ok(()))?;
    let read = signed.read()?;
    let root = read.root();
    status::check(root)?;
    let message = Message::read(root, true)?;
    let text = if let Some(sealed) = optional(root, ASSERTION, "EncryptedAssertion")? {
        let text = open_signed(sealed, trust, now)?;
        witness.saw(Part::Assertion, Check::Decryption, Ok(()))?;
        text
    } else {
        required(root, ASSERTION, "Assertion")?;
        drop(read);
        Text::Signed(signed)
    };
    Ok(Proof { message, text })
}

/// The ciphertext is signed. What stands in it is as good; if it is signed itself, that must hold too.
fn open_signed(sealed: Node<'_, '_>, trust: &Trust<'_>, now: Timestamp) -> Result<Text, Refusal> {
    let plaintext = envelope(sealed, trust)?
        .open(trust.decryption_keys)
        .ok_or_else(Refusal::decryption)?;
    let screened = Screened::assertion(&plaintext).map_err(|_why| Refusal::decryption())?;
    if screened.root_is_signed() {
        let signed = signature::verify(&screened, trust.certificates, now);
        return signed
            .map(Text::Signed)
            .map_err(|_why| Refusal::decryption());
    }
    drop(screened);
    Ok(Text::Opened(plaintext))
}

/// Nobody signed the ciphertext: it may be a question to our key (Jager and Somorovsky, CCS 2011). A signature inside
/// is checked either way, on the plaintext or on a decoy, and there is one answer.
fn open_unsigned(
    sealed: Node<'_, '_>,
    trust: &Trust<'_>,
    now: Timestamp,
) -> Result<SignedText, Refusal> {
    let plaintext = envelope(sealed, trust)?.open(trust.decryption_keys);
    let decoy = decoy::assertion(trust.certificates);
    let opened = plaintext
        .as_deref()
        .and_then(|text| Screened::assertion(text).ok())
        .filter(Screened::root_is_signed);
    let is_genuine = opened.is_some();
    let screened = match opened {
        Some(screened) => screened,
        None => Screened::assertion(&decoy)?,
    };
    match signature::verify(&screened, trust.certificates, now) {
        Ok(signed) if is_genuine => Ok(signed),
        Ok(_) | Err(_) => Err(Refusal::decryption()),
    }
}

fn envelope(sealed: Node<'_, '_>, trust: &Trust<'_>) -> Result<Envelope, Refusal> {
    if trust.decryption_keys.is_empty() {
        return Err(Refusal::new(
            Check::Decryption,
            "plain content, or a key of ours in the settings",
            "encrypted content",
        ));
    }
    Envelope::read(sealed)
}
