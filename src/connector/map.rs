//! Attributes of SCIM into fields of the app, and back.

use serde_json::{Map, Value};

use super::render::{Attributes, Context, put, written};
use crate::config::{Active, Body, Field, Kind, Name, Only};
use crate::identity::fold;

/// When fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Create,
    Update,
}

/// `{fields}` of these attributes.
pub(super) fn to_app(
    kind: &Kind,
    attributes: &Attributes,
    when: When,
    context: &Context<'_>,
) -> Map<String, Value> {
    let mut out = Map::new();
    for field in &kind.fields {
        if let Some(value) = field_value(field, attributes, when, context) {
            put(&mut out, &field.name, value);
        }
    }
    out
}

fn field_value(
    field: &Field,
    attributes: &Attributes,
    when: When,
    context: &Context<'_>,
) -> Option<Value> {
    let apart = match field.only {
        Only::Both => false,
        Only::Create => when == When::Update,
        Only::Update => when == When::Create,
    };
    if field.read_only || apart {
        return None;
    }
    if let Some(constant) = &field.constant {
        return Some(constant.clone());
    }
    let given = field
        .attribute
        .as_ref()
        .and_then(|name| attributes.get(name));
    let Some(value) = given.filter(|value| !value.is_null()) else {
        let default = field.default.as_ref().filter(|_| when == When::Create)?;
        return context
            .body(default)
            .filter(|value| value.as_str() != Some(""));
    };
    let value = match value.as_str() {
        Some(text) if field.lower => text.to_lowercase().into(),
        Some(_) | None => value.clone(),
    };
    let value = field.map.get(&written(&value)).cloned().unwrap_or(value);
    match &field.write {
        Some(write) if value.as_str() == Some("") && holds_value(write) => cleared(write, when),
        Some(write) => context.clone().with("value", value).body(write),
        None => Some(value),
    }
}

/// Whether something is written around the value, and nothing that says more.
fn holds_value(write: &Body) -> bool {
    match write {
        Body::Plain(_) => false,
        Body::Text(text) => text.around("value").is_some(),
        Body::List(_) | Body::Object(_) => write.names().contains(&&Name::Word("value")),
    }
}

/// What says that there is no value: nothing with nothing around it.
fn cleared(write: &Body, when: When) -> Option<Value> {
    match (write, when) {
        (Body::List(_) | Body::Object(_), When::Create) => None,
        (Body::List(_), When::Update) => Some(Value::Array(Vec::new())),
        (Body::Object(_), When::Update) => Some(Value::Null),
        (Body::Plain(_) | Body::Text(_), _) => Some("".into()),
    }
}

/// The attributes that an app's record tells; nothing else of it goes on.
pub(super) fn to_scim(kind: &Kind, active: Option<&Active>, record: &Value) -> Attributes {
    let mut out = Attributes::new();
    for field in &kind.fields {
        let (Some(attribute), Some(at)) = (&field.attribute, &field.read) else {
            continue;
        };
        let Some(value) = at.of(record).filter(|value| !value.is_null()) else {
            continue;
        };
        let value = read_value(field, value);
        if matches!(&value, Value::String(_) | Value::Bool(_) | Value::Number(_)) {
            out.insert(attribute.clone(), value);
        }
    }
    if matches!(active, Some(Active::None)) {
        out.insert("active".to_owned(), true.into());
    }
    out
}

fn read_value(field: &Field, value: &Value) -> Value {
    // Without what is written around it; what is otherwise is as it is.
    let bare = match (&field.write, value) {
        (Some(Body::Text(written)), Value::String(text)) => written.undo("value", text),
        _ => None,
    };
    let bare = bare.map(Value::from);
    let value = bare.as_ref().unwrap_or(value);
    let word = field
        .map
        .iter()
        .find(|(_, its)| *its == value)
        .map(|(word, _)| word);
    let any = Value::from("*");
    let reads = |wanted: &Value| {
        let mut all = field.map_read.iter();
        all.find(|(_, values)| values.contains(wanted))
            .map(|(word, _)| word)
    };
    let more = || reads(value).or_else(|| reads(&any));
    match word.or_else(more).map(String::as_str) {
        Some("true") => true.into(),
        Some("false") => false.into(),
        Some(word) => word.into(),
        None => value.clone(),
    }
}

/// Whether the app's value is the wanted one, as the app would write it.
pub(super) fn same(kind: &Kind, attribute: &str, held: Option<&Value>, wanted: &Value) -> bool {
    let lower = kind
        .fields
        .iter()
        .any(|field| field.lower && field.attribute.as_deref() == Some(attribute));
    match (held, wanted) {
        (None, Value::String(text)) => text.is_empty(),
        (None, _) => false,
        (Some(Value::String(held)), Value::String(wanted)) if lower => fold(held) == fold(wanted),
        (Some(held), wanted) => held == wanted || written(held) == written(wanted),
    }
}

/// Attributes that the app can be told in an update.
pub(super) fn is_written(kind: &Kind, attribute: &str) -> bool {
    kind.fields.iter().any(|field| {
        let its = field.attribute.as_deref() == Some(attribute) && field.read.is_some();
        its && !field.read_only && field.only != Only::Create
    })
}

/// Attributes whose fields make up a template's `{value}`: for one call per field.
pub(super) fn fields_of<'a>(kind: &'a Kind, changed: &Attributes) -> Vec<&'a Field> {
    let among = |field: &&Field| {
        let its = field
            .attribute
            .as_ref()
            .is_some_and(|name| changed.contains_key(name));
        its && !field.read_only && field.only != Only::Create
    };
    kind.fields.iter().filter(among).collect()
}
