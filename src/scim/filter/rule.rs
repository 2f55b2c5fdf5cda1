//! One comparison, prepared for the attribute's type (RFC 7644 3.4.2.2).

use std::cmp::Ordering;

use serde_json::{Number, Value};
use time::OffsetDateTime;

use super::Operator;
use crate::identity::fold;
use crate::scim::schema::{Attribute, Kind};
use crate::scim::value::{compare_numbers, flag, instant, is_present, loose, number, text};

/// What is asked of the values of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    /// One is there.
    Present,
    /// None is there.
    Absent,
    /// One compares so; `ne` also where none is there.
    Compare(Operator, Wanted),
}

/// What values are compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// Byte for byte.
    Exact(String),
    /// As names compare: case, width and blanks at the ends do not count, as in the indexes.
    Folded(String),
    /// Part of a text whose case does not count.
    Loose(String),
    Flag(bool),
    Number(Number),
    Moment(OffsetDateTime),
    /// A value that this attribute cannot have.
    Unheard,
}

impl Rule {
    /// For an attribute that is not complex.
    ///
    /// # Errors
    ///
    /// The sentence that says why such values do not compare so.
    pub(super) fn new(
        attribute: &Attribute,
        operator: Operator,
        value: &Value,
    ) -> Result<Self, &'static str> {
        let Some(text) = text(value) else {
            return match operator {
                Operator::Eq => Ok(Self::Absent),
                Operator::Ne => Ok(Self::Present),
                Operator::Co
                | Operator::Sw
                | Operator::Ew
                | Operator::Gt
                | Operator::Ge
                | Operator::Lt
                | Operator::Le => Err("null compares with eq and ne alone"),
            };
        };
        let text = text.as_ref();
        let wanted = match &attribute.kind {
            Kind::Boolean if !operator.is_equality() => {
                return Err("a boolean compares with eq, ne and pr alone");
            }
            Kind::Binary if operator.is_order() => {
                return Err("binary values have no order");
            }
            Kind::Boolean => flag(value).map(Wanted::Flag),
            Kind::Integer | Kind::Decimal if !operator.is_part() => {
                number(value).map(Wanted::Number)
            }
            Kind::DateTime if !operator.is_part() => instant(value).map(Wanted::Moment),
            Kind::Binary | Kind::Integer | Kind::Decimal | Kind::DateTime => {
                Some(Wanted::Exact(text.to_owned()))
            }
            Kind::String | Kind::Reference(_) | Kind::Complex(_) if attribute.case_exact => {
                Some(Wanted::Exact(text.to_owned()))
            }
            Kind::String | Kind::Reference(_) | Kind::Complex(_) if operator.is_equality() => {
                Some(Wanted::Folded(fold(text)))
            }
            Kind::String | Kind::Reference(_) | Kind::Complex(_) => {
                Some(Wanted::Loose(loose(text)))
            }
        };
        match wanted {
            Some(wanted) => Ok(Self::Compare(operator, wanted)),
            None if operator.is_order() && attribute.kind == Kind::DateTime => {
                Err("a dateTime compares with one such as 2026-11-22T09:30:00Z")
            }
            None if operator.is_order() => Err("a number compares with a number"),
            None => Ok(Self::Compare(operator, Wanted::Unheard)),
        }
    }

    /// Whether these values fit.
    pub(super) fn fits<'v>(&self, mut values: impl Iterator<Item = &'v Value>) -> bool {
        match self {
            Self::Present => values.any(is_present),
            Self::Absent => !values.any(is_present),
            Self::Compare(Operator::Ne, wanted) => {
                let mut none = true;
                let other = values.any(|value| {
                    none = false;
                    !wanted.compares(Operator::Eq, value)
                });
                none || other
            }
            Self::Compare(operator, wanted) => values.any(|v| wanted.compares(*operator, v)),
        }
    }
}

impl Wanted {
    fn compares(&self, operator: Operator, value: &Value) -> bool {
        match self {
            Self::Exact(wanted) => text(value).is_some_and(|its| operator.holds(&its, wanted)),
            Self::Folded(wanted) => text(value).is_some_and(|its| is_folded(&its, wanted)),
            Self::Loose(wanted) => {
                text(value).is_some_and(|its| operator.holds(&loose(&its), wanted))
            }
            Self::Flag(wanted) => flag(value) == Some(*wanted),
            Self::Number(wanted) => {
                number(value).is_some_and(|its| operator.fits(compare_numbers(&its, wanted)))
            }
            Self::Moment(wanted) => {
                instant(value).is_some_and(|its| operator.fits(its.cmp(wanted)))
            }
            Self::Unheard => false,
        }
    }
}

/// Whether the text folds to this; most are plain enough not to be folded.
fn is_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        text.trim().eq_ignore_ascii_case(folded)
    } else {
        fold(text) == folded
    }
}

impl Operator {
    const fn is_equality(self) -> bool {
        matches!(self, Self::Eq | Self::Ne)
    }

    const fn is_part(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    const fn is_order(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    fn holds(self, text: &str, wanted: &str) -> bool {
        match self {
            Self::Co => text.contains(wanted),
            Self::Sw => text.starts_with(wanted),
            Self::Ew => text.ends_with(wanted),
            Self::Eq | Self::Ne | Self::Gt | Self::Ge | Self::Lt | Self::Le => {
                self.fits(text.cmp(wanted))
            }
        }
    }

    const fn fits(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Co | Self::Sw | Self::Ew => false,
        }
    }
}
