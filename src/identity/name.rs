//! Names and identifiers, each its own type.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Longest name of a person, group, role or subject we take, in bytes.
pub const MAX_NAME: usize = 1024;

/// One spelling for comparison: trimmed, NFKC, lower case (R60; RFC 7643 2.2, `caseExact` false).
pub fn fold(text: &str) -> String {
    text.trim()
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect()
}

/// Why a name was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// Nothing, or nothing but white space.
    #[error("is empty")]
    Empty,
    /// More than the allowed number of bytes.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// Not of the allowed letters.
    #[error("holds a character that is not allowed; allowed: {0}")]
    Characters(&'static str),
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(text: &str) -> Result<Self, NameError> {
                if text.is_empty() {
                    return Err(NameError::Empty);
                }
                if text.len() > 63 {
                    return Err(NameError::TooLong(63));
                }
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
                if text.starts_with('-') || !text.chars().all(allowed) {
                    return Err(NameError::Characters("a-z, 0-9, - and _, not first -"));
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::try_from(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug!(
    /// A tenant's name in paths and tables: `a-z`, `0-9`, `-`, `_`, at most 63 bytes.
    TenantSlug
);
slug!(
    /// A configured idp's name in paths and tables: `a-z`, `0-9`, `-`, `_`, at most 63 bytes.
    IdpName
);

impl Default for TenantSlug {
    /// The tenant that exists when none is configured.
    fn default() -> Self {
        Self("default".into())
    }
}

impl IdpName {
    /// The name that sessions of local accounts carry; no configured idp may use it.
    pub fn local() -> Self {
        Self("local".into())
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// A new random one (UUID version 4).
            pub fn random() -> Self {
                Self(Uuid::new_v4().to_string().into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The directory's own identifier of a user; ours, opaque, never from a client (R52).
    UserId
);
id!(
    /// The directory's own identifier of a group; ours, opaque, never from a client (R52).
    GroupId
);

/// What the app is told a person may do; compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(pub String);

/// Why an e-mail address was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EmailError {
    /// Not exactly one `@` with something on both sides.
    #[error("must have exactly one @ with text on both sides")]
    At,
    /// A quote, white space or control character.
    #[error("must not hold quotes, white space or control characters")]
    Characters,
    /// More than 254 bytes (RFC 5321 4.5.3.1.3).
    #[error("is longer than 254 bytes")]
    TooLong,
}

/// An e-mail address with exactly one `@` (R31). Not proof that anybody reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    at: usize,
}

impl Email {
    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What stands behind the `@`, lower-cased; compared whole, never by suffix (R31).
    pub fn domain(&self) -> String {
        let domain = self.address.get(self.at.saturating_add(1)..);
        fold(domain.unwrap_or_default())
    }
}

impl TryFrom<&str> for Email {
    type Error = EmailError;

    fn try_from(text: &str) -> Result<Self, EmailError> {
        if text.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let bad = |c: char| c.is_control() || c.is_whitespace() || "\"'`<>()[]\\,;:".contains(c);
        if text.chars().any(|c| bad(c) && c != '\'') {
            return Err(EmailError::Characters);
        }
        match text.split_once('@') {
            Some((local, domain))
                if !local.is_empty() && !domain.is_empty() && !domain.contains('@') =>
            {
                Ok(Self {
                    at: local.len(),
                    address: text.to_owned(),
                })
            }
            _ => Err(EmailError::At),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r60_one_spelling_for_comparison() {
        for (text, want) in [
            (" Alice@Example.COM ", "alice@example.com"),
            ("ﬁle", "file"),
            ("ＡＬＩＣＥ", "alice"),
            ("İ", "i\u{307}"),
            ("e\u{301}", "é"),
        ] {
            assert_eq!(fold(text), want, "{text}");
        }
    }

    #[test]
    fn r31_an_email_has_exactly_one_at() {
        for (text, want) in [
            ("a@corp.com", Ok("corp.com")),
            ("o'neil@Corp.COM", Ok("corp.com")),
            ("a@evil.com@corp.com", Err(EmailError::At)),
            ("corp.com", Err(EmailError::At)),
            ("@corp.com", Err(EmailError::At)),
            ("a@", Err(EmailError::At)),
            ("\"a@evil.com\"@corp.com", Err(EmailError::Characters)),
            ("a@corp.com\n", Err(EmailError::Characters)),
            ("a b@corp.com", Err(EmailError::Characters)),
        ] {
            let got = Email::try_from(text).map(|email| email.domain());
            assert_eq!(got.as_deref(), want.as_ref().map(|w| *w), "{text}");
        }
    }

    #[test]
    fn slugs_stay_in_paths() {
        for (text, ok) in [
            ("entra", true),
            ("a-1_b", true),
            ("-a", false),
            ("A", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(IdpName::try_from(text).is_ok(), ok, "{text}");
        }
    }
}
