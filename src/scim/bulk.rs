//! Bulk (RFC 7644 3.7): many operations in one request, each answered for itself.

use std::collections::HashMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::Call;
use super::query::Query;
use super::route::{Kind, Route, route};
use super::{Scim, ScimError, ScimType};

/// Operations in one request, at most; told in `ServiceProviderConfig`.
pub(super) const MAX_OPERATIONS: u32 = 1000;
/// Bytes of one request, at most; told in `ServiceProviderConfig`.
pub(super) const MAX_PAYLOAD: usize = 1024 * 1024;
/// Schema of the answer.
pub(super) const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// What a reference to an operation starts with.
const REFERENCE: &str = "bulkId:";

/// One operation as it was sent.
struct Operation {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Value,
}

/// Ids that operations gave, by `bulkId`; none while the operation has not been done.
type Given = HashMap<String, Option<String>>;

impl Scim {
    /// Does the operations in their order; those that refer to a later one wait for it.
    ///
    /// # Errors
    ///
    /// The request as a whole cannot be read, or is too large: 400, 413.
    pub(super) async fn bulk(&self, call: &Call, body: Value) -> Result<Answer, ScimError> {
        let (operations, fail_on_errors) = read(body)?;
        let mut given: Given = HashMap::new();
        for id in operations.iter().filter_map(|its| its.bulk_id.clone()) {
            if given.insert(id.clone(), None).is_some() {
                let why = format!("bulkId {id:?} stands twice");
                return Err(ScimError::of(ScimType::InvalidValue, why));
            }
        }
        let mut results: Vec<Option<Value>> = operations.iter().map(|_| None).collect();
        let mut errors = 0_usize;
        loop {
            let mut moved = false;
            for (operation, place) in operations.iter().zip(results.iter_mut()) {
                if place.is_some() || operation.waits(&given) {
                    continue;
                }
                if fail_on_errors.is_some_and(|most| errors >= most) {
                    break;
                }
                moved = true;
                let done = self.bulk_one(call, operation, &given).await;
                errors = errors.saturating_add(usize::from(done.is_err()));
                *place = Some(operation.result(call, done, &mut given));
            }
            let stopped = fail_on_errors.is_some_and(|most| errors >= most);
            if stopped || !moved {
                break;
            }
        }
        if fail_on_errors.is_none_or(|most| errors < most) {
            // RFC 7644 3.7.1: what refers to each other in a circle cannot be done in any order.
            for (operation, place) in operations.iter().zip(results.iter_mut()) {
                let circle = || operation.result(call, Err(circular()), &mut given);
                place.get_or_insert_with(circle);
            }
        }
        let done: Vec<Value> = results.into_iter().flatten().collect();
        Ok(Answer::ok(
            json!({ "schemas": [RESPONSE], "Operations": done }),
        ))
    }

    async fn bulk_one(
        &self,
        call: &Call,
        operation: &Operation,
        given: &Given,
    ) -> Result<(Answer, Option<(Kind, String)>), ScimError> {
        self.pause.check()?;
        let path = resolve(&operation.path, given)?;
        let mut data = operation.data.clone();
        resolve_all(&mut data, given)?;
        let query = Query::default();
        let call = call.expecting(operation.version.as_deref());
        let method = operation.method.to_ascii_uppercase();
        let (_default, route) = route(&path);
        match (method.as_str(), route) {
            ("POST", Route::All(kind)) => {
                if operation.bulk_id.is_none() {
                    let why = "bulkId: is required for POST";
                    return Err(ScimError::of(ScimType::InvalidValue, why));
                }
                let answer = self.create(&call, kind, data, &query).await?;
                let id = answer.id().map(|id| (kind, id));
                Ok((answer, id))
            }
            ("PUT", Route::One(kind, id)) => {
                let answer = self.replace(&call, kind, &id, data, &query).await?;
                Ok((answer, Some((kind, id))))
            }
            ("PATCH", Route::One(kind, id)) => {
                let answer = self.patch(&call, kind, &id, &data, &query).await?;
                Ok((answer, Some((kind, id))))
            }
            ("DELETE", Route::One(kind, id)) if self.settings.scim.delete => {
                let answer = match kind {
                    Kind::User => self.delete_user(&call, &id).await?,
                    Kind::Group => self.delete_group(&call, &id).await?,
                };
                Ok((answer, Some((kind, id))))
            }
            (_, route) => Err(self.elsewhere(&route)),
        }
    }
}

