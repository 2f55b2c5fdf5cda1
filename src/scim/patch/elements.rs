//! Elements of a multi-valued attribute: which are meant, and what becomes of them.

use serde_json::{Map, Value};

use super::error::PatchError;
use super::{MAX_VALUES, Operation, Target, single};
use crate::scim::filter::Filter;
use crate::scim::schema::{Attribute, Mutability, ResourceType, Schema};

/// A multi-valued attribute, and where in it an operation works.
pub(super) struct Elements<'a> {
    pub(super) kind: &'a ResourceType,
    pub(super) schema: Option<&'a Schema>,
    pub(super) attribute: &'a Attribute,
    pub(super) target: &'a Target,
}

impl Elements<'_> {
    /// Does the operation on the attribute in its home: the resource, or an extension's object.
    pub(super) fn change(
        &self,
        home: &mut Map<String, Value>,
        part: Option<&Attribute>,
        operation: &Operation,
    ) -> Result<(), PatchError> {
        let name = &self.attribute.name;
        let old = home.remove(name);
        if self.attribute.mutability == Mutability::Immutable && old.is_some() {
            return Err(PatchError::Immutable(name.clone()));
        }
        let mut list = match old {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(one) => vec![one],
        };
        let touched = match operation {
            Operation::Remove(_, values) => {
                self.remove(&mut list, part, values.as_deref())?;
                Vec::new()
            }
            Operation::Add(_, value) | Operation::Replace(_, value) => {
                let add = matches!(operation, Operation::Add(..));
                match (&self.target.filter, part) {
                    (None, None) => self.whole(&mut list, add, value),
                    (None, Some(part)) => self.part_of_all(&mut list, part, value)?,
                    (Some(filter), part) => self.selected(&mut list, add, filter, part, value)?,
                }
            }
        };
        if list.len() > MAX_VALUES {
            return Err(PatchError::ManyValues(name.clone()));
        }
        one_primary(&mut list, &touched);
        if !list.is_empty() {
            home.insert(name.clone(), Value::Array(list));
        }
        Ok(())
    }

    /// RFC 7644 3.5.2.1, 3.5.2.3: adds what is not there, or replaces everything. Gives which are new.
    fn whole(&self, list: &mut Vec<Value>, add: bool, value: &Value) -> Vec<usize> {
        let new = match value {
            Value::Null => &[],
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        if !add {
            list.clear();
            list.extend_from_slice(new);
            return (0..list.len()).collect();
        }
        new.iter().map(|value| join(list, value)).collect()
    }

    /// `emails.value` without a filter: of every element (RFC 7644 3.5.2), of a first one where there is none.
    fn part_of_all(
        &self,
        list: &mut Vec<Value>,
        part: &Attribute,
        value: &Value,
    ) -> Result<Vec<usize>, PatchError> {
        if list.is_empty() && !value.is_null() {
            list.push(Value::Object(Map::new()));
        }
        for element in list.iter_mut() {
            self.set(element, part, value)?;
        }
        Ok((0..list.len()).collect())
    }

    /// Those that fit the filter; where none does, a new one made from it.
    fn selected(
        &self,
        list: &mut Vec<Value>,
        add: bool,
        filter: &Filter,
        part: Option<&Attribute>,
        value: &Value,
    ) -> Result<Vec<usize>, PatchError> {
        let test = self.test(filter)?;
        let fitting: Vec<_> = (0..)
            .zip(list.iter())
            .filter(|(_, element)| self.fits(&test, element))
            .map(|(index, _)| index)
            .collect();
        if fitting.is_empty() {
            if value.is_null() {
                return Ok(Vec::new());
            }
            let new = self
                .made(filter, part, value)
                .filter(|new| self.fits(&test, new));
            let new = new.ok_or_else(|| PatchError::NoTarget(self.target.to_string()))?;
            list.push(new);
            return Ok(vec![list.len().saturating_sub(1)]);
        }
        if part.is_none() && value.is_null() {
            list.retain(|element| !self.fits(&test, element));
            return Ok(Vec::new());
        }
        for index in &fitting {
            let Some(element) = list.get_mut(*index) else {
                continue;
            };
            match (part, &mut *element, value) {
                (Some(part), ..) => self.set(element, part, value)?,
                (None, Value::Object(parts), Value::Object(new)) if add => {
                    parts.extend(new.clone());
                }
                // RFC 7644 3.5.2.3: the whole value is replaced; what it was found by stays true.
                (None, ..) => {
                    let new = self.made(filter, None, value);
                    *element = new.unwrap_or_else(|| value.clone());
                }
            }
        }
        Ok(fitting)
    }

    /// RFC 7644 3.5.2.2; `values` are those that are meant, where no filter says so.
    fn remove(
        &self,
        list: &mut Vec<Value>,
        part: Option<&Attribute>,
        values: Option<&[Value]>,
    ) -> Result<(), PatchError> {
        let filter = self.target.filter.as_ref();
        let test = filter.map(|filter| self.test(filter)).transpose()?;
        let meant = |element: &Value| match (&test, values) {
            (Some(test), _) => self.fits(test, element),
            (None, Some(values)) => values.iter().any(|value| self.is_meant(value, element)),
            (None, None) => true,
        };
        match part {
            None => list.retain(|element| !meant(element)),
            Some(part) => {
                for element in list.iter_mut().filter(|element| meant(element)) {
                    if let Value::Object(parts) = element {
                        parts.remove(&part.name);
                    }
                }
            }
        }
        Ok(())
    }

    fn set(&self, element: &mut Value, part: &Attribute, value: &Value) -> Result<(), PatchError> {
        let Value::Object(parts) = element else {
            return Ok(());
        };
        let at = self.target.to_string();
        single::check_immutable(part, &at, parts.get(&part.name), Some(value))?;
        match value {
            Value::Null => parts.remove(&part.name),
            value => parts.insert(part.name.clone(), value.clone()),
        };
        Ok(())
    }
}

/// Adds an element, unless one is the same thing: then its parts are set. Gives where it is.
fn join(list: &mut Vec<Value>, new: &Value) -> usize {
    let is = |element: &Value| match (element, new) {
        (Value::Object(old), Value::Object(new)) if new.contains_key("value") => {
            let either = old.get("type").zip(new.get("type"));
            old.get("value") == new.get("value") && either.is_none_or(|(old, new)| old == new)
        }
        (element, new) => element == new,
    };
    let Some(index) = list.iter().position(is) else {
        list.push(new.clone());
        return list.len().saturating_sub(1);
    };
    if let (Some(Value::Object(old)), Value::Object(new)) = (list.get_mut(index), new) {
        old.extend(new.clone());
    }
    index
}

/// RFC 7643 2.4: `primary` is true at most once. What has just come has it, the first of several.
fn one_primary(list: &mut [Value], touched: &[usize]) {
    let is_primary = |element: &Value| element.get("primary") == Some(&Value::Bool(true));
    let newest = |index: &&usize| list.get(**index).is_some_and(is_primary);
    let Some(keeper) = touched.iter().find(newest).copied() else {
        return;
    };
    for (index, element) in list.iter_mut().enumerate() {
        if index != keeper && is_primary(element) {
            if let Value::Object(parts) = element {
                parts.insert("primary".to_owned(), Value::Bool(false));
            }
        }
    }
}

#[cfg(test)]
#[path = "elements_tests.rs"]
mod tests;
