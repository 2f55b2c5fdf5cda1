//! HTTP-POST (Bindings 3.5): a form that a page sends on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use url::Url;

use super::Outgoing;
use crate::saml::certificate::Certificate;
use crate::saml::private_key::PrivateKey;

/// What a page posts for us. Values are plain: whoever writes the page escapes them (R51).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostForm {
    /// The idp's address.
    pub action: String,
    /// Names and values of its fields.
    pub fields: Vec<(&'static str, String)>,
}

impl Outgoing {
    /// The form, signed where there is a key.
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn form(
        &self,
        location: &Url,
        relay_state: Option<&str>,
        signer: Option<(&PrivateKey, &Certificate)>,
    ) -> Result<PostForm, ErrorStack> {
        let xml = match signer {
            Some((key, certificate)) => self.signed_xml(key, certificate)?,
            None => self.to_xml(),
        };
        let mut fields = vec![(self.role.parameter(), STANDARD.encode(xml))];
        fields.extend(relay_state.map(|state| ("RelayState", state.to_owned())));
        Ok(PostForm {
            action: location.to_string(),
            fields,
        })
    }
}
