//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 4): what clients may expect.

use std::time::Duration;

use http::StatusCode;
use url::form_urlencoded;

use super::answer::Answer;
use super::bulk::{MAX_OPERATIONS, MAX_PAYLOAD};
use super::call::Call;
use super::route::Route;
use super::schema::{Offered, service_provider_config};
use super::{Scim, ScimError};

/// What we offer besides the settings. Cursors hold no state and never grow old; a day is what we promise.
const OFFERED: Offered = Offered {
    bulk_operations: MAX_OPERATIONS,
    bulk_bytes: MAX_PAYLOAD as u64,
    cursor_timeout: Duration::from_hours(24),
};

impl Scim {
    /// One of the documents.
    ///
    /// # Errors
    ///
    /// 403 with a filter (RFC 7644 4), 404 for an unknown schema or type.
    pub(super) fn discovery(
        &self,
        call: &Call,
        route: &Route,
        query: &str,
    ) -> Result<Answer, ScimError> {
        let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        if names.any(|name| name.eq_ignore_ascii_case("filter")) {
            return Err(ScimError::new(
                StatusCode::FORBIDDEN,
                "filter: discovery documents are not filtered",
            ));
        }
        let base = call.base().0.as_str();
        let settings = &self.settings.scim;
        let compact = settings.compact_schemas;
        let document = match route {
            Route::ServiceProviderConfig => Some(service_provider_config(settings, OFFERED, base)),
            Route::Schemas(None) => Some(self.schemas.schema_list(compact, base)),
            Route::Schemas(Some(urn)) => self.schemas.schema_document(urn, compact, base),
            Route::ResourceTypes(None) => Some(self.schemas.resource_type_list(base)),
            Route::ResourceTypes(Some(name)) => self.schemas.resource_type_document(name, base),
            Route::All(_)
            | Route::One(..)
            | Route::Search(_)
            | Route::Bulk
            | Route::Me
            | Route::Token
            | Route::Nothing => return Err(self.elsewhere(route)),
        };
        document
            .map(Answer::ok)
            .ok_or_else(|| ScimError::not_found("document"))
    }
}
