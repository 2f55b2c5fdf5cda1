//! What clients are told of us (RFC 7643 5–7, RFC 7644 4, RFC 9865 4): what we can do,
//! the schemas, the kinds of resources.
//!
//! Holds no member that the RFCs do not name, and no null: clients read these documents strictly.

use std::time::Duration;

use serde_json::{Value, json};

use super::document::meta;
use super::{ResourceType, Schemas};
use crate::config;

const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const PROVIDER: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What we tell of ourselves that is not in the settings.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// Operations in one bulk request.
    pub bulk_operations: u32,
    /// Bytes of one bulk request.
    pub bulk_bytes: u64,
    /// How long a cursor is good for, at least.
    pub cursor_timeout: Duration,
}

/// `/ServiceProviderConfig` (RFC 7643 5, RFC 9865 4). `base` is the URL of `/scim/v2`, without a slash at its end.
pub fn service_provider_config(settings: &config::Scim, offered: Offered, base: &str) -> Value {
    let supported = |yes: bool| json!({ "supported": yes });
    let mut document = json!({
        "schemas": [PROVIDER],
        "patch": supported(true),
        "bulk": {
            "supported": true,
            "maxOperations": offered.bulk_operations,
            "maxPayloadSize": offered.bulk_bytes,
        },
        "filter": { "supported": true, "maxResults": settings.max_page_size },
        "changePassword": supported(settings.password),
        "sort": supported(true),
        "etag": supported(true),
        "authenticationSchemes": [
            scheme("oauthbearertoken", "OAuth Bearer Token", "A token made for this tenant", 6750, true),
            scheme("oauth2", "OAuth 2.0", "Client credentials or a JWT assertion, at oauth2/token", 6749, false),
            scheme("httpbasic", "HTTP Basic", "The token's name and the token", 7617, false),
        ],
        "meta": meta("ServiceProviderConfig", base, "/ServiceProviderConfig"),
    });
    if settings.announce_cursors
        && let Some(document) = document.as_object_mut()
    {
        let pagination = json!({
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": settings.page_size,
            "maxPageSize": settings.max_page_size,
            "cursorTimeout": offered.cursor_timeout.as_secs(),
        });
        document.insert("pagination".to_owned(), pagination);
    }
    document
}

impl Schemas {
    /// `/Schemas` (RFC 7643 7) as a list; `compact`: only what Entra maps by default, and the app's own.
    pub fn schema_list(&self, compact: bool, base: &str) -> Value {
        list(&self.schema_documents(compact, base).collect::<Vec<_>>())
    }

    /// `/Schemas/{urn}`, in any case; none when there is no such schema.
    pub fn schema_document(&self, urn: &str, compact: bool, base: &str) -> Option<Value> {
        let is_it = |id: &str| id.eq_ignore_ascii_case(urn);
        self.schema_documents(compact, base).find(|document| {
            document
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(is_it)
        })
    }

    /// `/ResourceTypes` (RFC 7643 6) as a list.
    pub fn resource_type_list(&self, base: &str) -> Value {
        let kinds = [&self.user, &self.group];
        list(&kinds.map(|kind| kind.document(base)))
    }

    /// `/ResourceTypes/{name}`, in any case; none when there is no such type.
    pub fn resource_type_document(&self, name: &str, base: &str) -> Option<Value> {
        let kind = [&self.user, &self.group]
            .into_iter()
            .find(|kind| kind.name.eq_ignore_ascii_case(name))?;
        Some(kind.document(base))
    }

    fn schema_documents(&self, compact: bool, base: &str) -> impl Iterator<Item = Value> {
        // Entra finds every mapped attribute here, so `externalId` is listed although RFC 7643 8.7.1 does not.
        let core = |kind: &ResourceType| {
            let external = kind.common.iter().filter(|its| its.name == "externalId");
            let mut schema = kind.core.clone();
            schema.attributes.splice(0..0, external.cloned());
            schema
        };
        [core(&self.user), core(&self.group)]
            .into_iter()
            .chain(self.user.extensions.iter().cloned())
            .map(move |schema| schema.document(compact, base))
    }
}

impl ResourceType {
    fn document(&self, base: &str) -> Value {
        let extensions = self.extensions.iter();
        let extensions: Vec<_> = extensions
            .map(|extension| json!({ "schema": extension.id, "required": false }))
            .collect();
        let mut document = json!({
            "schemas": [RESOURCE_TYPE],
            "id": self.name,
            "name": self.name,
            "description": self.description,
            "endpoint": self.endpoint,
            "schema": self.core.id,
            "meta": meta("ResourceType", base, &format!("/ResourceTypes/{}", self.name)),
        });
        if let (false, Some(object)) = (extensions.is_empty(), document.as_object_mut()) {
            object.insert("schemaExtensions".to_owned(), extensions.into());
        }
        document
    }
}

fn scheme(kind: &str, name: &str, description: &str, rfc: u32, primary: bool) -> Value {
    json!({
        "type": kind,
        "name": name,
        "description": description,
        "specUri": format!("https://www.rfc-editor.org/info/rfc{rfc}"),
        "primary": primary,
    })
}

/// RFC 7644 3.4.2; these lists are always whole.
fn list(resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
