//! Members of groups: rows of the directory, never part of the resource.
//!
//! Refuses selections by anything but their id, because nothing else could be found without reading all of them.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::error::PatchError;
use super::{MemberChange, Operation, Target, Verb, dialect};
use crate::scim::ScimError;
use crate::scim::filter::{Filter, Operator};
use crate::scim::schema::{Attribute, GROUP, Mutability, ResourceType};

/// Whether it leads to the members of a group.
pub(super) fn are(kind: &ResourceType, target: &Target) -> bool {
    kind.core.id == GROUP && is_members(target)
}

fn is_members(target: &Target) -> bool {
    target.path.schema.is_none() && target.path.name == "members"
}

/// Reads an operation on members: its values become a list of ids.
///
/// Forms: `[{"value": "id", "$ref": null}]` (Entra, Okta), `{"value": "id"}`, `["id"]`, `"id"` (Microsoft's
/// Postman collection, 2019), path `members.value`, `members[value eq "id"]`.
pub(super) fn read(
    verb: Verb,
    mut target: Target,
    part: Option<&Attribute>,
    value: Option<&Value>,
) -> Result<Operation, PatchError> {
    let at = target.to_string();
    if let Some(part) = part
        && part.name != "value"
    {
        return Err(match part.mutability {
            Mutability::ReadOnly => PatchError::ReadOnly(at),
            Mutability::Immutable | Mutability::ReadWrite | Mutability::WriteOnly => {
                PatchError::Immutable(at)
            }
        });
    }
    target.path.sub = None;
    if let Some(filter) = &target.filter {
        selected(filter).ok_or_else(|| PatchError::Members(filter.to_string()))?;
    }
    let value = match (verb, value) {
        (Verb::Remove, None | Some(Value::Null)) => return Ok(Operation::Remove(target, None)),
        (Verb::Add | Verb::Replace, None) => return Err(PatchError::NoValue(at)),
        (_, Some(value)) => value,
    };
    let ids = ids(&at, value)?.into_iter().map(Value::String).collect();
    Ok(match verb {
        Verb::Remove => Operation::Remove(target, Some(ids)),
        Verb::Add => Operation::Add(target, Value::Array(ids)),
        Verb::Replace => Operation::Replace(target, Value::Array(ids)),
    })
}

/// The ids in a value, each once, in order.
fn ids(at: &str, value: &Value) -> Result<Vec<String>, PatchError> {
    let values = match value {
        value if dialect::is_cleared(value) => &[],
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    let mut seen = HashSet::with_capacity(values.len());
    let mut ids = Vec::with_capacity(values.len());
    for value in values {
        let id = match value {
            Value::Object(object) => dialect::member(object, "value").and_then(Value::as_str),
            value => value.as_str(),
        };
        let id = id.filter(|id| !id.is_empty() && !id.contains('\0'));
        let id = id.ok_or_else(|| PatchError::wrong(at, value, "the id of a member"))?;
        if seen.insert(id) {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

/// The ids that a filter selects; none when it asks for more than ids.
fn selected(filter: &Filter) -> Option<BTreeSet<String>> {
    match filter {
        Filter::Compare(path, Operator::Eq, Value::String(id))
            if path.schema.is_none()
                && path.sub.is_none()
                && path.name.eq_ignore_ascii_case("value") =>
        {
            Some(BTreeSet::from([id.clone()]))
        }
        Filter::Or(arms) => {
            let sets: Option<Vec<_>> = arms.iter().map(selected).collect();
            Some(sets?.into_iter().flatten().collect())
        }
        Filter::And(arms) => {
            let mut sets = arms.iter().map(selected);
            let first = sets.next()??;
            sets.try_fold(first, |all, set| {
                Some(all.intersection(&set?).cloned().collect())
            })
        }
        Filter::Compare(..) | Filter::Not(_) | Filter::Present(_) | Filter::Element(..) => None,
    }
}

/// Takes the operations on members out of those of a group, in order. Those beside each other are merged, and
/// what stands before a replacement is left out.
///
/// # Errors
///
/// `invalidPath` when members are selected by anything but their id.
pub fn split_members(
    operations: Vec<Operation>,
) -> Result<(Vec<Operation>, Vec<MemberChange>), ScimError> {
    let mut others = Vec::new();
    let mut changes = Vec::new();
    for operation in operations {
        match operation {
            Operation::Add(target, value) if is_members(&target) => {
                push(&mut changes, MemberChange::Add(texts(value)));
            }
            Operation::Replace(target, value) if is_members(&target) => {
                if let Some(filter) = &target.filter {
                    push(&mut changes, MemberChange::Remove(chosen(filter)?));
                    push(&mut changes, MemberChange::Add(texts(value)));
                } else {
                    push(&mut changes, MemberChange::Replace(texts(value)));
                }
            }
            Operation::Remove(target, values) if is_members(&target) => {
                let change = match (&target.filter, values) {
                    (Some(filter), _) => MemberChange::Remove(chosen(filter)?),
                    (None, Some(values)) => MemberChange::Remove(texts(Value::Array(values))),
                    (None, None) => MemberChange::Replace(Vec::new()),
                };
                push(&mut changes, change);
            }
            other => others.push(other),
        }
    }
    Ok((others, changes))
}

fn chosen(filter: &Filter) -> Result<Vec<String>, PatchError> {
    let ids = selected(filter).ok_or_else(|| PatchError::Members(filter.to_string()))?;
    Ok(ids.into_iter().collect())
}

fn texts(value: Value) -> Vec<String> {
    let Value::Array(values) = value else {
        return Vec::new();
    };
    let text = |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    values.into_iter().filter_map(text).collect()
}

fn push(changes: &mut Vec<MemberChange>, change: MemberChange) {
    match (changes.last_mut(), change) {
        (_, MemberChange::Add(ids) | MemberChange::Remove(ids)) if ids.is_empty() => {}
        (Some(MemberChange::Add(before)), MemberChange::Add(ids))
        | (Some(MemberChange::Remove(before)), MemberChange::Remove(ids)) => before.extend(ids),
        (_, change @ MemberChange::Replace(_)) => {
            changes.clear();
            changes.push(change);
        }
        (_, change) => changes.push(change),
    }
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
