//! A SAML idp as part of the gate: sign-in begun by us or by it, sign-out both ways, our metadata.

mod build;
mod keys;
mod logout;
mod memory;
mod offline;
mod params;
mod publish;
mod send;
mod sign_in;
mod source;
mod tell;
mod turns;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;

pub use build::{BuildError, build, check};
pub use memory::Memory;
pub use offline::Party;

use keys::Keys;
use publish::Published;
use source::Source;
use turns::Turns;

use super::claims::Mapping;
use crate::clock::Timestamp;
use crate::config::{self, IdpSettings, Settings};
use crate::identity::{IdpKind, IdpName};
use crate::login::{BearerCheck, Begin, BeginRequest, Idp, Login, Logout};
use crate::problem::Problem;
use crate::session::Session;
use crate::web::Visit;
use crate::web::page::Look;

/// One SAML idp.
struct Saml {
    label: String,
    domains: Vec<String>,
    /// `[paths] saml`
    prefix: String,
    /// Our entity ID.
    entity_id: String,
    /// Origin of `public_url`.
    origin: String,
    settings: config::Saml,
    mapping: Mapping,
    keys: Arc<Keys>,
    source: Source,
    memory: Arc<Memory>,
    look: Arc<Look>,
    published: ArcSwapOption<Published>,
    sign_ins: Turns,
    sign_outs: Turns,
}

impl Saml {
    fn new(
        settings: &Settings,
        idp: &IdpSettings,
        saml: &config::Saml,
        source: Source,
        memory: &Arc<Memory>,
        look: &Arc<Look>,
    ) -> Result<Self, BuildError> {
        let prefix = settings.paths.saml.clone();
        let origin = settings.public_url.origin();
        let own = || format!("{origin}{prefix}/service-provider-metadata/{}", idp.name);
        Ok(Self {
            label: idp.label.clone(),
            domains: idp.domains.clone(),
            entity_id: saml.entity_id.clone().unwrap_or_else(own),
            prefix,
            origin,
            settings: saml.clone(),
            mapping: Mapping {
                idp: idp.name.clone(),
                attributes: idp.attributes.clone(),
            },
            keys: Arc::new(Keys::new(saml)?),
            source,
            memory: Arc::clone(memory),
            look: Arc::clone(look),
            published: ArcSwapOption::empty(),
            sign_ins: Turns::new(),
            sign_outs: Turns::new(),
        })
    }

    /// An address of ours for this idp, at the origin that the browser sees.
    fn address(&self, origin: &str, what: &str) -> String {
        format!("{origin}{}/{what}/{}", self.prefix, self.mapping.idp)
    }

    fn now(&self) -> Timestamp {
        self.source.clock.now()
    }
}

#[async_trait]
impl Idp for Saml {
    fn name(&self) -> &IdpName {
        &self.mapping.idp
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn kind(&self) -> IdpKind {
        IdpKind::Saml
    }

    fn domains(&self) -> &[String] {
        &self.domains
    }

    async fn begin(&self, request: BeginRequest<'_>) -> Result<Begin, Problem> {
        let known = self.source.current().await?;
        self.ask(&known, &request)
    }

    async fn logout(&self, session: &Session, return_to: &str) -> Logout {
        self.ask_to_sign_out(session, return_to)
    }

    async fn bearer(&self, _token: &str) -> BearerCheck {
        BearerCheck::NotOurs
    }

    async fn answer(
        &self,
        login: &Login,
        visit: &Visit,
        rest: &str,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        match (rest, &visit.method) {
            ("sso", &Method::POST) => self.arrive(login, visit, &body).await,
            ("sso", &Method::GET) => self.go_on(login, visit).await,
            ("slo", &Method::GET | &Method::POST) => self.sign_out(login, visit, &body).await,
            ("sso" | "slo", _) => Err(Problem::method_not_allowed()),
            ("service-provider-metadata", method) => self.metadata(method),
            _ => Err(Problem::not_found()),
        }
    }

    async fn refresh(&self) {
        self.source.refresh().await;
        if let Err(error) = self.memory.sweep(self.now()).await {
            tracing::warn!(%error, "used assertions cannot be forgotten");
        }
    }

    async fn ready(&self) -> Result<(), String> {
        self.source.trouble().map_or(Ok(()), Err)
    }
}
