//! The last exchanges with each SCIM client, for the operator whom an admin asks why a person does not arrive.
//!
//! In memory alone and bounded. Passwords and what is nobody's business in a log are left out (R41).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use super::ScimError;
use super::answer::Answer;
use super::bulk::RESPONSE as BULK_RESPONSE;
use super::call::{Call, activity_id};
use crate::clock::Timestamp;
use crate::web::Visit;

/// Exchanges that are kept of one client, and of all that were refused at the door.
const KEPT: usize = 200;
/// Bytes of bodies that are kept of one client.
const KEPT_BYTES: usize = 1024 * 1024;
/// Clients of which something is kept.
const CLIENTS: usize = 1000;
/// Longest body that is kept, bytes.
const MAX_BODY: usize = 16 * 1024;
/// Longest address that is kept, bytes.
const MAX_TARGET: usize = 1024;
/// Operations of a bulk whose refusals are told.
const TOLD: usize = 10;
/// Attributes whose values are left out.
const PRIVATE: [&str; 8] = [
    "password",
    "phonenumbers",
    "addresses",
    "ims",
    "photos",
    "x509certificates",
    "client_secret",
    "client_assertion",
];

/// One request and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// When it arrived.
    pub at: Timestamp,
    /// The token's id; none when no token was taken.
    pub token: Option<String>,
    /// What the operator calls the token.
    pub client: Option<String>,
    /// Tenant.
    pub tenant: Option<String>,
    /// Method.
    pub method: String,
    /// Address below the prefix, with the query.
    pub target: String,
    /// Status of the answer.
    pub status: u16,
    /// What was sent, without private values; none when it was too large or none.
    pub body: Option<Value>,
    /// User name or display name of the resource that was answered.
    pub subject: Option<String>,
    /// `scimType` and `detail` of a refusal, and for the operator alone what is behind it.
    pub refusal: Option<String>,
    /// Id of the request.
    pub request_id: String,
    /// `ActivityId` of Entra ID.
    pub activity_id: Option<String>,
}

/// Which exchanges are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Whose address, body or answer holds this, in any case.
    pub user: Option<String>,
    /// Refused ones alone.
    pub failed: bool,
    /// At most so many.
    pub limit: usize,
}

/// The last exchanges with each client.
#[derive(Default)]
pub struct Exchanges(Mutex<HashMap<String, VecDeque<Exchange>>>);

impl Exchange {
    pub(super) fn begin(visit: &Visit, rest: &str) -> Self {
        let mut target = match visit.uri.query() {
            // R41: a token does not belong there, and is sent there all the same.
            Some(query) if holds_token(query) => format!("{rest}?…"),
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        target.truncate(target.floor_char_boundary(MAX_TARGET));
        Self {
            at: visit.now,
            token: None,
            client: None,
            tenant: None,
            method: visit.method.to_string(),
            target,
            status: 0,
            body: None,
            subject: None,
            refusal: None,
            request_id: visit.origin.request_id.to_string(),
            activity_id: activity_id(&visit.headers),
        }
    }

    pub(super) fn is_of(&mut self, call: &Call) {
        self.token = Some(call.client().credential().to_owned());
        self.client = Some(call.client().name().to_owned());
        self.tenant = Some(call.tenant().to_string());
    }

    pub(super) fn brings(&mut self, body: &Value) {
        let mut body = body.clone();
        leave_out(&mut body);
        self.body = (size(&body) <= MAX_BODY).then_some(body);
    }

    pub(super) fn end(&mut self, answered: &Result<Answer, ScimError>) {
        match answered {
            Ok(answer) => {
                self.status = answer.status.as_u16();
                self.refusal = answer.body.as_ref().and_then(refused_in_bulk);
                let name = |key: &str| Some(answer.body.as_ref()?.get(key)?.as_str()?.to_owned());
                self.subject = name("userName").or_else(|| name("displayName"));
            }
            Err(error) => {
                self.status = error.status.as_u16();
                let kind = error.scim_type.map_or("", super::ScimType::as_str);
                let cause = error.cause().map(crate::problem::Problem::causes);
                let parts = [kind, error.detail.as_ref(), cause.as_deref().unwrap_or("")];
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                self.refusal = Some(parts.join(": "));
            }
        }
    }

    fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, size)
    }

    fn fits(&self, asked: &Asked) -> bool {
        if asked.failed && self.refusal.is_none() {
            return false;
        }
        let Some(user) = &asked.user else {
            return true;
        };
        let user = user.to_lowercase();
        let body = self.body.as_ref().map(Value::to_string);
        let texts = [Some(&self.target), self.subject.as_ref(), body.as_ref()];
        texts
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&user))
    }
}

