//! Where a path leads among the schemas of a resource.

use std::borrow::Cow;

use super::error::PatchError;
use super::{Target, dialect, typed};
use crate::scim::path::{AttributePath, PathError, parse_target};
use crate::scim::schema::{Attribute, Found, Kind, ResourceType, Schema};

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub(in crate::scim) enum Place<'a> {
    /// An attribute, or a part of it. `schema` is the extension, none for the core.
    Attribute {
        schema: Option<&'a Schema>,
        attribute: &'a Attribute,
        part: Option<&'a Attribute>,
    },
    /// A key of an open extension.
    Open(&'a Schema),
    /// Everything of a schema.
    Whole(&'a Schema),
    /// Nowhere that we know; RFC 7643 leaves open what to do, and it is ignored.
    Unknown,
}

impl<'a> Place<'a> {
    /// Where this target leads; names and URNs must be spelt as the schemas do.
    pub(super) fn of(kind: &'a ResourceType, path: &AttributePath) -> Self {
        let schema = match &path.schema {
            None => None,
            Some(urn) => match kind.schemas().find(|schema| schema.id == *urn) {
                None => return Self::Unknown,
                Some(schema) if path.name.is_empty() => return Self::Whole(schema),
                Some(schema) => Some(schema),
            },
        };
        let found = match schema {
            None => kind
                .attributes()
                .find(|attribute| attribute.name == path.name),
            Some(schema) => schema.attribute(&path.name),
        };
        match (found, schema) {
            (Some(attribute), schema) => Self::with_part(schema, attribute, path.sub.as_deref()).0,
            (None, Some(schema)) if schema.open => Self::Open(schema),
            (None, _) => Self::Unknown,
        }
    }

    /// The attribute or its part; whether the sub-attribute only said what needs not be said.
    fn with_part(
        schema: Option<&'a Schema>,
        attribute: &'a Attribute,
        sub: Option<&str>,
    ) -> (Self, bool) {
        let place = |part| Self::Attribute {
            schema,
            attribute,
            part,
        };
        match (&attribute.kind, sub) {
            (_, None) => (place(None), false),
            (Kind::Complex(parts), Some(sub)) => match typed::part_of(attribute, parts, sub) {
                Some((part, _)) => (place(Some(part)), false),
                None => (Self::Unknown, false),
            },
            (_, Some(sub)) if dialect::is_value(sub) => (place(None), true),
            (_, Some(_)) => (Self::Unknown, false),
        }
    }
}

/// Reads a path as a client wrote it: the target in the schemas' spelling, and where it leads.
/// Inside of `within` when it stood in that extension's object.
pub(super) fn resolve<'a>(
    kind: &'a ResourceType,
    within: Option<&'a Schema>,
    text: &str,
) -> Result<(Target, Place<'a>), PatchError> {
    let text = text.trim();
    if let Some(schema) = within {
        return inside(kind, schema, text);
    }
    // The longest first: one URN may be the start of another.
    let behind = |schema: &'a Schema| Some((schema, dialect::behind_urn(text, &schema.id)?));
    let named = kind.schemas().filter_map(behind);
    match named.max_by_key(|(schema, _)| schema.id.len()) {
        None => inside(kind, &kind.core, text),
        Some((schema, "")) => {
            let path = AttributePath::whole(schema.id.clone());
            Ok((Target { path, filter: None }, Place::Whole(schema)))
        }
        Some((schema, rest)) => inside(kind, schema, rest),
    }
}

/// `attribute[filter].sub` of this schema.
fn inside<'a>(
    kind: &'a ResourceType,
    schema: &'a Schema,
    text: &str,
) -> Result<(Target, Place<'a>), PatchError> {
    let is_core = schema.id == kind.core.id;
    let parsed = parse_target(text);
    let declared = match (&parsed, is_core) {
        (Ok((path, _)), true) if path.schema.is_none() => attribute_of(kind, &path.name),
        (Ok((path, _)), false) if path.schema.is_none() => schema
            .attribute(&path.name)
            .map(|attribute| (Some(schema), attribute)),
        _ => None,
    };
    if declared.is_none() && schema.open && !is_core {
        return open_key(schema, text);
    }
    let (written, filter) = parsed.map_err(|error| PatchError::Path(text.to_owned(), error))?;
    let Some((schema, attribute)) = declared else {
        let target = Target {
            path: written,
            filter,
        };
        return Ok((target, Place::Unknown));
    };
    let (place, needless) = Place::with_part(schema, attribute, written.sub.as_deref());
    let sub = match place {
        Place::Attribute { part, .. } => part.map(|part| part.name.clone()),
        Place::Open(_) | Place::Whole(_) | Place::Unknown => written.sub,
    };
    let target = Target {
        path: AttributePath {
            schema: schema.map(|schema| schema.id.clone()),
            name: attribute.name.clone(),
            sub: sub.filter(|_| !needless),
        },
        filter,
    };
    if target.filter.is_some() && !attribute.multi_valued {
        return Err(PatchError::Single(target.path.to_string()));
    }
    Ok((target, place))
}

/// Any key, as long as it is one.
fn open_key<'a>(schema: &'a Schema, text: &str) -> Result<(Target, Place<'a>), PatchError> {
    let odd = |c: char| c.is_control() || "\"[]".contains(c);
    if text.len() > MAX_KEY || text.contains(odd) {
        let text = text.chars().take(MAX_KEY).collect();
        return Err(PatchError::Path(text, PathError::Name));
    }
    let path = AttributePath {
        schema: Some(schema.id.clone()),
        ..AttributePath::of(text, None)
    };
    Ok((Target { path, filter: None }, Place::Open(schema)))
}

/// Longest key of an open extension, bytes.
const MAX_KEY: usize = 256;

/// The attribute of the core, of every resource, or of an extension whose URN was forgotten.
fn attribute_of<'a>(
    kind: &'a ResourceType,
    name: &str,
) -> Option<(Option<&'a Schema>, &'a Attribute)> {
    match kind.find(&AttributePath::of(name, None))? {
        Found::Attribute {
            extension,
            attribute: Cow::Borrowed(attribute),
            ..
        } => Some((extension, attribute)),
        Found::Attribute { .. } | Found::Whole(_) => None,
    }
}
