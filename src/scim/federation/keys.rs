//! Keys of one issuer: of a file, or fetched, kept, and fetched again when they age or an unknown one is met.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::config::{FederationKeys, SafeUrl, is_loopback};
use crate::crypto::{KeySet, KeysError};
use crate::outbound::{Outbound, OutboundError};

/// How old keys get before they are fetched anew.
const AGE: Duration = Duration::from_hours(6);
/// Keys that cannot be fetched anew are good for this long: an issuer may have taken one back meanwhile.
const STALE: Duration = Duration::from_hours(24);
/// An issuer that just failed is left alone for this long.
const PAUSE: Duration = Duration::from_secs(5);
/// An unknown key asks again at most this often: anybody can make one up.
const UNKNOWN: Duration = Duration::from_mins(1);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// Another answer.
    #[error("{0} answered with status {1}")]
    Status(&'static str, StatusCode),
    /// Not an address.
    #[error("address cannot be asked")]
    Address(#[from] http::Error),
    /// Not JSON, or a required member is missing.
    #[error("discovery document cannot be read")]
    Document(#[from] serde_json::Error),
    /// It speaks for somebody else.
    #[error("discovery document is of issuer {0:?}")]
    Issuer(String),
    /// Neither https nor, beside an issuer on this machine, on this machine (R21).
    #[error("jwks_uri of the discovery document must not be called")]
    Endpoint,
    /// No key set.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// It failed moments ago.
    #[error("issuer failed moments ago")]
    Recently,
}

/// Keys of one issuer.
pub(super) struct IssuerKeys {
    place: FederationKeys,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    known: ArcSwapOption<Fetched>,
    flight: tokio::sync::Mutex<()>,
    notes: Mutex<Notes>,
}

struct Fetched {
    keys: Arc<KeySet>,
    at: Timestamp,
}

#[derive(Default)]
struct Notes {
    failed: Option<Timestamp>,
    unknown: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl IssuerKeys {
    /// Asks nobody yet.
    pub(super) fn new(place: FederationKeys, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self {
            place,
            outbound,
            clock,
            known: ArcSwapOption::empty(),
            flight: tokio::sync::Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// The keys, young enough.
    ///
    /// # Errors
    ///
    /// None are known and the issuer does not answer well.
    pub(super) async fn current(&self) -> Result<Arc<KeySet>, FetchError> {
        if let FederationKeys::File(keys) = &self.place {
            return Ok(Arc::clone(keys));
        }
        if let Some(keys) = self.younger_than(AGE) {
            return Ok(keys);
        }
        let _turn = self.flight.lock().await;
        if let Some(keys) = self.younger_than(AGE) {
            return Ok(keys);
        }
        let failed = self.notes(|notes| notes.failed);
        let rests = failed.is_some_and(|at| self.clock.now().since(at) < PAUSE);
        let fetched = if rests {
            Err(FetchError::Recently)
        } else {
            self.fetch().await
        };
        match (fetched, self.younger_than(STALE)) {
            (Err(_kept), Some(keys)) => Ok(keys),
            (fetched, _) => fetched,
        }
    }

    /// Other keys than those seen, when the issuer has some and was not asked too lately.
    pub(super) async fn newer(&self, seen: &Arc<KeySet>) -> Option<Arc<KeySet>> {
        if matches!(self.place, FederationKeys::File(_)) {
            return None;
        }
        let _turn = self.flight.lock().await;
        let known = self.younger_than(STALE)?;
        if !Arc::ptr_eq(&known, seen) {
            return Some(known);
        }
        let now = self.clock.now();
        let may = self.notes(|notes| {
            let may = notes.unknown.is_none_or(|at| now.since(at) >= UNKNOWN);
            if may {
                notes.unknown = Some(now);
            }
            may
        });
        if may { self.fetch().await.ok() } else { None }
    }

    fn younger_than(&self, age: Duration) -> Option<Arc<KeySet>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        (self.clock.now().since(known.at) < age).then(|| Arc::clone(&known.keys))
    }

    async fn fetch(&self) -> Result<Arc<KeySet>, FetchError> {
        let fetched = self.fetch_set().await;
        let at = self.clock.now();
        self.notes(|notes| notes.failed = fetched.is_err().then_some(at));
        let keys = Arc::new(fetched?);
        let known = Fetched {
            keys: Arc::clone(&keys),
            at,
        };
        self.known.store(Some(Arc::new(known)));
        Ok(keys)
    }

    async fn fetch_set(&self) -> Result<KeySet, FetchError> {
        let address = match &self.place {
            FederationKeys::Url(SafeUrl(url)) => url.clone(),
            FederationKeys::Discovery(SafeUrl(issuer)) => self.discover(issuer).await?,
            // Nobody asks for what is there.
            FederationKeys::File(_) => return Err(FetchError::Endpoint),
        };
        let set = self.get("key set", address.as_str()).await?;
        Ok(KeySet::parse(&set)?)
    }

    /// Discovery 1.0, 4: where the issuer's keys are, by its own word.
    async fn discover(&self, issuer: &Url) -> Result<Url, FetchError> {
        let base = issuer.as_str().trim_end_matches('/');
        let address = format!("{base}/.well-known/openid-configuration");
        let document = self.get("discovery document", &address).await?;
        let document: Document = serde_json::from_slice(&document)?;
        // Discovery 4.3: or another issuer could pass for it.
        if Url::parse(&document.issuer).ok().as_ref() != Some(issuer) {
            return Err(FetchError::Issuer(document.issuer));
        }
        match document.jwks_uri.parse::<SafeUrl>() {
            // R21: an issuer elsewhere must not make us call ports of this machine.
            Ok(SafeUrl(url)) if is_loopback(issuer) || !is_loopback(&url) => Ok(url),
            _ => Err(FetchError::Endpoint),
        }
    }

    async fn get(&self, document: &'static str, address: &str) -> Result<Bytes, FetchError> {
        let request = Request::get(address)
            .header(ACCEPT, "application/json")
            .body(Bytes::new())?;
        let answer = self.outbound.call(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(document, answer.status()));
        }
        Ok(answer.into_body())
    }

    fn notes<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
