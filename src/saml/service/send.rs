//! A message of ours on its way to the idp through the browser: in an address (Bindings 3.4) or in a form (3.5).

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use openssl::error::ErrorStack;
use url::Url;

use super::Saml;
use crate::saml::message::Outgoing;
use crate::web::{answer, page};

/// How the browser carries it.
pub(super) enum Sent {
    /// There, with GET.
    To(String),
    /// A page that posts itself there.
    Page(Response<Full<Bytes>>),
}

impl Saml {
    /// Signed with our key where there is one and `signs` wants it.
    ///
    /// # Errors
    ///
    /// The library failed.
    pub(super) fn sent(
        &self,
        message: &Outgoing,
        location: &Url,
        relay: Option<&str>,
        by_post: bool,
        signs: bool,
    ) -> Result<Sent, ErrorStack> {
        let signer = self.keys.signer().filter(|_| signs);
        if by_post {
            let form = message.form(location, relay, signer)?;
            let page = page::idp_form(&form.action, &form.fields);
            return Ok(Sent::Page(answer::page(StatusCode::OK, &self.look, &page)));
        }
        let key = signer.map(|(key, _)| key);
        Ok(Sent::To(message.redirect(location, relay, key)?))
    }
}
