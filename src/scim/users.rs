//! People: made, replaced, changed, deleted.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::Call;
use super::patch::{self, Operation, Target};
use super::query::Query;
use super::record::Record;
use super::resource::{accept, check_immutable};
use super::route::Kind;
use super::wanted::Wanted;
use super::{Scim, ScimError, ScimType};
use crate::identity::{User, UserId};
use crate::provision::UserDraft;
use crate::secret::Secret;

impl Scim {
    /// POST (RFC 7644 3.3).
    ///
    /// # Errors
    ///
    /// `invalidValue`, `uniqueness`; the directory failed.
    pub(super) async fn create_user(
        &self,
        call: &Call,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let mut body = accept(body, &self.schemas.user)?;
        let password = self.password(body.remove("password")).await?;
        let draft = draft(body, true, password)?;
        let user = self
            .provision
            .create_user(call.tenant(), draft, call.actor())
            .await?;
        self.user_answer(call, StatusCode::CREATED, user, query)
            .await
    }

    /// PUT (RFC 7644 3.5.1). `active` that is not sent stays as it is: nobody is let in again by leaving it out.
    ///
    /// # Errors
    ///
    /// 404, 412, `mutability`, `invalidValue`, `uniqueness`; the directory failed.
    pub(super) async fn replace_user(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::User, id).await?;
        let mut body = accept(body, &self.schemas.user)?;
        let password = self.password(body.remove("password")).await?;
        let schemas = Arc::clone(&self.schemas);
        let edit = move |user: &User| {
            let mut body = body.clone();
            check_immutable(&plain(user), &mut body, &schemas.user)?;
            draft(body, user.active, password.clone())
        };
        let id = UserId::from(id);
        let user = self
            .provision
            .edit_user(call.tenant(), &id, expected, call.actor(), edit)
            .await?;
        self.user_answer(call, StatusCode::OK, user, query).await
    }

    /// PATCH (RFC 7644 3.5.2).
    ///
    /// `active` that is removed, or set to null, is unassigned (3.5.2.2; RFC 7643 2.5): it is shown no more, and no
    /// filter on it fits, until it is set again. Who is let in stays as it was: a default of true would let the
    /// deactivated in. No idp known sends it; refusing it, or showing it all the same, fails scim2-tester, which
    /// removes every attribute that is not required and looks whether it is gone.
    ///
    /// # Errors
    ///
    /// 404, 412, and what operations are refused with; the directory failed.
    pub(super) async fn patch_user(
        &self,
        call: &Call,
        id: &str,
        body: &Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::User, id).await?;
        let mut operations = patch::parse(body, &self.schemas.user)?;
        let password = self.password(take_password(&mut operations)).await?;
        let schemas = Arc::clone(&self.schemas);
        let edit = move |user: &User| {
            let mut resource = plain(user);
            patch::apply(&mut resource, &schemas.user, &operations)?;
            // R26: taken away, it is shown no more; nobody is let in again by that.
            if !resource.contains_key("active") {
                resource.insert("active".to_owned(), Value::Null);
            }
            draft(resource, user.active, password.clone())
        };
        let id = UserId::from(id);
        let user = self
            .provision
            .edit_user(call.tenant(), &id, expected, call.actor(), edit)
            .await?;
        // RFC 7644 3.5.2: whoever asks for attributes gets them.
        if self.settings.scim.patch_user_body || query.attributes.is_some() {
            return self.user_answer(call, StatusCode::OK, user, query).await;
        }
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// DELETE (RFC 7644 3.6).
    ///
    /// # Errors
    ///
    /// 404, 412; the directory failed.
    pub(super) async fn delete_user(&self, call: &Call, id: &str) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::User, id).await?;
        self.provision
            .delete_user(call.tenant(), &UserId::from(id), expected, call.actor())
            .await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// The version that a write must find; 404 where SCIM sees nobody.
    pub(super) async fn expected(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
    ) -> Result<Option<u64>, ScimError> {
        let record = self.one(call, kind, id).await?;
        let record = record.ok_or_else(|| ScimError::not_found(kind.as_str()))?;
        call.expected(record.version())
    }

    async fn user_answer(
        &self,
        call: &Call,
        status: StatusCode,
        user: User,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        self.resource_answer(call, status, Record::User(user), query)
            .await
    }

    /// One resource, as much of it as was asked for.
    pub(super) async fn resource_answer(
        &self,
        call: &Call,
        status: StatusCode,
        record: Record,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let projection = query.projection()?;
        let kind = match &record {
            Record::User(_) => Kind::User,
            Record::Group(_) => Kind::Group,
        };
        let version = record.version();
        let wanted = Wanted::shown(&projection, &self.schemas);
        let rendered = self
            .rendered(call, std::slice::from_ref(&record), &wanted)
            .await?;
        let mut resource = rendered.into_iter().next().unwrap_or_default();
        let id = resource.get("id").and_then(Value::as_str);
        let location = call.base().of(kind, id.unwrap_or_default());
        projection.apply(&mut resource, kind.of(&self.schemas));
        Ok(Answer::resource(status, resource, &location, version))
    }

    /// The hash of a password, where passwords are taken (R55: nothing else of it is kept).
    async fn password(&self, password: Option<Value>) -> Result<Option<Secret>, ScimError> {
        let Some(password) = password.filter(|_| self.settings.scim.password) else {
            return Ok(None);
        };
        let Value::String(text) = password else {
            return Err(ScimError::of(
                ScimType::InvalidValue,
                "password: must be a text",
            ));
        };
        let hash = self.passwords.hash_foreign(&Secret::new(text)).await;
        hash.map(Some)
            .map_err(|error| ScimError::of(ScimType::InvalidValue, format!("password: {error}")))
    }
}

