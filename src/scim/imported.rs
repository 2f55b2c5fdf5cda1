//! People of an operator's file, read as a POST is: what is indexed, shown and checked is in our spelling.

use serde_json::Value;

use super::resource::accept;
use super::schema::ResourceType;
use super::{Scim, ScimError};
use crate::provision::Imported;

impl Scim {
    /// The person with attributes as the schemas spell and type them. Left out is what no schema knows, and what is
    /// empty; a password is never taken from a file.
    ///
    /// # Errors
    ///
    /// `invalidValue`, as for a POST.
    pub fn imported(&self, person: Imported) -> Result<Imported, ScimError> {
        read(person, &self.schemas.user)
    }
}

fn read(person: Imported, kind: &ResourceType) -> Result<Imported, ScimError> {
    let mut body = person.attributes;
    body.insert("userName".to_owned(), person.user_name.as_str().into());
    let mut attributes = accept(Value::Object(body), kind)?;
    for own in ["userName", "externalId", "active", "password"] {
        attributes.remove(own);
    }
    Ok(Imported {
        attributes,
        ..person
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::patch::sample::schemas;

    #[test]
    fn r55_a_file_is_read_as_a_post_is() {
        let read = |attributes: Value| {
            let person = json!({ "user_name": "eve", "attributes": attributes });
            read(serde_json::from_value(person).unwrap(), &schemas().user)
        };
        for (attributes, want) in [
            (
                json!({ "Emails": [{ "VALUE": "e@x.test" }], "nope": 1 }),
                json!({ "emails": [{ "value": "e@x.test" }] }),
            ),
            (json!({ "Password": "canary", "title": null }), json!({})),
            (
                json!({ "roles": ["ADMIN"] }),
                json!({ "roles": [{ "value": "ADMIN" }] }),
            ),
        ] {
            let person = read(attributes).unwrap();
            assert_eq!(Value::Object(person.attributes), want);
        }
        assert!(read(json!({ "title": { "x": 1 } })).is_err());
    }
}
