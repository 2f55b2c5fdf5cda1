//! How values compare (RFC 7644 3.4.2.2): texts without case, moments, numbers, flags.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unicode_normalization::UnicodeNormalization;

/// The text of a value that is one: of flags and numbers as JSON writes them.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// One spelling where letters' case does not count; blanks at the ends do.
pub(super) fn loose(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// `true`, also as a text in any case: Entra writes booleans so.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// A number, also as a text.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text.trim()).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Exact where both are whole.
pub(super) fn compare_numbers(one: &Number, other: &Number) -> Ordering {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => Ordering::Equal,
        },
    }
}

/// A moment (RFC 7643 2.3.5) with any offset and up to nine digits of a second; without an offset it is UTC.
pub(super) fn instant(value: &Value) -> Option<OffsetDateTime> {
    let text = value.as_str()?.trim().to_ascii_uppercase();
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    parse(&text)
        .or_else(|| parse(&format!("{text}Z")))
        .or_else(|| parse(&format!("{text}T00:00:00Z")))
}

/// Whether anything is there (RFC 7643 2.5): null, an empty text, list or object is nothing.
pub(super) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(object) => object.values().any(is_present),
    }
}

/// The values of an attribute, one or many.
pub(super) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_in_every_form() {
        let noon = instant(&json!("2026-11-22T12:00:00Z"));
        assert!(noon.is_some());
        for text in [
            "2026-11-22T12:00:00.0000000Z",
            "2026-11-22t12:00:00z",
            "2026-11-22T13:00:00+01:00",
            "2026-11-22T06:30:00.000-05:30",
            "2026-11-22T12:00:00",
            " 2026-11-22T12:00:00Z ",
        ] {
            assert_eq!(instant(&json!(text)), noon, "{text}");
        }
        assert!(instant(&json!("2026-11-22")) < noon);
        assert!(instant(&json!("2026-11-22T12:00:00.0000001Z")) > noon);
        assert!(instant(&json!("0001-01-03T00:00:00.0000000Z")).is_some());
        for value in [
            json!("yesterday"),
            json!("2026-13-01T00:00:00Z"),
            json!(1),
            json!(""),
        ] {
            assert_eq!(instant(&value), None, "{value}");
        }
    }

    #[test]
    fn numbers_and_flags_may_be_texts() {
        for (one, other, order) in [
            (json!(1), json!("2"), Ordering::Less),
            (json!(2.5), json!(2), Ordering::Greater),
            (
                json!(9_007_199_254_740_993_i64),
                json!("9007199254740992"),
                Ordering::Greater,
            ),
            (json!("-1.0"), json!(-1), Ordering::Equal),
        ] {
            let (a, b) = (number(&one).unwrap(), number(&other).unwrap());
            assert_eq!(compare_numbers(&a, &b), order, "{one} {other}");
        }
        assert_eq!(number(&json!("x")), None);
        let flags = [
            json!(true),
            json!("TRUE"),
            json!(" False "),
            json!("yes"),
            json!(1),
        ];
        let got = flags.map(|value| flag(&value));
        assert_eq!(got, [Some(true), Some(true), Some(false), None, None]);
    }

    #[test]
    fn nothing_is_there_in_nothing() {
        for (value, present) in [
            (json!(null), false),
            (json!(""), false),
            (json!([]), false),
            (json!({}), false),
            (json!([{ "a": null }, ""]), false),
            (json!(false), true),
            (json!(0), true),
            (json!([{ "a": [1] }]), true),
        ] {
            assert_eq!(is_present(&value), present, "{value}");
        }
    }
}
