//! A file of people: CSV with a head, or one JSON object a line in SCIM's shape.

use serde_json::{Map, Value, json};

use super::csv;
use crate::identity::fold;
use crate::provision::Imported;

/// A person, and the line where they stand.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) person: Imported,
}

/// Everybody in the file; all mistakes at once.
pub(super) fn read(text: &str) -> Result<Vec<Row>, Vec<String>> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let rows = if start.starts_with('{') {
        from_json(text)
    } else {
        from_csv(text)
    };
    let (rows, mut mistakes) = rows;
    let mut seen = std::collections::HashMap::new();
    for Row { line, person } in &rows {
        if let Some(first) = seen.insert(fold(&person.user_name), *line) {
            let name = &person.user_name;
            mistakes.push(format!(
                "line {line}: {name:?} stands in line {first} already"
            ));
        }
    }
    if mistakes.is_empty() {
        return Ok(rows);
    }
    Err(mistakes)
}

fn from_json(text: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    let lines = text.trim_start_matches('\u{feff}').lines();
    for (number, line) in (1..).zip(lines) {
        if line.trim().is_empty() {
            continue;
        }
        let read = serde_json::from_str::<Map<String, Value>>(line);
        let person = read.map_err(|error| error.to_string()).and_then(resource);
        match person {
            Ok(person) => rows.push(Row {
                line: number,
                person,
            }),
            Err(why) => mistakes.push(format!("line {number}: {why}")),
        }
    }
    (rows, mistakes)
}

/// A SCIM user (RFC 7643 4.1); what is the server's, or a secret, is left out.
fn resource(mut fields: Map<String, Value>) -> Result<Imported, String> {
    let mut names = std::collections::HashSet::new();
    if let Some(name) = fields.keys().find(|key| !names.insert(fold(key))) {
        return Err(format!("{name:?} stands twice"));
    }
    for key in ["schemas", "id", "meta", "groups", "password"] {
        take(&mut fields, key);
    }
    let text = |value: Option<Value>, key: &str| match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{key} is not a text")),
    };
    let user_name = text(take(&mut fields, "userName"), "userName")?;
    let active = match take(&mut fields, "active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(active),
        Some(_) => return Err("active is neither true nor false".to_owned()),
    };
    Ok(Imported {
        user_name: user_name.ok_or("userName is missing")?,
        external_id: text(take(&mut fields, "externalId"), "externalId")?,
        active,
        attributes: fields,
    })
}

/// RFC 7643 2.1: the case of letters makes no other name.
fn take(fields: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let same = |key: &&String| key.eq_ignore_ascii_case(name);
    let key = fields.keys().find(same).cloned();
    key.and_then(|key| fields.remove(&key))
}

fn from_csv(text: &str) -> (Vec<Row>, Vec<String>) {
    let table = match csv::read(text) {
        Ok(table) => table,
        Err(why) => return (Vec::new(), vec![why]),
    };
    let mut mistakes = Vec::new();
    let columns: Vec<Column> = table.head.iter().map(|name| Column::of(name)).collect();
    for (name, column) in table.head.iter().zip(&columns) {
        if matches!(column, Column::Unknown) {
            mistakes.push(format!("column {name:?} is none of {}", KNOWN.join(", ")));
        }
    }
    if !columns.contains(&Column::UserName) {
        mistakes.push("there is no column userName".to_owned());
    }
    if !mistakes.is_empty() {
        return (Vec::new(), mistakes);
    }
    let mut rows = Vec::new();
    for (line, cells) in table.rows {
        match person(&columns, &cells) {
            Ok(person) => rows.push(Row { line, person }),
            Err(why) => mistakes.push(format!("line {line}: {why}")),
        }
    }
    (rows, mistakes)
}

