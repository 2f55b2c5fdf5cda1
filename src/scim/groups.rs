//! Groups: made, replaced, changed, deleted. Members are rows of their own and are never read to be changed.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::Call;
use super::patch;
use super::query::Query;
use super::record::Record;
use super::resource::{accept, accept_members, check_immutable};
use super::route::Kind;
use super::{Scim, ScimError, ScimType};
use crate::identity::{Group, GroupId, UserId};
use crate::provision::{GroupDraft, MemberChange};

impl Scim {
    /// POST (RFC 7644 3.3).
    ///
    /// # Errors
    ///
    /// `invalidValue`, `uniqueness`; the directory failed.
    pub(super) async fn create_group(
        &self,
        call: &Call,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let mut body = accept(body, &self.schemas.group)?;
        let members = accept_members(&mut body).unwrap_or_default();
        let draft = draft(body)?;
        let group = self
            .provision
            .create_group(call.tenant(), draft, ids(&members), call.actor())
            .await?;
        self.resource_answer(call, StatusCode::CREATED, Record::Group(group), query)
            .await
    }

    /// PUT (RFC 7644 3.5.1). Members that are not sent are none.
    ///
    /// # Errors
    ///
    /// 404, 412, `mutability`, `invalidValue`, `uniqueness`; the directory failed.
    pub(super) async fn replace_group(
        &self,
        call: &Call,
        id: &str,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::Group, id).await?;
        let mut body = accept(body, &self.schemas.group)?;
        let members = accept_members(&mut body).unwrap_or_default();
        let change = MemberChange::Replace(ids(&members));
        let schemas = Arc::clone(&self.schemas);
        let edit = move |group: &Group| {
            let mut body = body.clone();
            check_immutable(&plain(group), &mut body, &schemas.group)?;
            Ok::<_, ScimError>((draft(body)?, vec![change.clone()]))
        };
        let id = GroupId::from(id);
        let group = self
            .provision
            .edit_group(call.tenant(), &id, expected, call.actor(), edit)
            .await?;
        self.resource_answer(call, StatusCode::OK, Record::Group(group), query)
            .await
    }

    /// PATCH (RFC 7644 3.5.2).
    ///
    /// # Errors
    ///
    /// 404, 412, and what operations are refused with; the directory failed.
    pub(super) async fn patch_group(
        &self,
        call: &Call,
        id: &str,
        body: &Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::Group, id).await?;
        let operations = patch::parse(body, &self.schemas.group)?;
        let (operations, members) = patch::split_members(operations)?;
        let members: Vec<_> = members.iter().map(member_change).collect();
        let schemas = Arc::clone(&self.schemas);
        let edit = move |group: &Group| {
            let mut resource = plain(group);
            patch::apply(&mut resource, &schemas.group, &operations)?;
            Ok::<_, ScimError>((draft(resource)?, members.clone()))
        };
        let id = GroupId::from(id);
        let group = self
            .provision
            .edit_group(call.tenant(), &id, expected, call.actor(), edit)
            .await?;
        if self.settings.scim.patch_group_body || query.attributes.is_some() {
            let record = Record::Group(group);
            return self
                .resource_answer(call, StatusCode::OK, record, query)
                .await;
        }
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// DELETE (RFC 7644 3.6).
    ///
    /// # Errors
    ///
    /// 404, 412; the directory failed.
    pub(super) async fn delete_group(&self, call: &Call, id: &str) -> Result<Answer, ScimError> {
        let expected = self.expected(call, Kind::Group, id).await?;
        self.provision
            .delete_group(call.tenant(), &GroupId::from(id), expected, call.actor())
            .await?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}

fn plain(group: &Group) -> Map<String, Value> {
    let mut json = group.attributes.clone();
    let name = group.display_name.as_str();
    json.insert("displayName".to_owned(), name.into());
    json.insert("id".to_owned(), group.id.as_str().into());
    if let Some(id) = &group.external_id {
        json.insert("externalId".to_owned(), id.as_str().into());
    }
    json
}

fn draft(mut resource: Map<String, Value>) -> Result<GroupDraft, ScimError> {
    for own in ["id", "meta", "schemas", "members"] {
        resource.remove(own);
    }
    let display_name = match resource.remove("displayName") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => {
            return Err(ScimError::of(
                ScimType::InvalidValue,
                "displayName: is required and must not be blank",
            ));
        }
    };
    let external_id = match resource.remove("externalId") {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    };
    Ok(GroupDraft {
        display_name,
        external_id,
        attributes: resource,
    })
}

fn ids(members: &[String]) -> Vec<UserId> {
    members.iter().map(|id| UserId::from(id.as_str())).collect()
}

fn member_change(change: &patch::MemberChange) -> MemberChange {
    match change {
        patch::MemberChange::Add(members) => MemberChange::Add(ids(members)),
        patch::MemberChange::Remove(members) => MemberChange::Remove(ids(members)),
        patch::MemberChange::Replace(members) => MemberChange::Replace(ids(members)),
    }
}
