//! An idp's claims as they stay with a session: one text, because most are never read.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// All claims of one sign-in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Option<Box<RawValue>>);

impl Claims {
    /// Read again: for header templates.
    pub fn to_map(&self) -> Map<String, Value> {
        let text = self.0.as_deref().map(RawValue::get);
        // What is no object has no claims.
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Self {
        if claims.is_empty() {
            return Self::default();
        }
        Self(to_raw_value(&claims).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_survive() {
        for text in [
            "{}",
            r#"{"a":[1,"é"],"b":{"c":null},"big":18446744073709551615}"#,
        ] {
            let map: Map<String, Value> = serde_json::from_str(text).unwrap();
            assert_eq!(Claims::from(map.clone()).to_map(), map);
            let stored = serde_json::to_string(&Claims::from(map.clone())).unwrap();
            let loaded: Claims = serde_json::from_str(&stored).unwrap();
            assert_eq!(loaded.to_map(), map);
        }
        let none: Claims = serde_json::from_str("null").unwrap();
        assert!(none.to_map().is_empty());
    }
}
