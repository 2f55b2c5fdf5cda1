//! An idp's metadata: in memory, on disk, renewed in time, the last good one while it is down or lies.

mod document;
mod ends;
mod take;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Timestamp};
use crate::config::MetadataSource;
use crate::crypto::Digest;
use crate::identity::IdpName;
use crate::metrics::{Metrics, SignIn};
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::problem::{Problem, chain};
use crate::saml::certificate::Certificate;
use crate::saml::metadata::{IdpMetadata, Origin};
use crate::saml::refusal::Refusal;

pub(super) use document::bounded;

/// An idp that just failed is left alone for this long.
const PAUSE: Duration = Duration::from_secs(5);
/// Unknown keys are asked for no more often than this: one is either a rolled one or an attack.
const PAUSE_FOR_KEYS: Duration = Duration::from_secs(30);

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
    #[error("metadata holds none of the keys that were known; taken when they are still there {}", .0.to_rfc3339())]
    NewKeys(Timestamp),
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
    asked_for_keys: Option<Timestamp>,
    /// Entirely new keys, and when they were first seen.
    probation: Option<(Digest, Timestamp)>,
    /// The document that is in force.
    document: Option<Digest>,
    warned: Option<u64>,
}

impl Source {
    /// Takes what the last run kept; asks nobody.
    pub(super) fn recall(&self) {
        let Some(cached) = self.cache.load::<Cached>() else {
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

    /// Newer metadata than that seen, when there is some and the idp was not asked just now.
    pub(super) async fn newer(&self, seen: &Arc<IdpMetadata>) -> Option<Arc<IdpMetadata>> {
        let _turn = self.flight.lock().await;
        let known = self.known()?;
        if !Arc::ptr_eq(&known, seen) {
            return Some(known);
        }
        let now = self.clock.now();
        let may = self.notes(|notes| {
            let last = notes.asked_for_keys;
            let may = last.is_none_or(|last| now.since(last) >= PAUSE_FOR_KEYS);
            if may {
                notes.asked_for_keys = Some(now);
            }
            may
        });
        if !may {
            return None;
        }
        let newer = self.fetch().await.ok()?;
        (!Arc::ptr_eq(&newer, seen)).then_some(newer)
    }

    /// Fetches when it is time to; a failure keeps what is known.
    pub(super) async fn refresh(&self) {
        let file = matches!(self.from, MetadataSource::File(_));
        if file || self.clock.now() >= self.notes(|notes| notes.due) {
            let _turn = self.flight.lock().await;
            if let Err(error) = self.fetch().await {
                let (idp, cause) = (self.name.as_str(), chain(&error));
                tracing::warn!(idp, cause, "idp metadata cannot be renewed");
            }
        }
        self.tell_of_ends();
    }

    /// Why nobody could sign in now.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.known().is_some() {
            return None;
        }
        let failed = self.notes(|notes| notes.failed.clone());
        Some(failed.map_or_else(|| "not asked yet".to_owned(), |(_, why)| why))
    }

    async fn fetch(&self) -> Result<Arc<IdpMetadata>, SourceError> {
        let taken = match self.document().await {
            Ok(document) => self.take(&document).await,
            Err(error) => Err(error),
        };
        let now = self.clock.now();
        let outcome = if taken.is_ok() { "ok" } else { "failed" };
        let labels = SignIn {
            idp: self.name.to_string(),
            outcome,
        };
        self.metrics.idp_refreshes.get_or_create(&labels).inc();
        match taken {
            Ok(known) => {
                let wait = known.keep_for.unwrap_or(self.refresh).min(self.refresh);
                self.notes(|notes| {
                    notes.due = now.plus(wait.max(Duration::from_mins(1)));
                    notes.failed = None;
                });
                Ok(known)
            }
            Err(error) => {
                let why = chain(&error);
                self.notes(|notes| {
                    notes.failed = Some((now, why));
                    notes.due = now.plus(Duration::from_mins(1));
                    if let SourceError::NewKeys(when) = error {
                        notes.due = when;
                    }
                });
                Err(error)
            }
        }
    }

    fn notes<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
