//! HTTP-Redirect, outwards (Bindings 3.4): a message deflated into a query, with the signature beside it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use openssl::error::ErrorStack;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::Outgoing;
use crate::saml::private_key::PrivateKey;

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// RFC 3986 2.3: what needs no encoding.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Outgoing {
    /// The idp's address with the message, signed where there is a key. What the address had before stays, and is not
    /// signed (Google's has `?idpid=`).
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn redirect(
        &self,
        location: &Url,
        relay_state: Option<&str>,
        key: Option<&PrivateKey>,
    ) -> Result<String, ErrorStack> {
        let mut query = format!(
            "{}={}",
            self.role.parameter(),
            encoded(&deflated(&self.to_xml()))
        );
        if let Some(state) = relay_state {
            for part in ["&RelayState=", &encoded(state)] {
                query.push_str(part);
            }
        }
        if let Some(key) = key {
            for part in ["&SigAlg=", &encoded(RSA_SHA256)] {
                query.push_str(part);
            }
            let signature = STANDARD.encode(key.sign(query.as_bytes())?);
            for part in ["&Signature=", &encoded(&signature)] {
                query.push_str(part);
            }
        }
        let joint = match location.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        Ok(format!("{location}{joint}{query}"))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn deflated(xml: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder
        .write_all(xml.as_bytes())
        .and_then(|()| encoder.finish());
    STANDARD.encode(written.unwrap_or_default())
}
