//! Request bodies: JSON with a limit on whatever can grow, and one reading of each object.
//!
//! Refuses what is no JSON object, NUL characters, names that stand twice, and what is too deep or too much.
//! Bytes are limited where the body is received.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use http::StatusCode;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{ScimError, ScimType};

/// Objects and arrays inside each other. SCIM itself needs 6.
pub(super) const MAX_DEPTH: usize = 32;
/// Objects and arrays. A group of 100,000 members in one request has as many objects, and a few more.
pub(super) const MAX_CONTAINERS: usize = 100_100;
/// Values of any kind. A member has at most five.
pub(super) const MAX_VALUES: usize = 600_000;

/// Why a body is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// Nothing there.
    #[error("the body is empty; a JSON object is expected")]
    Empty,
    /// Some other encoding.
    #[error("the body is not UTF-8")]
    Encoding,
    /// No JSON.
    #[error("the body is not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("the body is {0}; a JSON object is expected")]
    NoObject(&'static str),
    /// RFC 7643 2.1: the case of letters makes no other name.
    #[error("the name {0:?} stands twice in one object")]
    Twice(String),
    /// A NUL character.
    #[error("{0} holds a NUL character")]
    Nul(String),
    /// Over [`MAX_DEPTH`].
    #[error("the body is nested more than {MAX_DEPTH} deep")]
    Deep,
    /// Over [`MAX_CONTAINERS`] or [`MAX_VALUES`].
    #[error(
        "the body holds more than {MAX_CONTAINERS} objects or {MAX_VALUES} values; send it in several requests"
    )]
    Many,
}

impl From<ReadError> for ScimError {
    fn from(error: ReadError) -> Self {
        let detail = error.to_string();
        match error {
            ReadError::Empty
            | ReadError::Encoding
            | ReadError::Syntax(_)
            | ReadError::NoObject(_)
            | ReadError::Twice(_)
            | ReadError::Deep => Self::of(ScimType::InvalidSyntax, detail),
            ReadError::Nul(_) => Self::of(ScimType::InvalidValue, detail),
            ReadError::Many => Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail),
        }
    }
}

/// Reads the body of a request. A byte order mark is passed over (RFC 8259 8.1).
///
/// # Errors
///
/// `invalidSyntax`, `invalidValue` for NUL characters, 413 for too many values.
pub fn read_body(body: &[u8]) -> Result<Value, ScimError> {
    Ok(read(body)?)
}

fn read(body: &[u8]) -> Result<Value, ReadError> {
    let text = std::str::from_utf8(body).map_err(|_| ReadError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(ReadError::Empty);
    }
    let mut limits = Limits::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let node = Node {
        limits: &mut limits,
        depth: 0,
        name: "the body",
    };
    let read = node
        .deserialize(&mut json)
        .and_then(|value| json.end().map(|()| value));
    let value = match (limits.refused, read) {
        (Some(refused), _) => return Err(refused),
        (None, read) => read?,
    };
    match value {
        Value::Object(_) => Ok(value),
        Value::Null => Err(ReadError::NoObject("null")),
        Value::Bool(_) => Err(ReadError::NoObject("true or false")),
        Value::Number(_) => Err(ReadError::NoObject("a number")),
        Value::String(_) => Err(ReadError::NoObject("a string")),
        Value::Array(_) => Err(ReadError::NoObject("an array")),
    }
}

/// What has been read so far, and why reading ended.
#[derive(Default)]
struct Limits {
    containers: usize,
    values: usize,
    refused: Option<ReadError>,
}

impl Limits {
    fn refuse<E: serde::de::Error>(&mut self, why: ReadError) -> E {
        let error = E::custom(&why);
        self.refused = Some(why);
        error
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.values = self.values.saturating_add(1);
        match self.values > MAX_VALUES {
            true => Err(self.refuse(ReadError::Many)),
            false => Ok(()),
        }
    }

    fn open<E: serde::de::Error>(&mut self, depth: usize) -> Result<(), E> {
        self.count()?;
        self.containers = self.containers.saturating_add(1);
        if self.containers > MAX_CONTAINERS {
            return Err(self.refuse(ReadError::Many));
        }
        match depth >= MAX_DEPTH {
            true => Err(self.refuse(ReadError::Deep)),
            false => Ok(()),
        }
    }
}

