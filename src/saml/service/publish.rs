//! Our metadata, where idps read it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;

use super::Saml;
use crate::clock::Timestamp;
use crate::problem::Problem;
use crate::saml::metadata::OurMetadata;

const DAY: Duration = Duration::from_hours(24);
/// How long a document may be used. It is mostly uploaded by hand, once: an idp that heeds `validUntil` refuses people
/// afterwards, with a page of its own (`SimpleSAMLphp` issue 1618, Shibboleth in `BookStack` pull request 5914). So it is
/// long, as Google's is; who fetches the address gets another five years every day. There is no `cacheDuration`, which
/// some take for an end, too.
const LIFE: Duration = Duration::from_hours(5 * 365 * 24);

/// A document, and the day that it was made on.
pub(super) struct Published {
    day: Timestamp,
    document: Bytes,
}

impl Saml {
    /// What idps read of us, signed where there is a key.
    pub(super) fn metadata(&self, method: &Method) -> Result<Response<Full<Bytes>>, Problem> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed());
        }
        // Anybody may ask, and a signature is work: one a day.
        let now = self.now().as_secs();
        let day = Timestamp::from_secs(now.div_euclid(DAY.as_secs()).saturating_mul(DAY.as_secs()));
        let kept = self.published.load_full().filter(|its| its.day == day);
        let document = match kept {
            Some(kept) => kept.document.clone(),
            None => self.publish(day)?,
        };
        let mut response = Response::new(Full::new(document));
        let kind = HeaderValue::from_static("application/samlmetadata+xml");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }

    fn publish(&self, day: Timestamp) -> Result<Bytes, Problem> {
        let (acs, slo) = (
            self.address(&self.origin, "sso"),
            self.address(&self.origin, "slo"),
        );
        let certificates = self.keys.certificates.as_slice();
        let written = OurMetadata {
            entity_id: &self.entity_id,
            acs: &acs,
            slo: Some(&slo),
            signing: certificates,
            encryption: certificates.get(..1).unwrap_or_default(),
            signs_requests: self.settings.sign_requests,
            name_id_format: self.settings.name_id_format.as_deref(),
            valid_until: day.plus(LIFE),
        };
        let document = match self.keys.signer() {
            Some((key, certificate)) => written
                .signed_xml(key, certificate)
                .map_err(Problem::internal)?,
            None => written.to_xml(),
        };
        let document = Bytes::from(document);
        let published = Published {
            day,
            document: document.clone(),
        };
        self.published.store(Some(Arc::new(published)));
        Ok(document)
    }
}