impl Operation {
    fn read(item: &Value) -> Result<Self, ScimError> {
        let field = |name: &str| {
            let object = item.as_object()?;
            let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
            object.iter().find(same).map(|(_, value)| value)
        };
        let text = |name: &str| field(name).and_then(Value::as_str).map(str::to_owned);
        let required = |name: &str| {
            let why = || {
                ScimError::of(
                    ScimType::InvalidSyntax,
                    format!("Operations: {name} is required"),
                )
            };
            text(name).ok_or_else(why)
        };
        Ok(Self {
            method: required("method")?,
            path: required("path")?,
            bulk_id: text("bulkId"),
            version: text("version"),
            data: field("data").cloned().unwrap_or_default(),
        })
    }

    /// Whether it refers to an operation that has not been done yet.
    fn waits(&self, given: &Given) -> bool {
        let open = |text: &str| {
            let name = reference(text)?;
            given.get(name).map(Option::is_none)
        };
        let own =
            |text: &str| reference(text).is_some() && reference(text) == self.bulk_id.as_deref();
        let in_path = self.path.split('/').any(|part| open(part) == Some(true));
        in_path || any_text(&self.data, &|text| open(text) == Some(true) && !own(text))
    }

    fn result(
        &self,
        call: &Call,
        done: Result<(Answer, Option<(Kind, String)>), ScimError>,
        given: &mut Given,
    ) -> Value {
        let mut result = Map::new();
        result.insert("method".to_owned(), self.method.to_ascii_uppercase().into());
        if let Some(id) = &self.bulk_id {
            result.insert("bulkId".to_owned(), id.as_str().into());
        }
        let status = match done {
            Ok((answer, resource)) => {
                if let Some((kind, id)) = resource {
                    result.insert("location".to_owned(), call.base().of(kind, &id).into());
                    if let Some(bulk_id) = &self.bulk_id {
                        given.insert(bulk_id.clone(), Some(id));
                    }
                }
                if let Some(version) = answer.version() {
                    result.insert("version".to_owned(), version.into());
                }
                answer.status
            }
            Err(error) => {
                result.insert("response".to_owned(), error.to_json());
                // What refers to it will be refused in its turn.
                if let Some(id) = &self.bulk_id {
                    given.remove(id);
                }
                error.status
            }
        };
        result.insert("status".to_owned(), status.as_str().into());
        result.into()
    }
}

fn read(body: Value) -> Result<(Vec<Operation>, Option<usize>), ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::of(
            ScimType::InvalidSyntax,
            "a bulk request is an object",
        ));
    };
    let field = |name: &str| {
        let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
        body.iter().find(same).map(|(_, value)| value)
    };
    let operations = field("Operations").and_then(Value::as_array);
    let operations = operations
        .ok_or_else(|| ScimError::of(ScimType::InvalidSyntax, "Operations: must be a list"))?;
    if operations.len() > MAX_OPERATIONS as usize {
        return Err(ScimError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "Operations: {} are more than {MAX_OPERATIONS}",
                operations.len()
            ),
        ));
    }
    let most = field("failOnErrors")
        .and_then(Value::as_u64)
        .filter(|most| *most > 0);
    let most = most.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    let operations: Result<_, _> = operations.iter().map(Operation::read).collect();
    Ok((operations?, most))
}

fn reference(text: &str) -> Option<&str> {
    let start = text.get(..REFERENCE.len())?;
    let rest = text.get(REFERENCE.len()..)?;
    start.eq_ignore_ascii_case(REFERENCE).then_some(rest)
}

fn resolved<'g>(text: &str, given: &'g Given) -> Result<Option<&'g str>, ScimError> {
    let Some(name) = reference(text) else {
        return Ok(None);
    };
    match given.get(name) {
        Some(Some(id)) => Ok(Some(id)),
        Some(None) => Err(circular()),
        None => Err(ScimError::of(
            ScimType::InvalidValue,
            format!("bulkId {name:?} names no operation that was done"),
        )),
    }
}

fn resolve(path: &str, given: &Given) -> Result<String, ScimError> {
    let parts: Result<Vec<&str>, ScimError> = path
        .split('/')
        .map(|part| Ok(resolved(part, given)?.unwrap_or(part)))
        .collect();
    Ok(parts?.join("/"))
}

fn resolve_all(value: &mut Value, given: &Given) -> Result<(), ScimError> {
    match value {
        Value::String(text) => {
            if let Some(id) = resolved(text, given)? {
                *text = id.to_owned();
            }
            Ok(())
        }
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| resolve_all(item, given)),
        Value::Object(object) => object
            .values_mut()
            .try_for_each(|value| resolve_all(value, given)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn any_text(value: &Value, fits: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, fits)),
        Value::Object(object) => object.values().any(|value| any_text(value, fits)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn circular() -> ScimError {
    ScimError::new(
        StatusCode::CONFLICT,
        "operations refer to each other in a circle",
    )
}