/// One value that is about to be read.
struct Node<'a> {
    limits: &'a mut Limits,
    depth: usize,
    name: &'a str,
}

impl Node<'_> {
    fn scalar<E: serde::de::Error>(self, value: Value) -> Result<Value, E> {
        self.limits.count()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            let name = self.name.to_owned();
            return Err(self.limits.refuse(ReadError::Nul(name)));
        }
        self.scalar(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        self.limits.open(self.depth)?;
        let mut values = Vec::new();
        while let Some(value) = from.next_element_seed(Node {
            limits: &mut *self.limits,
            depth: self.depth.saturating_add(1),
            name: self.name,
        })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        self.limits.open(self.depth)?;
        let mut seen = HashSet::new();
        let mut object = Map::new();
        while let Some(name) = from.next_key::<Cow<'_, str>>()? {
            if name.contains('\0') {
                return Err(self.limits.refuse(ReadError::Nul("a name".to_owned())));
            }
            // RFC 8259 4 leaves open which of two counts: two readers would see two requests.
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(self.limits.refuse(ReadError::Twice(name.into_owned())));
            }
            let value = from.next_value_seed(Node {
                limits: &mut *self.limits,
                depth: self.depth.saturating_add(1),
                name: &name,
            })?;
            object.insert(name.into_owned(), value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: &[u8]) -> (String, String) {
        let error = read_body(body).expect_err(&String::from_utf8_lossy(body));
        let kind = error
            .scim_type
            .map_or(error.status.as_str().to_owned(), |kind| {
                kind.as_str().to_owned()
            });
        (kind, error.detail.into_owned())
    }

    #[test]
    fn what_is_read() {
        let text = "\u{feff} {\"a\": [1, -2, 1.5, true, null, \"\\u00e4\"], \"b\": {\"a\": {}}}\n";
        let want = json!({"a": [1, -2, 1.5, true, null, "ä"], "b": {"a": {}}});
        assert_eq!(read_body(text.as_bytes()).unwrap(), want);
        let members: Vec<_> = (0..100_000)
            .map(|n| json!({"$ref": null, "value": format!("{n}"), "display": "x"}))
            .collect();
        let body = json!({"Operations": [{"op": "add", "path": "members", "value": members}]});
        assert_eq!(read_body(body.to_string().as_bytes()).unwrap(), body);
    }

    #[test]
    fn what_is_refused() {
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(read_body(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_VALUES));
        let arrays = format!("{{\"a\":[{}1]}}", "[],".repeat(MAX_CONTAINERS));
        let cases: [(&[u8], &str, &str); 17] = [
            (b"", "invalidSyntax", "empty"),
            (b" \n", "invalidSyntax", "empty"),
            (b"\xff\xfe{\0}\0", "invalidSyntax", "not UTF-8"),
            (b"{\"userName\":\"\xff\"}", "invalidSyntax", "not UTF-8"),
            (b"{\"schemas\":[", "invalidSyntax", "not JSON"),
            (b"hello", "invalidSyntax", "not JSON"),
            (b"{} {}", "invalidSyntax", "not JSON"),
            (b"{\"a\":\"\\ud800\"}", "invalidSyntax", "not JSON"),
            (b"[1]", "invalidSyntax", "an array"),
            (b"\"x\"", "invalidSyntax", "a string"),
            (b"null", "invalidSyntax", "null"),
            (
                b"{\"userName\":\"a\\u0000b\"}",
                "invalidValue",
                "userName holds a NUL",
            ),
            (b"{\"a\\u0000b\":1}", "invalidValue", "a name holds a NUL"),
            (
                b"{\"a\":{\"x\":1,\"x\":1}}",
                "invalidSyntax",
                "\"x\" stands twice",
            ),
            (
                b"{\"userName\":1,\"UserName\":1}",
                "invalidSyntax",
                "\"UserName\" stands twice",
            ),
            (many.as_bytes(), "413", "more than"),
            (arrays.as_bytes(), "413", "more than"),
        ];
        for (body, kind, detail) in cases {
            let (its, why) = refused(body);
            assert_eq!(its, kind, "{why}");
            assert!(why.contains(detail), "{why}");
        }
        for depth in [MAX_DEPTH, 2_000, 200_000] {
            let (kind, why) = refused(deep(depth).as_bytes());
            assert_eq!(
                (kind.as_str(), why.contains("deep")),
                ("invalidSyntax", true)
            );
        }
    }
}