/// The record as operations see it: nothing that only we change, but all that they may ask for.
fn plain(user: &User) -> Map<String, Value> {
    let mut json = user.attributes.clone();
    json.insert("userName".to_owned(), user.user_name.as_str().into());
    if json.remove("active") != Some(Value::Null) {
        json.insert("active".to_owned(), user.active.into());
    }
    json.insert("id".to_owned(), user.id.as_str().into());
    if let Some(id) = &user.external_id {
        json.insert("externalId".to_owned(), id.as_str().into());
    }
    json
}

/// A resource as a record: what has a place of its own is taken out.
fn draft(
    mut resource: Map<String, Value>,
    active: bool,
    password: Option<Secret>,
) -> Result<UserDraft, ScimError> {
    for own in ["id", "meta", "schemas", "groups", "password"] {
        resource.remove(own);
    }
    let user_name = match resource.remove("userName") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => {
            return Err(ScimError::of(
                ScimType::InvalidValue,
                "userName: is required and must not be blank",
            ));
        }
    };
    // R52: opaque, kept as it came.
    let external_id = match resource.remove("externalId") {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    };
    let unassigned = resource.get("active") == Some(&Value::Null);
    let active = resource
        .remove("active")
        .as_ref()
        .map_or(active, |value| value.as_bool().unwrap_or(active));
    if unassigned {
        resource.insert("active".to_owned(), Value::Null);
    }
    Ok(UserDraft {
        user_name,
        external_id,
        active,
        attributes: resource,
        password,
    })
}

/// The last password that the operations set; it never reaches the record.
fn take_password(operations: &mut Vec<Operation>) -> Option<Value> {
    let mut last = None;
    // An app's own schema may have an attribute of that name.
    let is = |target: &Target| target.path.schema.is_none() && target.path.name == "password";
    operations.retain(|operation| match operation {
        Operation::Add(target, value) | Operation::Replace(target, value) if is(target) => {
            last = Some(value.clone());
            false
        }
        Operation::Remove(target, _) if is(target) => false,
        Operation::Add(..) | Operation::Replace(..) | Operation::Remove(..) => true,
    });
    last
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::patch::parse;
    use crate::scim::patch::sample::{OPEN, schemas};

    #[test]
    fn an_extensions_password_is_no_password() {
        let kind = schemas().user;
        for (path, is) in [
            ("password", true),
            ("urn:ietf:params:scim:schemas:core:2.0:User:password", true),
            (&*format!("{OPEN}:password"), false),
        ] {
            let operations = json!({"Operations": [{"op": "add", "path": path, "value": "x"}]});
            let mut operations = parse(&operations, &kind).unwrap();
            assert_eq!(take_password(&mut operations).is_some(), is, "{path}");
            assert_eq!(operations.is_empty(), is, "{path}");
        }
    }
}
