//! A SAML idp as part of the gate: sign-in begun by us or by it, sign-out both ways, our metadata.

mod logout;
mod memory;
mod params;
mod send;
mod sign_in;
mod source;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;

pub use memory::Memory;

use source::Source;

use super::certificate::{Certificate, CertificateError};
use super::claims::Mapping;
use super::metadata::OurMetadata;
use super::private_key::{KeyError, PrivateKey};
use crate::clock::{Clock, Timestamp};
use crate::config::{self, IdpSettings, Protocol, Settings};
use crate::identity::{IdpKind, IdpName};
use crate::login::{BearerCheck, Begin, BeginRequest, Idp, Login, Logout};
use crate::metrics::Metrics;
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::problem::Problem;
use crate::session::Session;
use crate::web::Visit;
use crate::web::page::Look;

/// An idp has this long for its metadata.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Verifications at once, of each idp; a thread each.
const AT_ONCE: usize = 4;

/// Why a configured idp cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// `ca_file`.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// `key`, `previous_key`.
    #[error("private key")]
    Key(#[from] KeyError),
    /// `certificate`, `metadata_certificate`.
    #[error("certificate")]
    Certificate(#[from] CertificateError),
    /// They are not a pair.
    #[error("certificate is another key's")]
    Pair,
}

/// Whether the keys and certificates of these settings can be used.
///
/// # Errors
///
/// Why not.
pub fn check(settings: &config::Saml) -> Result<(), BuildError> {
    Keys::new(settings)?;
    pinned(settings)?;
    Ok(())
}

/// Makes every configured SAML idp, with what the last run knew of it. Asks nobody. What was used stays used: `memory`
/// outlives what is made here. Reads `cache_dir`, and writes one file for each idp there when its metadata changes.
///
/// # Errors
///
/// A file with keys or certificates cannot be used.
pub fn build(
    settings: &Settings,
    cache_dir: &Path,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    memory: &Arc<Memory>,
    look: &Arc<Look>,
) -> Result<Vec<Arc<dyn Idp>>, BuildError> {
    let mut idps: Vec<Arc<dyn Idp>> = Vec::new();
    for idp in &settings.idps {
        let Protocol::Saml(saml) = &idp.protocol else {
            continue;
        };
        let source = Source {
            name: idp.name.clone(),
            from: saml.metadata.clone(),
            refresh: saml.metadata_refresh,
            entity_id: saml.idp_entity_id.clone(),
            signed_by: pinned(saml)?,
            outbound: Outbound::new(saml.ca_file.as_deref(), TIMEOUT)?,
            cache: Cache::new(cache_dir, &format!("{}.saml", idp.name)),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            known: ArcSwapOption::empty(),
            flight: tokio::sync::Mutex::default(),
            notes: Mutex::default(),
        };
        source.recall();
        idps.push(Arc::new(Saml::new(
            settings, idp, saml, source, memory, look,
        )?));
    }
    Ok(idps)
}

fn pinned(settings: &config::Saml) -> Result<Vec<Certificate>, CertificateError> {
    let pem = settings.metadata_certificate.as_ref();
    pem.map(|pem| Certificate::from_pem(pem.expose()))
        .into_iter()
        .collect()
}

/// Our own keys for one idp.
struct Keys {
    /// The newest first.
    decrypt: Vec<PrivateKey>,
    /// Of the newest.
    certificate: Option<Certificate>,
}

impl Keys {
    fn new(settings: &config::Saml) -> Result<Self, BuildError> {
        let keys = settings.key.iter().chain(&settings.previous_key);
        let decrypt: Vec<_> = keys.map(PrivateKey::from_pem).collect::<Result<_, _>>()?;
        let certificate = settings
            .certificate
            .as_ref()
            .map(|pem| Certificate::from_pem(pem.expose()))
            .transpose()?;
        if let (Some(key), Some(certificate)) = (decrypt.first(), &certificate)
            && !key.fits(certificate)
        {
            return Err(BuildError::Pair);
        }
        Ok(Self {
            decrypt,
            certificate,
        })
    }

    /// What signs, where there is something.
    fn signer(&self) -> Option<(&PrivateKey, &Certificate)> {
        self.decrypt.first().zip(self.certificate.as_ref())
    }
}

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
    slots: Semaphore,
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
            slots: Semaphore::new(AT_ONCE),
        })
    }

    /// An address of ours for this idp, at the origin that the browser sees.
    fn address(&self, origin: &str, what: &str) -> String {
        format!("{origin}{}/{what}/{}", self.prefix, self.mapping.idp)
    }

    fn now(&self) -> Timestamp {
        self.source.clock.now()
    }

    /// What idps read of us.
    fn metadata(&self, method: &Method) -> Result<Response<Full<Bytes>>, Problem> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed());
        }
        let (acs, slo) = (
            self.address(&self.origin, "sso"),
            self.address(&self.origin, "slo"),
        );
        let certificates = self.keys.certificate.as_slice();
        let document = OurMetadata {
            entity_id: &self.entity_id,
            acs: &acs,
            slo: Some(&slo),
            signing: certificates,
            encryption: certificates,
            signs_requests: self.settings.sign_requests,
        };
        let mut response = Response::new(Full::new(document.to_xml().into()));
        let kind = HeaderValue::from_static("application/samlmetadata+xml");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
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
