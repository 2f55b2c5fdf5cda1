//! Doing what the idp asked, and saying so.

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;

use super::SIGNED;
use crate::login::Login;
use crate::problem::Problem;
use crate::saml::message::{Asked, LogoutReply, message_id};
use crate::saml::metadata::IdpMetadata;
use crate::saml::service::Saml;
use crate::saml::service::send::Sent;
use crate::web::{Visit, answer};

impl Saml {
    /// Every session that the idp names ends; without one, all of the person's.
    pub(super) async fn end_all(
        &self,
        login: &Login,
        visit: &Visit,
        asked: &Asked,
    ) -> Result<(), Problem> {
        let idp = &self.mapping.idp;
        let subject = || Some(asked.name_id.value.clone());
        if asked.session_indexes.is_empty() {
            return login.end_by_idp(visit, idp, subject(), None).await;
        }
        for index in &asked.session_indexes {
            let session = Some(index.clone());
            login.end_by_idp(visit, idp, subject(), session).await?;
        }
        Ok(())
    }

    /// Anybody can write an unsigned request: it ends the session of the browser that brings it, if that is the
    /// person's whom it names, and no other.
    pub(super) async fn end_own(
        &self,
        login: &Login,
        visit: &Visit,
        asked: &Asked,
    ) -> Result<bool, Problem> {
        let own = login.current(visit).filter(|live| {
            live.record.idp == self.mapping.idp
                && live.record.name_id.as_ref() == Some(&asked.name_id.value)
        });
        let Some(live) = own else {
            return Ok(false);
        };
        login.end(visit, &live).await?;
        Ok(true)
    }

    pub(super) fn reply(
        &self,
        visit: &Visit,
        known: &IdpMetadata,
        asked: &Asked,
        done: bool,
        relay: Option<&str>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let (redirect, post) = (&known.sign_out.redirect, &known.sign_out.post);
        let by_post = match visit.method {
            Method::POST => post.is_some(),
            _ => redirect.is_none(),
        };
        let endpoint = if by_post { post } else { redirect };
        let Some(endpoint) = endpoint else {
            return Ok(answer::redirect("/"));
        };
        let message = LogoutReply {
            id: &message_id(),
            issued: visit.now,
            destination: endpoint.responses.as_str(),
            issuer: &self.entity_id,
            in_response_to: &asked.id,
            done,
        }
        .write();
        match self.sent(&message, &endpoint.responses, relay, by_post, SIGNED) {
            Ok(Sent::To(target)) => Ok(answer::redirect(&target)),
            Ok(Sent::Page(page)) => Ok(page),
            Err(error) => Err(Problem::internal(error)),
        }
    }
}
