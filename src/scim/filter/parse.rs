//! Text to tree, tree to text (RFC 7644 3.4.2.2, figure 1).
//!
//! Takes more than the grammar: values without quotes, names and operators in any case, blanks where none
//! are needed, `emails[type eq "work"].value eq "x"`. Refuses what is longer than [`MAX_FILTER`], deeper than
//! [`MAX_DEPTH`] or has more than [`MAX_TERMS`] comparisons.

use std::str::FromStr;

use super::error::{FilterError, FilterReason, MAX_DEPTH, MAX_FILTER, MAX_TERMS};
use super::words::Words;
use super::{Filter, Operator};
use crate::scim::path::{AttributePath, sub_name};

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut reader = Reader::at(text, 0)?;
        let filter = reader.either()?;
        reader.words.skip_blanks();
        if reader.words.rest.is_empty() {
            Ok(filter)
        } else {
            Err(reader.words.error(FilterReason::Rest))
        }
    }
}

/// Reads `[filter]` that starts at byte `start` of a path; gives it and what stands behind it.
pub(in crate::scim) fn target_filter(
    text: &str,
    start: usize,
) -> Result<(Filter, &str), FilterError> {
    let mut reader = Reader::at(text, start)?;
    let filter = reader.element()?;
    Ok((filter, reader.words.rest))
}

struct Reader<'a> {
    words: Words<'a>,
    depth: usize,
    terms: usize,
    in_element: bool,
}

impl<'a> Reader<'a> {
    fn at(whole: &'a str, start: usize) -> Result<Self, FilterError> {
        let reader = Self {
            words: Words::at(whole, start),
            depth: 0,
            terms: 0,
            in_element: false,
        };
        if whole.len() > MAX_FILTER {
            return Err(FilterError {
                at: 1,
                reason: FilterReason::TooLong,
            });
        }
        Ok(reader)
    }

    /// One or more, `or` between them: binds least.
    fn either(&mut self) -> Result<Filter, FilterError> {
        let first = self.all()?;
        let mut arms = vec![first];
        while self.words.keyword("or") {
            arms.push(self.all()?);
        }
        Ok(one_or(arms, Filter::Or))
    }

    /// One or more, `and` between them.
    fn all(&mut self) -> Result<Filter, FilterError> {
        let first = self.term()?;
        let mut arms = vec![first];
        while self.words.keyword("and") {
            arms.push(self.term()?);
        }
        Ok(one_or(arms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        self.words.skip_blanks();
        if self.words.rest.starts_with('(') {
            return self.inside('(', ')', FilterReason::Parenthesis);
        }
        if self.words.keyword("not") {
            self.words.skip_blanks();
            if !self.words.rest.starts_with('(') {
                return Err(self.words.error(FilterReason::Not));
            }
            let filter = self.inside('(', ')', FilterReason::Parenthesis)?;
            return Ok(Filter::Not(Box::new(filter)));
        }
        let before = self.words.rest;
        let path = self.words.word().parse();
        let path: AttributePath =
            path.map_err(|_| self.words.error_at(before, FilterReason::Attribute))?;
        self.words.skip_blanks();
        if self.words.rest.starts_with('[') {
            return self.element_of(path);
        }
        self.comparison(path)
    }

    /// `[filter]`, or `[filter].sub op value`, behind its attribute.
    fn element_of(&mut self, path: AttributePath) -> Result<Filter, FilterError> {
        let filter = self.element()?;
        let Some(rest) = self.words.rest.strip_prefix('.') else {
            return Ok(Filter::Element(path, Box::new(filter)));
        };
        self.words.rest = rest;
        let name = sub_name(self.words.word()).filter(|name| !name.eq_ignore_ascii_case("not"));
        let sub = name.map(|name| AttributePath::of(name, None));
        let sub = sub.ok_or_else(|| self.words.error_at(rest, FilterReason::Attribute))?;
        let comparison = self.comparison(sub)?;
        // RFC 7644 3.4.2.2 has no such form, Entra asks so: one element fits and has this value.
        // As a list of `and` the arms of an `or` stand in parentheses of their own.
        if matches!(filter, Filter::Or(_)) && self.depth.saturating_add(1) >= MAX_DEPTH {
            return Err(self.words.error(FilterReason::TooDeep));
        }
        let mut both = match filter {
            Filter::And(arms) => arms,
            Filter::Or(_)
            | Filter::Not(_)
            | Filter::Present(_)
            | Filter::Compare(..)
            | Filter::Element(..) => vec![filter],
        };
        both.push(comparison);
        Ok(Filter::Element(path, Box::new(Filter::And(both))))
    }

    fn element(&mut self) -> Result<Filter, FilterError> {
        if self.in_element {
            return Err(self.words.error(FilterReason::Nested));
        }
        self.in_element = true;
        let filter = self.inside('[', ']', FilterReason::Bracket);
        self.in_element = false;
        filter
    }

    fn inside(
        &mut self,
        open: char,
        close: char,
        missing: FilterReason,
    ) -> Result<Filter, FilterError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(self.words.error(FilterReason::TooDeep));
        }
        self.words.rest = self
            .words
            .rest
            .strip_prefix(open)
            .unwrap_or(self.words.rest);
        let filter = self.either()?;
        self.words.skip_blanks();
        let Some(rest) = self.words.rest.strip_prefix(close) else {
            return Err(self.words.error(missing));
        };
        self.words.rest = rest;
        self.depth = self.depth.saturating_sub(1);
        Ok(filter)
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, FilterError> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > MAX_TERMS {
            return Err(self.words.error(FilterReason::TooMany));
        }
        self.words.skip_blanks();
        let before = self.words.rest;
        let word = self.words.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = Operator::read(word);
        let operator =
            operator.ok_or_else(|| self.words.error_at(before, FilterReason::Operator))?;
        self.words.skip_blanks();
        Ok(Filter::Compare(path, operator, self.words.value()?))
    }
}

fn one_or(mut arms: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match arms.pop() {
        Some(only) if arms.is_empty() => only,
        Some(last) => {
            arms.push(last);
            many(arms)
        }
        None => many(arms),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
