//! The idp's word about signing out: its request, or its answer to ours.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;

use crate::clock::Timestamp;
use crate::login::Login;
use crate::problem::Problem;
use crate::saml::hint::Purpose;
use crate::saml::message::{Expecting, LogoutRequest, Received, RedirectQuery, Role};
use crate::saml::metadata::IdpMetadata;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::service::Saml;
use crate::saml::service::params::Params;
use crate::saml::service::source::Asker;
use crate::saml::service::turns::Turn;
use crate::saml::verify::Trust;
use crate::web::{Visit, answer};

impl Saml {
    /// A sign-out message of the idp's.
    pub(in crate::saml::service) async fn sign_out(
        &self,
        login: &Login,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let known = self.source.current().await?;
        if visit.method == Method::GET {
            let query = visit.uri.query().unwrap_or_default();
            let query = RedirectQuery::read(query);
            let query = query.map_err(|why| self.refused(visit, &why, false))?;
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
                let _told = self.refused(visit, &why, true);
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
        let request = read.await?;
        let request = request.map_err(|why| self.refused(visit, &why, false))?;
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

    /// Verifies; once more with newer metadata where the key is not known.
    async fn read<T: Send + 'static>(
        &self,
        known: &Arc<IdpMetadata>,
        came: Came,
        slo: String,
        ours: Option<String>,
        visit: &Visit,
        how: fn(&Received<'_>, &Trust<'_>, &Expecting<'_>) -> Result<T, Refusal>,
    ) -> Result<Result<T, Refusal>, Problem> {
        let asker = match ours {
            Some(_) => Asker::Awaited,
            None => Asker::Unasked,
        };
        let job = Arc::new(Job {
            came,
            slo,
            ours,
            now: visit.now,
        });
        let client = visit.origin.client;
        let turn = self.sign_outs.take(client).await?;
        let first = self.read_once(&job, known, how, turn).await?;
        let unknown_key = matches!(&first, Err(refusal)
            if matches!(refusal.check(), Check::Signature | Check::Certificate));
        if unknown_key && let Some(newer) = self.source.newer(known, asker).await {
            let turn = self.sign_outs.take(client).await?;
            return self.read_once(&job, &newer, how, turn).await;
        }
        Ok(first)
    }

    /// Off the async threads, where what was used can be written down and waited for.
    async fn read_once<T: Send + 'static>(
        &self,
        job: &Arc<Job>,
        known: &Arc<IdpMetadata>,
        how: fn(&Received<'_>, &Trust<'_>, &Expecting<'_>) -> Result<T, Refusal>,
        turn: Turn,
    ) -> Result<Result<T, Refusal>, Problem> {
        let (job, known) = (Arc::clone(job), Arc::clone(known));
        let (keys, memory) = (Arc::clone(&self.keys), Arc::clone(&self.memory));
        let read = tokio::task::spawn_blocking(move || {
            let trust = Trust {
                entity_id: &known.entity_id,
                certificates: &known.certificates,
                decryption_keys: &keys.decrypt,
            };
            let requests = job.ours.as_deref();
            let expecting = Expecting {
                slo: &job.slo,
                requests: requests.as_slice(),
                used: &*memory,
                now: job.now,
            };
            let received = match &job.came {
                Came::Redirect(query) => Received::Redirect(query),
                Came::Post(role, field) => Received::Post(*role, field),
            };
            let read = how(&received, &trust, &expecting);
            drop(turn);
            read
        });
        read.await.map_err(Problem::internal)
    }

    fn refused(&self, visit: &Visit, why: &Refusal, asked: bool) -> Problem {
        self.tell(visit, why, Purpose::SignOut, asked);
        unreadable().because(why.clone())
    }
}

/// What a verification needs, to be moved to its thread.
struct Job {
    came: Came,
    slo: String,
    /// The request of ours that it answers.
    ours: Option<String>,
    now: Timestamp,
}

/// A message as it came.
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
