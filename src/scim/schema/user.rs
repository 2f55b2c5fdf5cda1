//! The core schema of a person (RFC 7643 4.1, 8.7.1).

use super::{Attribute, Kind, Mutability, Returned, Schema, USER};

/// `password` is listed only where it is taken or a client insists: Entra's validator stumbles over attributes that are
/// never returned.
pub(super) fn schema(password: bool) -> Schema {
    let mut attributes = single();
    if password {
        attributes.push(
            Attribute::text("password", "Clear text password; never answered")
                .with(Mutability::WriteOnly, Returned::Never),
        );
    }
    attributes.extend(contact());
    attributes.extend(granted());
    Schema {
        id: USER.to_owned(),
        name: "User".to_owned(),
        description: "A person",
        attributes,
        open: false,
    }
}

fn single() -> Vec<Attribute> {
    let text = Attribute::text;
    vec![
        text("userName", "Unique name of the person, used to sign in")
            .required()
            .unique(),
        Attribute::complex(
            "name",
            "Parts of the person's name",
            vec![
                text("formatted", "Full name, as shown"),
                text("familyName", "Family name"),
                text("givenName", "Given name"),
                text("middleName", "Middle names"),
                text("honorificPrefix", "Title in front, such as Ms."),
                text("honorificSuffix", "Suffix, such as III"),
            ],
        ),
        text("displayName", "Name as shown to others"),
        text("nickName", "Casual name"),
        Attribute::link("profileUrl", &["external"], "The person's page"),
        text("title", "Job title, such as Vice President"),
        text("userType", "Relation to the organization, such as Employee"),
        text(
            "preferredLanguage",
            "Preferred languages, as in Accept-Language",
        ),
        text("locale", "Locale for numbers and dates, such as en-US"),
        text("timezone", "Time zone, such as Europe/Berlin"),
        Attribute::flag("active", "Whether the person may sign in"),
    ]
}

fn contact() -> Vec<Attribute> {
    let value = |description| Attribute::text("value", description);
    let types = ["work", "home", "other"];
    vec![
        typed(
            "emails",
            "E-mail addresses",
            value("E-mail address"),
            &types,
        ),
        typed(
            "phoneNumbers",
            "Phone numbers",
            value("Phone number"),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        typed(
            "ims",
            "Instant messaging addresses",
            value("Instant messaging address"),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        typed(
            "photos",
            "Pictures of the person",
            Attribute::link("value", &["external"], "URL of a picture"),
            &["photo", "thumbnail"],
        ),
        Attribute::complex("addresses", "Postal addresses", address(&types)).many(),
    ]
}

/// RFC 7643 8.7.1 leaves `primary` out, 8.2 uses it, and so do clients.
fn address(types: &[&str]) -> Vec<Attribute> {
    let text = Attribute::text;
    vec![
        text("formatted", "Full address, as shown"),
        text("streetAddress", "Street, house number and the like"),
        text("locality", "City"),
        text("region", "State or region"),
        text("postalCode", "Postal code"),
        text("country", "Country"),
        text("type", "What the address is for").suggests(types),
        primary(),
    ]
}

fn granted() -> Vec<Attribute> {
    let value = |description| Attribute::text("value", description);
    let groups = vec![
        value("Id of the group").exact(),
        Attribute::link("$ref", &["User", "Group"], "URL of the group"),
        Attribute::text("display", "Name of the group"),
        Attribute::text("type", "How the person is in it").suggests(&["direct", "indirect"]),
    ];
    vec![
        Attribute::complex("groups", "Groups that the person is in", groups)
            .many()
            .read_only(),
        typed(
            "entitlements",
            "What the person has",
            value("Entitlement"),
            &[],
        ),
        // No canonical values: Entra then maps roles[primary eq "True"].value.
        typed("roles", "Roles of the person", value("Role"), &[]),
        typed(
            "x509Certificates",
            "Certificates of the person",
            Attribute::new("value", Kind::Binary, "DER certificate in base64"),
            &[],
        ),
    ]
}

/// `value`, `display`, `type`, `primary` (RFC 7643 2.4).
fn typed(name: &str, description: &'static str, value: Attribute, types: &[&str]) -> Attribute {
    let subs = vec![
        value,
        Attribute::text("display", "Name as shown"),
        Attribute::text("type", "What it is for").suggests(types),
        primary(),
    ];
    Attribute::complex(name, description, subs).many()
}

fn primary() -> Attribute {
    Attribute::flag("primary", "The preferred one; at most one is")
}