impl Exchanges {
    pub(super) fn keep(&self, exchange: Exchange) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = exchange.token.clone().unwrap_or_default();
        if all.len() >= CLIENTS && !all.contains_key(&key) {
            return;
        }
        let kept = all.entry(key).or_default();
        kept.push_back(exchange);
        let mut bytes: usize = kept.iter().map(Exchange::bytes).sum();
        while kept.len() > KEPT || bytes > KEPT_BYTES {
            let gone = kept.pop_front();
            bytes = bytes.saturating_sub(gone.map_or(0, |gone| gone.bytes()));
        }
    }

    /// The newest that fit, newest first.
    pub fn find(&self, asked: &Asked) -> Vec<Exchange> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = all
            .values()
            .flat_map(|kept| kept.iter().rev())
            .filter(|exchange| exchange.fits(asked))
            .cloned()
            .collect();
        drop(all);
        found.sort_by_key(|exchange| std::cmp::Reverse(exchange.at));
        found.truncate(asked.limit);
        found
    }
}

/// Operations of a bulk that were refused: the answer as a whole is a 200.
fn refused_in_bulk(body: &Value) -> Option<String> {
    let schema = body.get("schemas")?.get(0)?.as_str()?;
    let operations = body.get("Operations")?.as_array()?;
    let refused = (1..)
        .zip(operations)
        .filter_map(|(number, operation): (usize, _)| {
            let detail = operation.get("response")?.get("detail")?.as_str()?;
            Some(format!("operation {number}: {detail}"))
        });
    let mut all: Vec<String> = refused.filter(|_| schema == BULK_RESPONSE).collect();
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    (!all.is_empty()).then(|| all.join("; "))
}

/// Values of private attributes become `…`, wherever they stand; also those of an operation whose path names one.
fn leave_out(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(leave_out),
        Value::Object(object) => {
            let hidden = object
                .get("path")
                .and_then(Value::as_str)
                .is_some_and(is_private);
            for (key, value) in object.iter_mut() {
                if is_private(key) || (hidden && key.eq_ignore_ascii_case("value")) {
                    *value = "…".into();
                } else {
                    leave_out(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_private(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    PRIVATE.iter().any(|name| path.contains(name))
}

fn holds_token(query: &str) -> bool {
    let query = query.to_ascii_lowercase();
    ["token", "sgt_", "sga_", "password", "secret"]
        .iter()
        .any(|word| query.contains(word))
}

/// About how much memory a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
        Value::String(text) => text.len().saturating_add(24),
        Value::Array(items) => items.iter().map(size).sum::<usize>().saturating_add(24),
        Value::Object(object) => size_of_object(object),
    }
}

fn size_of_object(object: &Map<String, Value>) -> usize {
    let each = object
        .iter()
        .map(|(key, value)| key.len().saturating_add(size(value)).saturating_add(32));
    each.sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refused_operations_of_a_bulk_are_told() {
        let refused = |number: usize| json!({ "response": { "detail": format!("no {number}") } });
        let answer = |operations: Vec<Value>| json!({ "schemas": [BULK_RESPONSE], "Operations": operations });
        let told = |operations| refused_in_bulk(&answer(operations));
        let done = json!({ "status": "200" });
        assert_eq!(told(vec![done.clone()]), None);
        let one = told(vec![done, refused(1)]);
        assert_eq!(one.as_deref(), Some("operation 2: no 1"));
        let many = told((0..12).map(refused).collect()).unwrap();
        assert!(many.ends_with("operation 10: no 9; and 2 more"), "{many}");
        assert_eq!(
            refused_in_bulk(&json!({ "Operations": [refused(1)] })),
            None
        );
    }

    #[test]
    fn r41_no_secret_is_kept() {
        for (query, hidden) in [
            ("access_token=sgt_1_canary", true),
            ("x=SGA_canary", true),
            ("filter=password+eq+%22canary%22", true),
            ("filter=userName+eq+%22a%22&count=1", false),
        ] {
            assert_eq!(holds_token(query), hidden, "{query}");
        }
        let mut body = json!({
            "password": "canary",
            "phoneNumbers": [{ "value": "canary" }],
            "Operations": [{ "path": "password", "value": "canary" }, { "value": { "Password": "canary" } }],
        });
        leave_out(&mut body);
        assert!(!body.to_string().contains("canary"), "{body}");
    }
}
