//! Tree to text: it reads back as the same tree.

use std::fmt;

use super::{Filter, Operator};

const AND: &str = " and ";
const OR: &str = " or ";

impl Operator {
    const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// As it stands in a filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(arms) => joined(arms, AND, f),
            Self::Or(arms) => joined(arms, OR, f),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, value) => write!(f, "{path} {operator} {value}"),
            Self::Element(path, filter) => write!(f, "{path}[{filter}]"),
        }
    }
}

/// Arms that would join the list stand in parentheses, so that the tree stays as it is.
fn joined(arms: &[Filter], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (number, arm) in arms.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        match arm {
            Filter::Or(_) => write!(f, "({arm})")?,
            Filter::And(_) if between == AND => write!(f, "({arm})")?,
            Filter::And(_)
            | Filter::Not(_)
            | Filter::Present(_)
            | Filter::Compare(..)
            | Filter::Element(..) => write!(f, "{arm}")?,
        }
    }
    Ok(())
}
