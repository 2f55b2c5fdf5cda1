//! A certificate in words.

use std::fmt::Write as _;

use openssl::hash::MessageDigest;
use openssl::x509::X509;

use crate::clock::Timestamp;
use crate::saml::certificate::Certificate;

/// Whose it says it is, both fingerprints, until when. Entra's portal shows the SHA-1 one as thumbprint.
pub(super) fn in_words(der: &[u8], now: Timestamp) -> String {
    let Ok(x509) = X509::from_der(der) else {
        return "one that cannot be read".to_owned();
    };
    let hex = |digest| match x509.digest(digest) {
        Ok(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing into memory does not fail.
            let _written = write!(text, "{byte:02X}");
            text
        }),
        Err(_) => String::from("?"),
    };
    let (sha1, sha256) = (hex(MessageDigest::sha1()), hex(MessageDigest::sha256()));
    let validity = match Certificate::from_der(der) {
        Ok(its) if now < its.not_before() => {
            format!("not valid before {}", its.not_before().to_rfc3339())
        }
        Ok(its) if its.is_valid(now) => format!("valid until {}", its.not_after().to_rfc3339()),
        Ok(its) => format!("EXPIRED at {}", its.not_after().to_rfc3339()),
        Err(why) => why.to_string(),
    };
    let subject = subject(&x509);
    format!("{subject}, {validity}, thumbprint {sha1}, SHA-256 {sha256}")
}

fn subject(x509: &X509) -> String {
    let entries = x509.subject_name().entries().map(|entry| {
        let name = entry.object().nid().short_name().unwrap_or("?");
        let value = entry.data().to_string();
        value.map_or_else(|_failed| name.to_owned(), |value| format!("{name}={value}"))
    });
    entries.collect::<Vec<_>>().join(", ")
}
