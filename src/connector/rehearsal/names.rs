//! What the throw-away person is called: every name holds the mark, and nothing without it is touched.

use std::str::FromStr;

use crate::connector::render::Attributes;

/// Where the mark stands.
const PLACE: &str = "{random}";

/// A template of throw-away names, as an app takes them; `{random}` in it is the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrowAway(String);

impl Default for ThrowAway {
    fn default() -> Self {
        Self(format!("sidegate-{PLACE}"))
    }
}

impl FromStr for ThrowAway {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(PLACE) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must hold {random}: by it the throw-away name is known again")
        }
    }
}

impl ThrowAway {
    /// The name with this mark.
    pub(super) fn name(&self, mark: &str) -> String {
        self.0.replace(PLACE, mark)
    }

    /// Its address: the name itself where that is one.
    pub(super) fn address(&self, mark: &str) -> String {
        let name = self.name(mark);
        if name.contains('@') {
            name
        } else {
            format!("{name}@example.com")
        }
    }

    pub(super) fn person(&self, mark: &str) -> Attributes {
        let texts = [
            ("userName", self.name(mark)),
            ("name.givenName", "Pröbe".to_owned()),
            ("name.familyName", "O'User".to_owned()),
            ("name.formatted", "Pröbe O'User".to_owned()),
            ("displayName", "Pröbe O'User".to_owned()),
            ("emails.value", self.address(mark)),
        ];
        let mut person: Attributes = texts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        person.insert("active".to_owned(), true.into());
        person
    }
}
