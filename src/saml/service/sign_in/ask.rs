//! Our request on its way.

use super::{SignInError, request_id};
use crate::config::Binding;
use crate::login::{Begin, BeginRequest};
use crate::problem::Problem;
use crate::saml::message::AuthnRequest;
use crate::saml::metadata::{Endpoint, IdpMetadata};
use crate::saml::service::Saml;
use crate::saml::service::send::Sent;

impl Saml {
    /// Our request, by the binding that was configured where the idp has it.
    pub(in crate::saml::service) fn ask(
        &self,
        known: &IdpMetadata,
        request: &BeginRequest<'_>,
    ) -> Result<Begin, Problem> {
        let (redirect, post) = (&known.sign_in.redirect, &known.sign_in.post);
        let by_post = match self.settings.binding {
            Binding::Redirect => redirect.is_none(),
            Binding::Post => post.is_some(),
        };
        let endpoint = if by_post { post } else { redirect };
        let Endpoint { location, .. } = endpoint.as_ref().ok_or(SignInError::NoEndpoint)?;
        let (id, acs) = (
            request_id(request.nonce),
            self.address(request.origin, "sso"),
        );
        let message = AuthnRequest {
            id: &id,
            issued: self.now(),
            destination: location.as_str(),
            issuer: &self.entity_id,
            acs: &acs,
            again: request.again || self.settings.proof.anew,
            name_id_format: self.settings.name_id_format.as_deref(),
            authn_context: &self.settings.proof.context,
            comparison: self.settings.proof.comparison,
        }
        .write();
        let signs = self.settings.sign_requests || known.wants_signed_requests;
        let mut location = location.clone();
        // Entra has no `Subject` in requests, and this for it.
        if let Some(hint) = request.hint
            && location.host_str() == Some("login.microsoftonline.com")
        {
            location.query_pairs_mut().append_pair("login_hint", hint);
        }
        let sent = self.sent(&message, &location, Some(request.handle), by_post, signs);
        Ok(match sent.map_err(SignInError::Signing)? {
            Sent::To(target) => Begin::Redirect(target),
            Sent::Page(page) => Begin::Page(page),
        })
    }
}
