//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 4): what clients may expect.

use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::Answer;
use super::call::Call;
use super::route::Route;
use super::{Scim, ScimError};

/// Schema of a list (RFC 7644 3.4.2).
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

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
        match route {
            Route::ServiceProviderConfig => Ok(Answer::ok(
                self.schemas.service_provider_config(&self.settings.scim, base),
            )),
            Route::Schemas(one) => choose(self.schemas.documents(base), one.as_deref(), "id"),
            Route::ResourceTypes(one) => {
                choose(self.schemas.resource_types(base), one.as_deref(), "name")
            }
            Route::All(_)
            | Route::One(..)
            | Route::Search(_)
            | Route::Bulk
            | Route::Me
            | Route::Token
            | Route::Nothing => Err(self.elsewhere(route)),
        }
    }
}

/// All as a list, or the one of this name.
fn choose(all: Vec<Value>, one: Option<&str>, key: &str) -> Result<Answer, ScimError> {
    let Some(name) = one else {
        return Ok(Answer::ok(json!({
            "schemas": [LIST],
            "totalResults": all.len(),
            "startIndex": 1,
            "itemsPerPage": all.len(),
            "Resources": all,
        })));
    };
    let same = |document: &Value| {
        let text = document.get(key).and_then(Value::as_str);
        text.is_some_and(|text| text.eq_ignore_ascii_case(name))
    };
    let found = all.into_iter().find(same);
    found
        .map(Answer::ok)
        .ok_or_else(|| ScimError::not_found("document"))
}
