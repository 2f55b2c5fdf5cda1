//! An idp's metadata: in memory, on disk, renewed in time, the last good one while it is down or lies.

mod document;
mod ends;
mod renew;
mod take;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use serde::{Deserialize, Serialize};

pub(super) use renew::Asker;

use crate::clock::{Clock, Timestamp};
use crate::config::MetadataSource;
use crate::crypto::Digest;
use crate::identity::IdpName;
use crate::metrics::Metrics;
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::problem::Problem;
use crate::saml::certificate::Certificate;
use crate::saml::metadata::{IdpMetadata, Origin};
use crate::saml::refusal::Refusal;

pub(super) use document::bounded;

/// An idp that just failed is left alone for this long.
const PAUSE: Duration = Duration::from_secs(5);
/// Why an idp's metadata cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("metadata was answered with status {0}")]
    Status(StatusCode),
    #[error("address cannot be asked")]
    Address(#[from] http::Error),
    #[error("metadata file cannot be read")]
    File(#[source] io::Error),
    #[error("metadata is refused")]
    Refused(#[from] Refusal),
    #[error("metadata {0}; taken when it is still so {until}", until = .1.to_rfc3339())]
    Probation(&'static str, Timestamp),
    #[error("idp failed moments ago: {0}")]
    Recently(String),
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sign_in.idp_unreachable",
            "Your sign-in service cannot be reached at the moment. Please try again in a minute.",
        )
        .retry_after(Duration::from_secs(30))
        .because(error)
    }
}

/// What is kept on disk.
#[derive(Serialize, Deserialize)]
pub(super) struct Cached {
    /// What the settings named then: an idp that is asked elsewhere now is another one.
    pub(super) from: String,
    pub(super) fetched: Timestamp,
    /// Fixed when the idp was first met.
    pub(super) entity_id: String,
    pub(super) document: String,
}

/// One idp's metadata.
pub(super) struct Source {
    pub(super) name: IdpName,
    pub(super) from: MetadataSource,
    pub(super) refresh: Duration,
    pub(super) entity_id: Option<String>,
    pub(super) signed_by: Vec<Certificate>,
    pub(super) outbound: Outbound,
    pub(super) cache: Cache,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) known: ArcSwapOption<IdpMetadata>,
    pub(super) flight: tokio::sync::Mutex<()>,
    pub(super) notes: Mutex<Notes>,
}

#[derive(Default)]
pub(super) struct Notes {
    due: Timestamp,
    failed: Option<(Timestamp, String)>,
    asked_for_keys: HashMap<Asker, Timestamp>,
    /// When what is known came.
    fetched: Option<Timestamp>,
    /// Entirely new keys or hosts, and when they were first seen.
    probation: Option<(Digest, Timestamp)>,
    /// The document that is in force.
    document: Option<Digest>,
    warned: Option<i64>,
}

impl Source {
    /// Takes what the last run kept; asks nobody.
    pub(super) fn recall(&self) {
        let Some(cached) = kept(&self.cache, &self.from) else {
            return;
        };
        // A configured entity that is another one now makes what was kept another idp's.
        let entity_id = self.entity_id.as_deref().unwrap_or(&cached.entity_id);
        let origin = Origin {
            entity_id: Some(entity_id),
            signed_by: &self.signed_by,
        };
        if let Ok(read) = IdpMetadata::read(cached.document.as_bytes(), &origin, self.clock.now()) {
            self.known.store(Some(Arc::new(read)));
            self.notes(|notes| notes.fetched = Some(cached.fetched));
        }
    }

    /// What is known and may still be used, without asking.
    pub(super) fn known(&self) -> Option<Arc<IdpMetadata>> {
        let now = self.clock.now();
        let in_time = |its: &Arc<IdpMetadata>| its.valid_until.is_none_or(|until| now < until);
        self.known.load_full().filter(in_time)
    }

    /// What is known; asks when that is nothing.
    ///
    /// # Errors
    ///
    /// Nothing is known and there is no good answer.
    pub(super) async fn current(&self) -> Result<Arc<IdpMetadata>, SourceError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _turn = self.flight.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if let Some((at, why)) = self.notes(|notes| notes.failed.clone())
            && self.clock.now().since(at) < PAUSE
        {
            return Err(SourceError::Recently(why));
        }
        self.fetch().await
    }

    /// Why nobody could sign in now.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.known().is_some() {
            return None;
        }
        let failed = self.notes(|notes| notes.failed.clone());
        Some(failed.map_or_else(|| "not asked yet".to_owned(), |(_, why)| why))
    }

    fn notes<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was kept of this address or file, and of no other.
pub(super) fn kept(cache: &Cache, from: &MetadataSource) -> Option<Cached> {
    let cached = cache.load::<Cached>();
    cached.filter(|its| its.from == address(from))
}

fn address(from: &MetadataSource) -> String {
    match from {
        MetadataSource::Url(url) => url.0.to_string(),
        MetadataSource::File(file) => file.display().to_string(),
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
