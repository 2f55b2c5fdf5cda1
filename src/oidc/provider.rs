//! An issuer's metadata and keys: in memory, on disk, renewed in time, the last good ones while it is down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::keys::Keys;
use super::metadata::{Metadata, MetadataError, well_known};
use crate::clock::{Clock, Timestamp};
use crate::crypto::{KeysError, random_bytes};
use crate::identity::IdpName;
use crate::metrics::{Metrics, SignIn};
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::problem::{Problem, chain};

/// How old metadata and keys get before they are fetched anew; up to a sixteenth less, so that replicas spread.
const AGE: Duration = Duration::from_hours(6);
/// An idp that just failed is left alone for this long.
const PAUSE: Duration = Duration::from_secs(5);

/// Why an issuer's documents could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("{document} was answered with status {status}")]
    Status {
        document: &'static str,
        status: StatusCode,
    },
    #[error("address cannot be asked")]
    Address(#[from] http::Error),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("idp failed moments ago: {0}")]
    Recently(String),
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sign_in.idp_unreachable",
            "Your sign-in service cannot be reached at the moment. Please try again in a minute.",
        )
        .retry_after(Duration::from_secs(30))
        .because(error)
    }
}

/// Both documents of one issuer as they were fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cached {
    fetched: Timestamp,
    metadata: Value,
    keys: Value,
}

/// What is known of an issuer.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) keys: Keys,
    fetched: Timestamp,
}

/// Who met a key that is not known. Each has its own allowance, so that strangers cannot use up that of sign-ins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// A sign-in: the token came from the idp itself.
    SignIn,
    /// A bearer or logout token: anybody can send one.
    Stranger,
}

/// One issuer.
pub(super) struct Provider {
    name: IdpName,
    issuer: Url,
    outbound: Outbound,
    cache: Cache,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    known: ArcSwapOption<Known>,
    flight: tokio::sync::Mutex<()>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    due: Timestamp,
    failed: Option<(Timestamp, String)>,
    asked_by_sign_in: Option<Timestamp>,
    asked_by_stranger: Option<Timestamp>,
}

impl Provider {
    /// Starts with what is on disk; asks nobody.
    pub(super) fn new(
        name: IdpName,
        issuer: Url,
        outbound: Outbound,
        cache: Cache,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let known = cache
            .load()
            .and_then(|cached: Cached| read(&cached, &issuer));
        Self {
            name,
            issuer,
            outbound,
            cache,
            clock,
            metrics,
            known: ArcSwapOption::from_pointee(known),
            flight: tokio::sync::Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// What is known without asking.
    pub(super) fn known(&self) -> Option<Arc<Known>> {
        self.known.load_full()
    }

    /// What is known; asks the idp when that is nothing.
    ///
    /// # Errors
    ///
    /// Nothing is known and the idp does not answer well.
    pub(super) async fn current(&self) -> Result<Arc<Known>, ProviderError> {
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
            return Err(ProviderError::Recently(why));
        }
        self.fetch().await
    }

    /// Newer keys than those seen, when the idp has some and its allowance is not used up: an unknown key is
    /// either a rolled one or an attack, and an attack must not make us hammer the idp.
    pub(super) async fn newer(&self, seen: &Arc<Known>, asker: Asker) -> Option<Arc<Known>> {
        let _turn = self.flight.lock().await;
        let known = self.known()?;
        if !Arc::ptr_eq(&known, seen) {
            return Some(known);
        }
        let now = self.clock.now();
        let may = self.notes(|notes| {
            let (last, pause) = match asker {
                Asker::SignIn => (&mut notes.asked_by_sign_in, PAUSE),
                Asker::Stranger => (&mut notes.asked_by_stranger, Duration::from_mins(1)),
            };
            let may = last.is_none_or(|last| now.since(last) >= pause);
            if may {
                *last = Some(now);
            }
            may
        });
        if may { self.fetch().await.ok() } else { None }
    }

    /// Fetches when it is time to; a failure keeps what is known.
    pub(super) async fn refresh(&self) {
        if self.clock.now() < self.notes(|notes| notes.due) {
            return;
        }
        let _turn = self.flight.lock().await;
        if self.clock.now() < self.notes(|notes| notes.due) {
            return;
        }
        if let Err(error) = self.fetch().await {
            let (idp, cause) = (self.name.as_str(), chain(&error));
            let last_good = self.known().map(|known| known.fetched.to_rfc3339());
            tracing::warn!(idp, cause, last_good, "idp metadata cannot be renewed");
        }
    }

    /// Why nobody could sign in now, or how long it has been failing.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.known().is_some() {
            return None;
        }
        let failed = self.notes(|notes| notes.failed.clone());
        Some(failed.map_or_else(|| "not asked yet".to_owned(), |(_, why)| why))
    }

    async fn fetch(&self) -> Result<Arc<Known>, ProviderError> {
        let fetched = self.fetch_both().await;
        let now = self.clock.now();
        let outcome = if fetched.is_ok() { "ok" } else { "failed" };
        let labels = SignIn {
            idp: self.name.to_string(),
            outcome,
        };
        self.metrics.idp_refreshes.get_or_create(&labels).inc();
        match fetched {
            Ok((known, cached)) => {
                let known = Arc::new(known);
                self.known.store(Some(known.clone()));
                let age = jittered();
                self.notes(|notes| {
                    notes.due = now.plus(age);
                    notes.failed = None;
                });
                self.cache.keep(&self.name, cached).await;
                Ok(known)
            }
            Err(error) => {
                self.notes(|notes| notes.failed = Some((now, chain(&error))));
                Err(error)
            }
        }
    }

    async fn fetch_both(&self) -> Result<(Known, Cached), ProviderError> {
        let document = self
            .get("discovery document", &well_known(&self.issuer))
            .await?;
        let metadata = Metadata::parse(&document, &self.issuer)?;
        let set = self.get("key set", metadata.jwks_uri.as_str()).await?;
        let keys = Keys::parse(&set)?;
        let fetched = self.clock.now();
        let cached = Cached {
            fetched,
            metadata: serde_json::from_slice(&document).map_err(MetadataError::Json)?,
            keys: serde_json::from_slice(&set).map_err(KeysError::Json)?,
        };
        let known = Known {
            metadata,
            keys,
            fetched,
        };
        Ok((known, cached))
    }

    async fn get(&self, document: &'static str, address: &str) -> Result<Bytes, ProviderError> {
        let request = Request::get(address)
            .header(ACCEPT, "application/json")
            .body(Bytes::new())?;
        let answer = self.outbound.call(request).await?;
        // A redirect is an answer like any other: who may speak for the issuer is not for it to say.
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            return Err(ProviderError::Status { document, status });
        }
        Ok(answer.into_body())
    }

    fn notes<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(cached: &Cached, issuer: &Url) -> Option<Known> {
    let metadata = serde_json::to_vec(&cached.metadata).ok()?;
    let keys = serde_json::to_vec(&cached.keys).ok()?;
    Some(Known {
        metadata: Metadata::parse(&metadata, issuer).ok()?,
        keys: Keys::parse(&keys).ok()?,
        fetched: cached.fetched,
    })
}

fn jittered() -> Duration {
    let [part] = random_bytes::<1>();
    let most = AGE.as_secs() / 16;
    let less = most.saturating_mul(u64::from(part)) / 255;
    AGE.saturating_sub(Duration::from_secs(less))
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
