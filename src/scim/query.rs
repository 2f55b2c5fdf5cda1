//! What a list is asked for: query parameters, or the body of `.search` (RFC 7644 3.4.2, 3.4.3; RFC 9865).
//!
//! Unknown parameters are ignored, names are read in any case, and of a repeated one the first counts.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::sort::Sort;
use super::{Projection, ScimError, ScimType};

/// The question, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// `filter`
    pub filter: Option<String>,
    /// `startIndex`, counting from 1; less means 1.
    pub start_index: Option<usize>,
    /// `count`; less than 0 means 0.
    pub count: Option<usize>,
    /// `cursor`; empty asks for the first page.
    pub cursor: Option<String>,
    /// `sortBy`
    pub sort_by: Option<String>,
    /// `sortOrder` is `descending`.
    pub descending: bool,
    /// `attributes`
    pub attributes: Option<String>,
    /// `excludedAttributes`
    pub excluded_attributes: Option<String>,
}

impl Query {
    /// From the query of an URL.
    ///
    /// # Errors
    ///
    /// `startIndex` or `count` is no number.
    pub(super) fn of_url(query: &str) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            read.set(&name, value.into_owned())?;
        }
        Ok(read)
    }

    /// From a `SearchRequest`.
    ///
    /// # Errors
    ///
    /// A member is not of its type.
    pub(super) fn of_search(body: &Map<String, Value>) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in body {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Array(items) => {
                    let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                    items.join(",")
                }
                Value::Bool(_) | Value::Object(_) => {
                    let why = format!("{name}: must be a text, a number or a list of texts");
                    return Err(ScimError::of(ScimType::InvalidValue, why));
                }
            };
            read.set(name, text)?;
        }
        Ok(read)
    }

    /// What is answered of each resource.
    ///
    /// # Errors
    ///
    /// A path that cannot be read.
    pub(super) fn projection(&self) -> Result<Projection, ScimError> {
        let excluded = self.excluded_attributes.as_deref();
        Projection::new(self.attributes.as_deref(), excluded)
    }

    /// The order that was asked for.
    ///
    /// # Errors
    ///
    /// A path that cannot be read.
    pub(super) fn sort(&self) -> Result<Option<Sort>, ScimError> {
        Sort::new(self.sort_by.as_deref(), self.descending)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ScimError> {
        match name.to_ascii_lowercase().as_str() {
            "filter" => first(&mut self.filter, value),
            "startindex" => {
                let index = number("startIndex", &value, ScimType::InvalidValue)?;
                first(&mut self.start_index, index.max(1));
            }
            "count" => {
                let count = number("count", &value, ScimType::InvalidCount)?;
                first(&mut self.count, count);
            }
            "cursor" => first(&mut self.cursor, value),
            "sortby" => first(&mut self.sort_by, value),
            "sortorder" => self.descending = value.trim().eq_ignore_ascii_case("descending"),
            "attributes" => first(&mut self.attributes, value),
            "excludedattributes" => first(&mut self.excluded_attributes, value),
            _ => {}
        }
        Ok(())
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

/// Negative numbers are 0 (RFC 7644 3.4.2.4).
fn number(name: &str, text: &str, kind: ScimType) -> Result<usize, ScimError> {
    let number: i64 = text
        .trim()
        .parse()
        .map_err(|_not_a_number| ScimError::of(kind, format!("{name}: must be a whole number")))?;
    Ok(usize::try_from(number).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_in_every_spelling() {
        let query = Query::of_url(
            "StartIndex=0&count=-3&filter=userName+eq+%22a%2Bb%22&filter=x&unknown=1&sortOrder=Descending",
        );
        let query = query.unwrap();
        assert_eq!(query.filter.as_deref(), Some("userName eq \"a+b\""));
        assert_eq!((query.start_index, query.count), (Some(1), Some(0)));
        assert!(query.descending);
        assert_eq!(
            Query::of_url("count=ten").unwrap_err().scim_type,
            Some(ScimType::InvalidCount)
        );
    }

    #[test]
    fn a_search_says_the_same() {
        let body = json!({"schemas": ["x"], "attributes": ["userName", "emails"], "count": 2, "cursor": "", "sortBy": null});
        let query = Query::of_search(body.as_object().unwrap()).unwrap();
        assert_eq!(query.attributes.as_deref(), Some("userName,emails"));
        assert_eq!(query.count, Some(2));
        assert_eq!(query.cursor.as_deref(), Some(""));
        assert!(Query::of_search(json!({"count": true}).as_object().unwrap()).is_err());
    }
}
