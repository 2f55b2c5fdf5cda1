//! How attributes are written down, and how their parts are found.

use super::{Attribute, Kind, Mutability, Returned, Schema};

impl Attribute {
    /// Not required, read and written by anybody, letters' case does not count (RFC 7643 2.2).
    pub(super) fn new(name: &str, kind: Kind, description: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            multi_valued: false,
            description,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            unique: false,
            canonical_values: Vec::new(),
        }
    }

    pub(super) fn text(name: &str, description: &'static str) -> Self {
        Self::new(name, Kind::String, description)
    }

    pub(super) fn flag(name: &str, description: &'static str) -> Self {
        Self::new(name, Kind::Boolean, description)
    }

    pub(super) fn link(name: &str, to: &'static [&'static str], description: &'static str) -> Self {
        Self::new(name, Kind::Reference(to), description)
    }

    pub(super) fn complex(name: &str, description: &'static str, subs: Vec<Self>) -> Self {
        Self::new(name, Kind::Complex(subs), description)
    }

    pub(super) fn many(self) -> Self {
        Self {
            multi_valued: true,
            ..self
        }
    }

    pub(super) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(super) fn unique(self) -> Self {
        Self {
            unique: true,
            ..self
        }
    }

    pub(super) fn exact(self) -> Self {
        Self {
            case_exact: true,
            ..self
        }
    }

    pub(super) fn with(self, mutability: Mutability, returned: Returned) -> Self {
        Self {
            mutability,
            returned,
            ..self
        }
    }

    /// Read-only, and its parts too.
    pub(super) fn read_only(mut self) -> Self {
        if let Kind::Complex(subs) = self.kind {
            self.kind = Kind::Complex(subs.into_iter().map(Self::read_only).collect());
        }
        self.mutability = Mutability::ReadOnly;
        self
    }

    pub(super) fn suggests(mut self, values: &[&str]) -> Self {
        self.canonical_values = values.iter().map(|&value| value.to_owned()).collect();
        self
    }

    /// What an open extension has under a name that it does not list: a text.
    pub(in crate::scim) fn of_open(name: &str) -> Self {
        Self::text(name, "Attribute of the app's own")
    }

    /// Its sub-attributes; none unless it is complex.
    pub fn subs(&self) -> &[Self] {
        match &self.kind {
            Kind::Complex(subs) => subs,
            Kind::String
            | Kind::Boolean
            | Kind::Decimal
            | Kind::Integer
            | Kind::DateTime
            | Kind::Binary
            | Kind::Reference(_) => &[],
        }
    }

    /// The sub-attribute of this name, in any case.
    pub fn sub(&self, name: &str) -> Option<&Self> {
        named(self.subs(), name)
    }
}

impl Schema {
    /// The attribute of this name, in any case. An open schema has more than it names.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.attributes, name)
    }
}

/// RFC 7643 2.1: attribute names have no case.
pub(super) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