/// The columns there are; roles stand with `;` or `|` between them.
const KNOWN: [&str; 9] = [
    "userName",
    "externalId",
    "email",
    "displayName",
    "givenName",
    "familyName",
    "userType",
    "active",
    "roles",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    UserName,
    ExternalId,
    Email,
    Text(&'static str),
    Name(&'static str),
    Active,
    Roles,
    Unknown,
}

impl Column {
    /// Letters' case, `_` and `-` do not matter.
    fn of(name: &str) -> Self {
        let plain: String = fold(name).chars().filter(|c| c.is_alphanumeric()).collect();
        match plain.as_str() {
            "username" => Self::UserName,
            "externalid" => Self::ExternalId,
            "email" | "mail" => Self::Email,
            "displayname" => Self::Text("displayName"),
            "usertype" => Self::Text("userType"),
            "givenname" => Self::Name("givenName"),
            "familyname" => Self::Name("familyName"),
            "active" => Self::Active,
            "roles" | "role" => Self::Roles,
            _ => Self::Unknown,
        }
    }
}

/// An empty cell says nothing.
fn person(columns: &[Column], cells: &[String]) -> Result<Imported, String> {
    let mut person = Imported {
        user_name: String::new(),
        external_id: None,
        active: None,
        attributes: Map::new(),
    };
    let mut name = Map::new();
    for (column, cell) in columns.iter().zip(cells) {
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        let attributes = &mut person.attributes;
        match column {
            Column::UserName => text.clone_into(&mut person.user_name),
            Column::ExternalId => person.external_id = Some(text.to_owned()),
            Column::Email => {
                let emails = json!([{ "value": text, "type": "work", "primary": true }]);
                attributes.insert("emails".to_owned(), emails);
            }
            Column::Text(key) => drop(attributes.insert((*key).to_owned(), text.into())),
            Column::Name(key) => drop(name.insert((*key).to_owned(), text.into())),
            Column::Active => person.active = Some(truth(text)?),
            Column::Roles => drop(attributes.insert("roles".to_owned(), roles(text))),
            Column::Unknown => {}
        }
    }
    if person.user_name.is_empty() {
        return Err("userName is empty".to_owned());
    }
    if !name.is_empty() {
        person.attributes.insert("name".to_owned(), name.into());
    }
    Ok(person)
}

fn truth(text: &str) -> Result<bool, String> {
    match fold(text).as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("active is {text:?}, neither true nor false")),
    }
}

/// The first one is primary, as `user create --role` does it.
fn roles(text: &str) -> Value {
    let names = text.split([';', '|']).map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    let roles = names.enumerate();
    let roles = roles.map(|(number, name)| json!({ "value": name, "primary": number == 0 }));
    roles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Value, Vec<String>> {
        let rows = read(text)?.into_iter();
        let rows = rows.map(|row| json!([row.line, row.person]));
        Ok(rows.collect())
    }

    #[test]
    fn names_are_read_in_any_case() {
        let line = r#"{"Schemas":[],"USERNAME":"eve","Active":false,"ExternalID":"7","Password":"canary","title":"x"}"#;
        let want = json!([[1, {
            "user_name": "eve", "external_id": "7", "active": false, "attributes": { "title": "x" },
        }]]);
        assert_eq!(told(line), Ok(want));
        let twice = told(r#"{"userName":"eve","active":false,"Active":true}"#);
        assert_eq!(twice.unwrap_err().len(), 1);
    }

    #[test]
    fn both_kinds_of_files_say_the_same() {
        let want = json!([[2, {
            "user_name": "eve", "external_id": "7", "active": false,
            "attributes": {
                "displayName": "Eve", "name": { "givenName": "Eve" },
                "emails": [{ "value": "eve@corp.test", "type": "work", "primary": true }],
                "roles": [{ "value": "ADMIN", "primary": true }, { "value": "USER", "primary": false }],
            },
        }]]);
        let csv = "User Name,external_id,E-Mail,displayName,given_name,familyName,active,Roles\n\
                   eve,7,eve@corp.test,Eve,Eve,,no,\"ADMIN;USER\"\n";
        assert_eq!(told(csv), Ok(want.clone()));
        let mut json = want[0][1]["attributes"].clone();
        for (key, value) in [
            ("userName", json!("eve")),
            ("externalId", json!("7")),
            ("active", json!(false)),
            ("id", json!("x")),
            ("password", json!("canary")),
        ] {
            json[key] = value;
        }
        assert_eq!(told(&format!("\n{json}\n")), Ok(want));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        for (text, want) in [
            (
                "name,userName\nx,y",
                vec![
                    "column \"name\" is none of userName, externalId, email, displayName, givenName, familyName, userType, active, roles",
                ],
            ),
            ("email\nx", vec!["there is no column userName"]),
            (
                "userName,active\na,maybe\n,yes\nb,1\nB,1",
                vec![
                    "line 2: active is \"maybe\", neither true nor false",
                    "line 3: userName is empty",
                    "line 5: \"B\" stands in line 4 already",
                ],
            ),
            (
                "{\"userName\":\"a\"}\n{\"userName\":1}\n{}\n[]",
                vec![
                    "line 2: userName is not a text",
                    "line 3: userName is missing",
                    "line 4: invalid type: sequence, expected a map at line 1 column 0",
                ],
            ),
        ] {
            assert_eq!(told(text).unwrap_err(), want);
        }
    }
}
