//! Configured SAML idps, put to work.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::Saml;
use super::keys::Keys;
use super::memory::Memory;
use super::source::Source;
use crate::clock::Clock;
use crate::config::{self, Protocol, Settings};
use crate::identity::IdpName;
use crate::login::Idp;
use crate::metrics::Metrics;
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::saml::certificate::{Certificate, CertificateError};
use crate::saml::private_key::KeyError;
use crate::web::page::Look;

/// An idp has this long for its metadata.
const TIMEOUT: Duration = Duration::from_secs(10);

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
            cache: cache(cache_dir, &idp.name),
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

/// Where an idp's metadata is kept.
pub(super) fn cache(folder: &Path, idp: &IdpName) -> Cache {
    Cache::new(folder, &format!("{idp}.saml"))
}

/// Who must have signed the metadata, where somebody must.
pub(super) fn pinned(settings: &config::Saml) -> Result<Vec<Certificate>, CertificateError> {
    let pem = settings.metadata_certificate.as_ref();
    pem.map(|pem| Certificate::from_pem(pem.expose()))
        .into_iter()
        .collect()
}
