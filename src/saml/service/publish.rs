//! Our metadata, where idps read it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;

use super::Saml;
use crate::problem::Problem;
use crate::saml::metadata::OurMetadata;

impl Saml {
    /// What idps read of us.
    pub(super) fn metadata(&self, method: &Method) -> Result<Response<Full<Bytes>>, Problem> {
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
