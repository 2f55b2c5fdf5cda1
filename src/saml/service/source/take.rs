//! What a document must be to be put in force.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Cached, Source, SourceError};
use crate::clock::Timestamp;
use crate::config::MetadataSource;
use crate::crypto::sha256;
use crate::saml::certificate::Certificate;
use crate::saml::metadata::{IdpMetadata, Origin};

/// Entirely new keys and hosts must be there again after this (R49).
const PROBATION: Duration = Duration::from_hours(1);

impl Source {
    /// Checks a document and puts it in force.
    pub(super) async fn take(&self, document: &[u8]) -> Result<Arc<IdpMetadata>, SourceError> {
        let digest = sha256(document);
        if let Some(known) = self.known()
            && self.notes(|notes| notes.document) == Some(digest)
        {
            return Ok(known);
        }
        let now = self.clock.now();
        let before = self.known.load_full();
        // The entity is fixed when it is first met: an address that speaks of another one is taken over. A file is the
        // operator's own word.
        let entity_id = match (&self.entity_id, &before, &self.from) {
            (Some(configured), _, _) => Some(configured.as_str()),
            (None, Some(before), MetadataSource::Url(_)) => Some(before.entity_id.as_str()),
            (None, Some(_), MetadataSource::File(_)) | (None, None, _) => None,
        };
        let origin = Origin {
            entity_id,
            signed_by: &self.signed_by,
        };
        let read = IdpMetadata::read(document, &origin, now)?;
        if let Some(before) = &before {
            self.look_at_news(before, &read, now)?;
        }
        for why in &read.ignored {
            let idp = self.name.as_str();
            tracing::warn!(idp, why, "a certificate of the idp is not used");
        }
        let read = Arc::new(read);
        self.known.store(Some(Arc::clone(&read)));
        self.notes(|notes| {
            notes.document = Some(digest);
            notes.probation = None;
            notes.warned = None;
        });
        let cached = Cached {
            from: super::address(&self.from),
            fetched: now,
            entity_id: read.entity_id.clone(),
            document: String::from_utf8_lossy(document).into_owned(),
        };
        self.cache.keep(&self.name, cached).await;
        Ok(read)
    }

    /// R49: whoever takes the address over for an hour brings keys that nobody knew, or the idp's own keys, which are
    /// public, and leads people to a page of theirs. A file, and what a pinned certificate signed, is the operator's own
    /// word.
    fn look_at_news(
        &self,
        before: &IdpMetadata,
        read: &IdpMetadata,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        let vouched = matches!(self.from, MetadataSource::File(_)) || !self.signed_by.is_empty();
        let usable = |its: &&Certificate| its.is_valid(now);
        let mut known = before.certificates.iter().filter(usable).peekable();
        let nothing_to_lose = known.peek().is_none();
        let keeps = known.any(|old| read.certificates.iter().any(|new| new.der() == old.der()));
        let (were, are) = (hosts(before), hosts(read));
        let what = match (keeps, are.is_subset(&were)) {
            _ if vouched || nothing_to_lose => return Ok(()),
            (true, true) => return Ok(()),
            (false, _) => "holds none of the keys that were known",
            (true, false) => "leads people to a host that was not known",
        };
        let mut all: Vec<_> = read.certificates.iter().map(Certificate::der).collect();
        all.sort_unstable();
        all.extend(are.iter().map(|host| host.as_bytes()));
        let news = sha256(&all.concat());
        let since = self.notes(|notes| match notes.probation {
            Some((its, since)) if its == news => since,
            _ => {
                notes.probation = Some((news, now));
                now
            }
        });
        let until = since.plus(PROBATION.min(self.refresh));
        if now < until {
            return Err(SourceError::Probation(what, until));
        }
        Ok(())
    }
}

/// Where people and their messages are sent.
fn hosts(metadata: &IdpMetadata) -> BTreeSet<&str> {
    let (sign_in, sign_out) = (&metadata.sign_in, &metadata.sign_out);
    [sign_in, sign_out]
        .into_iter()
        .flat_map(|its| its.redirect.iter().chain(&its.post))
        .flat_map(|its| [&its.location, &its.responses])
        .filter_map(|url| url.host_str())
        .collect()
}
