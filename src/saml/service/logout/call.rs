//! Our session has ended: the idp is told through the browser.

use serde_json::Value;

use super::SIGNED;
use crate::login::Logout;
use crate::problem::chain;
use crate::saml::message::{LogoutCall, message_id};
use crate::saml::service::Saml;
use crate::saml::service::memory::SignOut;
use crate::saml::service::send::Sent;
use crate::saml::verify::NameId;
use crate::session::Session;

impl Saml {
    /// Where the browser goes to sign out at the idp.
    pub(in crate::saml::service) fn ask_to_sign_out(
        &self,
        session: &Session,
        return_to: &str,
    ) -> Logout {
        let Some(known) = self.source.known() else {
            return Logout::Unsupported;
        };
        let (redirect, post) = (&known.sign_out.redirect, &known.sign_out.post);
        let (Some(endpoint), Some(name_id)) =
            (redirect.as_ref().or(post.as_ref()), name_id(session))
        else {
            return Logout::Unsupported;
        };
        let (id, now) = (message_id(), self.now());
        let message = LogoutCall {
            id: &id,
            issued: now,
            destination: endpoint.location.as_str(),
            issuer: &self.entity_id,
            name_id: &name_id,
            session_index: session.idp_session.as_deref(),
        }
        .write();
        let sign_out = SignOut {
            idp: self.mapping.idp.clone(),
            id,
            return_to: return_to.to_owned(),
        };
        let handle = self.memory.signing_out(sign_out, now);
        match self.sent(
            &message,
            &endpoint.location,
            Some(&handle),
            redirect.is_none(),
            SIGNED,
        ) {
            Ok(Sent::To(target)) => Logout::Redirect(target),
            Ok(Sent::Page(page)) => Logout::Page(page),
            Err(error) => {
                let cause = chain(&error);
                tracing::error!(cause, "a sign-out cannot be signed");
                Logout::Unsupported
            }
        }
    }
}

/// The person exactly as the idp named them at sign-in.
fn name_id(session: &Session) -> Option<NameId> {
    let claims = session.claims.to_map();
    let kept = claims.get("NameID");
    let text = |key: &str| {
        let value = kept?.get(key)?;
        value.as_str().map(str::to_owned)
    };
    Some(NameId {
        value: text("value").or_else(|| session.name_id.clone())?,
        format: text("format"),
        name_qualifier: text("name_qualifier"),
        sp_name_qualifier: text("sp_name_qualifier"),
    })
    .filter(|_| kept.is_none_or(Value::is_object))
}
