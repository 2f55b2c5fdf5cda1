//! Newer metadata: when it is time, and when a key is not known.

use std::sync::Arc;
use std::time::Duration;

use super::{Source, SourceError};
use crate::clock::Timestamp;
use crate::config::MetadataSource;
use crate::metrics::SignIn;
use crate::problem::chain;
use crate::saml::metadata::IdpMetadata;

/// Who brings a message by a key that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::saml::service) enum Asker {
    /// It came with the secret handle of a request of ours that is open.
    Awaited,
    /// Nobody asked for it.
    Unasked,
}

impl Asker {
    /// Unknown keys are asked for no more often than this: one is either a rolled one or an attack. Each has its own
    /// allowance, so that what anybody can send does not use up that of what we wait for.
    const fn pause(self) -> Duration {
        match self {
            Self::Awaited => Duration::from_secs(10),
            Self::Unasked => Duration::from_secs(30),
        }
    }
}

impl Source {
    /// Newer metadata than that seen, when there is some and the idp was not asked just now.
    pub(in crate::saml::service) async fn newer(
        &self,
        seen: &Arc<IdpMetadata>,
        asker: Asker,
    ) -> Option<Arc<IdpMetadata>> {
        let _turn = self.flight.lock().await;
        let known = self.known()?;
        if !Arc::ptr_eq(&known, seen) {
            return Some(known);
        }
        let now = self.clock.now();
        let may = self.notes(|notes| {
            let last = notes.asked_for_keys.get(&asker);
            let may = last.is_none_or(|last| now.since(*last) >= asker.pause());
            if may {
                notes.asked_for_keys.insert(asker, now);
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
    pub(in crate::saml::service) async fn refresh(&self) {
        let file = matches!(self.from, MetadataSource::File(_));
        if file || self.clock.now() >= self.notes(|notes| notes.due) {
            let _turn = self.flight.lock().await;
            if let Err(error) = self.fetch().await {
                let (idp, cause) = (self.name.as_str(), chain(&error));
                let last_good = self.known().and(self.notes(|notes| notes.fetched));
                let last_good = last_good.map(Timestamp::to_rfc3339);
                tracing::warn!(idp, cause, last_good, "idp metadata cannot be renewed");
            }
        }
        self.tell_of_ends();
    }

    pub(super) async fn fetch(&self) -> Result<Arc<IdpMetadata>, SourceError> {
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
                    notes.fetched = Some(now);
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
                    if let SourceError::Probation(_, when) = error {
                        notes.due = when;
                    }
                });
                Err(error)
            }
        }
    }
}
