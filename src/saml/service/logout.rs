//! Single logout (Profiles 4.4): ours is told to the idp, the idp's is told to us.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use serde_json::Value;

use super::Saml;
use super::memory::SignOut;
use super::params::Params;
use super::send::Sent;
use crate::login::{Login, Logout};
use crate::problem::{Problem, chain};
use crate::saml::message::{
    Asked, Expecting, LogoutCall, LogoutReply, LogoutRequest, Received, RedirectQuery, Role,
    message_id,
};
use crate::saml::metadata::IdpMetadata;
use crate::saml::refusal::Refusal;
use crate::saml::verify::{NameId, Trust};
use crate::session::Session;
use crate::web::{Visit, answer};

/// Wherever there is a key: AD FS takes no others.
const SIGNED: bool = true;

impl Saml {
    /// Where the browser goes to sign out at the idp.
    pub(super) fn ask_to_sign_out(&self, session: &Session, return_to: &str) -> Logout {
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

    /// A sign-out message of the idp's.
    pub(super) async fn sign_out(
        &self,
        login: &Login,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let known = self.source.current().await?;
        if visit.method == Method::GET {
            let query = visit.uri.query().unwrap_or_default();
            let query = RedirectQuery::read(query).map_err(|why| self.refused(visit, &why))?;
            let (role, relay) = (query.role(), query.relay_state().map(str::to_owned));
            let came = Came::Redirect(query);
            return self
                .received(login, visit, &known, came, role, relay.as_deref())
                .await;
        }
        let params = Params::form(visit, body)?;
        let (role, field) = match (params.get("SAMLRequest"), params.get("SAMLResponse")) {
            (Some(request), None) => (Role::Request, request),
            (None, Some(response)) => (Role::Response, response),
            _ => return Err(unreadable()),
        };
        let came = Came::Post(role, field.to_owned());
        let relay = params.get("RelayState");
        self.received(login, visit, &known, came, role, relay).await
    }

    async fn received(
        &self,
        login: &Login,
        visit: &Visit,
        known: &Arc<IdpMetadata>,
        came: Came,
        role: Role,
        relay: Option<&str>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let slo = self.address(&login.origin(visit), "slo");
        if role == Role::Response {
            let begun = relay.and_then(|handle| self.memory.take_sign_out(handle, visit.now));
            let begun = begun.filter(|begun| begun.idp == self.mapping.idp);
            let done = format!("{}/logout/done", login.settings.paths.own);
            let Some(begun) = begun else {
                return Ok(answer::redirect(&done));
            };
            let ours = Some(begun.id);
            let read = self.read(known, came, slo, ours, visit, |came, trust, expecting| {
                came.answer(trust, expecting)
            });
            let trouble = match read.await? {
                Ok(answer) => answer.trouble,
                Err(refusal) => Some(refusal),
            };
            if let Some(why) = trouble {
                // Ours has ended; of theirs the person is told that it may go on.
                let _told = self.refused(visit, &why);
                return Ok(answer::redirect(&format!(
                    "{done}?idp={}",
                    self.mapping.idp
                )));
            }
            return Ok(answer::redirect(&begun.return_to));
        }
        let read = self.read(known, came, slo, None, visit, |came, trust, expecting| {
            came.request(trust, expecting)
        });
        let request = read.await?.map_err(|why| self.refused(visit, &why))?;
        let (asked, done) = match request {
            LogoutRequest::Signed(asked) => {
                self.end_all(login, visit, &asked).await?;
                (asked, true)
            }
            LogoutRequest::Unsigned(asked) => {
                let done = self.end_own(login, visit, &asked).await?;
                (asked, done)
            }
        };
        self.reply(visit, known, &asked, done, relay)
    }

    /// Verifies off the async threads, where what was used can be written down and waited for.
    async fn read<T: Send + 'static>(
        &self,
        known: &Arc<IdpMetadata>,
        came: Came,
        slo: String,
        ours: Option<String>,
        visit: &Visit,
        how: impl FnOnce(&Received<'_>, &Trust<'_>, &Expecting<'_>) -> Result<T, Refusal>
        + Send
        + 'static,
    ) -> Result<Result<T, Refusal>, Problem> {
        let (known, keys) = (Arc::clone(known), Arc::clone(&self.keys));
        let (memory, now) = (Arc::clone(&self.memory), visit.now);
        let read = tokio::task::spawn_blocking(move || {
            let trust = Trust {
                entity_id: &known.entity_id,
                certificates: &known.certificates,
                decryption_keys: &keys.decrypt,
            };
            let requests = ours.as_deref();
            let expecting = Expecting {
                slo: &slo,
                requests: requests.as_slice(),
                used: &*memory,
                now,
            };
            match came {
                Came::Redirect(query) => how(&Received::Redirect(query), &trust, &expecting),
                Came::Post(role, field) => how(&Received::Post(role, &field), &trust, &expecting),
            }
        });
        read.await.map_err(Problem::internal)
    }

    /// Every session that the idp names ends; without one, all of the person's.
    async fn end_all(&self, login: &Login, visit: &Visit, asked: &Asked) -> Result<(), Problem> {
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
    async fn end_own(&self, login: &Login, visit: &Visit, asked: &Asked) -> Result<bool, Problem> {
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

    fn reply(
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

    fn refused(&self, visit: &Visit, why: &Refusal) -> Problem {
        let (idp, check) = (self.mapping.idp.as_str(), why.check().as_str());
        let (expected, came) = (why.expected(), why.came());
        let request_id = &*visit.origin.request_id;
        tracing::warn!(
            idp,
            check,
            expected,
            came,
            request_id,
            "a sign-out message is refused"
        );
        unreadable().because(why.clone())
    }
}

/// A message as it came, to be moved to its thread.
enum Came {
    Redirect(RedirectQuery),
    Post(Role, String),
}

fn unreadable() -> Problem {
    Problem::bad_request(
        "logout.saml",
        "Your sign-in service's word about signing out could not be verified.",
    )
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
