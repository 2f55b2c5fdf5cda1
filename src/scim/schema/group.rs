//! The core schema of a group (RFC 7643 4.2, 8.7.1), and what every resource has (RFC 7643 3.1).

use super::{Attribute, GROUP, Kind, Mutability, Returned, Schema};

pub(super) fn schema() -> Schema {
    let immutable = |attribute: Attribute| attribute.with(Mutability::Immutable, Returned::Default);
    let members = vec![
        // An id of ours, so letters' case counts as it does in `id`.
        immutable(Attribute::text("value", "Id of the member").exact()),
        immutable(Attribute::link("$ref", &["User"], "URL of the member")),
        immutable(Attribute::text("type", "Kind of the member").suggests(&["User"])),
        // Each is a record to read, and scim2-tester takes no member for what it sent that has one more part:
        // who wants names asks for them.
        Attribute::text("display", "Name of the member")
            .with(Mutability::ReadOnly, Returned::Request),
    ];
    Schema {
        id: GROUP.to_owned(),
        name: "Group".to_owned(),
        description: "A group of people",
        attributes: vec![
            // RFC 7643 4.2 asks for it, 8.7.1 forgets it; Entra asks for it to be unique.
            Attribute::text("displayName", "Unique name of the group")
                .required()
                .unique(),
            Attribute::complex("members", "People in the group", members).many(),
        ],
        open: false,
    }
}

/// What every resource has (RFC 7643 3.1).
pub(super) fn common() -> Vec<Attribute> {
    let text = |name, description| Attribute::text(name, description).exact();
    let time = |name, description| Attribute::new(name, Kind::DateTime, description);
    let meta = vec![
        text("resourceType", "Kind of the resource"),
        time("created", "When it was made"),
        time("lastModified", "When it last changed"),
        Attribute::link("location", &["uri"], "URL of the resource").exact(),
        text("version", "Entity tag of the resource"),
    ];
    vec![
        // RFC 7643 2.1: URNs of schemas have no case.
        Attribute::link("schemas", &["uri"], "Schemas of what the resource holds")
            .many()
            .with(Mutability::ReadOnly, Returned::Always),
        text("id", "Our identifier of the resource")
            .unique()
            .with(Mutability::ReadOnly, Returned::Always),
        text("externalId", "The client's identifier of the resource"),
        Attribute::complex("meta", "About the resource itself", meta).read_only(),
    ]
}
