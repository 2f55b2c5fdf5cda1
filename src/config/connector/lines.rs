//! On which line of a file a key stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line of a key, counted from 1: `users.create.call`, `errors[2].is`. Of a key that is not there, the line of
/// what holds it.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let at = find(table.get_ref(), key)?;
    let before = text.get(..at)?;
    Some(before.matches('\n').count().saturating_add(1))
}

fn find(table: &DeTable<'_>, key: &str) -> Option<usize> {
    for (name, value) in table {
        let Some(rest) = key.strip_prefix(name.get_ref().as_ref()) else {
            continue;
        };
        let here = name.span().start;
        if rest.is_empty() {
            return Some(here);
        }
        let inside = match rest.strip_prefix('.') {
            Some(rest) => within(value, rest),
            None => item(value, rest),
        };
        if let Some(found) = inside {
            return Some(found);
        }
        if rest.starts_with(['.', '[']) {
            return Some(here);
        }
    }
    None
}

fn within(value: &Spanned<DeValue<'_>>, rest: &str) -> Option<usize> {
    find(value.get_ref().as_table()?, rest)
}

/// `[2].is` of an array of tables.
fn item(value: &Spanned<DeValue<'_>>, rest: &str) -> Option<usize> {
    let (number, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let item = value
        .get_ref()
        .as_array()?
        .get(number.parse::<usize>().ok()?)?;
    let inside = rest.strip_prefix('.').and_then(|rest| within(item, rest));
    Some(inside.unwrap_or_else(|| item.span().start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines() {
        let text = "[api]\nname = 'x'\n[users.find.\"emails.value\"]\ncall = 'y'\n[[errors]]\nis = 'ok'\n[[errors]]\nis = 'no'\n";
        for (key, want) in [
            ("api.name", Some(2)),
            ("users.find.emails.value.call", Some(4)),
            ("errors[1].is", Some(8)),
            ("errors[1].status", Some(7)),
            ("api.base", Some(1)),
            ("groups", None),
        ] {
            assert_eq!(line_of(text, key), want, "{key}");
        }
    }
}
