//! One pass over the bytes before any parser: what a parser could be made to work hard for is counted here, and what
//! no message of SAML needs is not let through.

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::is_space;

/// How much of everything a document may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of text.
    pub(super) bytes: usize,
    /// Tags, opening and closing.
    pub(super) tags: usize,
    /// Elements in each other (R46).
    pub(super) depth: usize,
    /// Attributes of one element, with namespace declarations.
    pub(super) attributes: usize,
    /// Attributes of all elements, likewise.
    pub(super) all_attributes: usize,
    /// Namespace declarations in scope at once: canonicalisation looks at all of them for every element.
    pub(super) declarations: usize,
    /// IDs.
    pub(super) ids: usize,
}

/// Refuses what exceeds `limits`, but for IDs, and DTDs, entities, processing instructions and control characters (R44, R47).
/// Well-formedness is the parser's to judge.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), Refusal> {
    at_most("bytes", text.len(), limits.bytes)?;
    if let Some(letter) = text.chars().find(|c| c.is_ascii_control() && !is_space(*c)) {
        return Err(Refusal::new(
            Check::Xml,
            "no control characters",
            format!("U+{:04X}", u32::from(letter)),
        ));
    }
    let mut rest = text;
    let (mut tags, mut attributes) = (0_usize, 0_usize);
    // Namespace declarations of each open element.
    let mut open: Vec<usize> = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = past(comment, "-->")?;
            continue;
        }
        if let Some(data) = after.strip_prefix("![CDATA[") {
            rest = past(data, "]]>")?;
            continue;
        }
        // R47: no DTD, so no entities; R44: no processing instructions.
        if after.starts_with(['!', '?']) {
            return Err(Refusal::new(
                Check::Xml,
                "no DTD and no processing instructions",
                "one",
            ));
        }
        let tag = Tag::read(after)?;
        rest = tag.rest;
        tags = tags.saturating_add(1);
        at_most("tags", tags, limits.tags)?;
        at_most("attributes", tag.attributes, limits.attributes)?;
        attributes = attributes.saturating_add(tag.attributes);
        at_most("attributes in all", attributes, limits.all_attributes)?;
        if tag.closes {
            open.pop();
            continue;
        }
        let declared = open.iter().sum::<usize>().saturating_add(tag.declarations);
        at_most("namespaces", declared, limits.declarations)?;
        at_most("levels", open.len().saturating_add(1), limits.depth)?;
        if !tag.is_empty {
            open.push(tag.declarations);
        }
    }
    Ok(())
}

pub(super) fn at_most(what: &str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count <= limit {
        return Ok(());
    }
    Err(Refusal::new(
        Check::Limits,
        format!("at most {limit} {what}"),
        "more",
    ))
}

fn past<'a>(text: &'a str, end: &str) -> Result<&'a str, Refusal> {
    let parts = text.split_once(end);
    parts.map(|(_, rest)| rest).ok_or_else(|| unended(end))
}

fn unended(end: &str) -> Refusal {
    Refusal::new(
        Check::Xml,
        format!("{end} at the end of what it ends"),
        "none",
    )
}

/// A tag, counted.
struct Tag<'a> {
    closes: bool,
    is_empty: bool,
    attributes: usize,
    declarations: usize,
    rest: &'a str,
}

impl<'a> Tag<'a> {
    /// `after` begins behind the `<`.
    fn read(after: &'a str) -> Result<Self, Refusal> {
        let mut quote = None;
        let mut before = '<';
        let (mut attributes, mut declarations) = (0_usize, 0_usize);
        for (at, letter) in after.char_indices() {
            match quote {
                Some(open) if open == letter => quote = None,
                None if matches!(letter, '"' | '\'') => {
                    quote = Some(letter);
                    attributes = attributes.saturating_add(1);
                }
                None if letter == '>' => {
                    return Ok(Self {
                        closes: after.starts_with('/'),
                        is_empty: before == '/',
                        attributes,
                        declarations,
                        rest: after.get(at.saturating_add(1)..).unwrap_or_default(),
                    });
                }
                None if is_space(before) => {
                    let name = after.get(at..).unwrap_or_default();
                    if name.starts_with("xmlns") {
                        declarations = declarations.saturating_add(1);
                    }
                }
                Some(_) | None => {}
            }
            before = letter;
        }
        Err(unended(">"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 400,
        tags: 8,
        depth: 3,
        attributes: 2,
        all_attributes: 5,
        declarations: 3,
        ids: 0,
    };

    #[test]
    fn r46_r47_what_is_let_through() {
        let long = format!("<a>{}</a>", "x".repeat(400));
        for (text, want) in [
            ("<a><b c='>' d=\"/>\"/></a>", None),
            (
                "<a><!-- < > <b> --><![CDATA[<!DOCTYPE <b> ]] >]]></a>",
                None,
            ),
            (
                "<a xmlns='u'><b xmlns:x='u'/><b xmlns:x='u' xmlns:y='u'/></a>",
                None,
            ),
            ("\t\r\n<a>\u{85}</a>", None),
            ("<!DOCTYPE a><a/>", Some(Check::Xml)),
            ("<a><!ENTITY b 'c'></a>", Some(Check::Xml)),
            ("<a><?b c?></a>", Some(Check::Xml)),
            ("<?xml version='1.0'?><a/>", Some(Check::Xml)),
            ("<a>\u{0}</a>", Some(Check::Xml)),
            ("<a>\u{1b}</a>", Some(Check::Xml)),
            ("<a>\u{7f}</a>", Some(Check::Xml)),
            ("<a b='c>", Some(Check::Xml)),
            ("<a><!-- ", Some(Check::Xml)),
            ("<a><![CDATA[ ", Some(Check::Xml)),
            ("<a><b><c/></b></a>", None),
            ("<a><b><c><d/></c></b></a>", Some(Check::Limits)),
            ("<a b='' c='' d=''/>", Some(Check::Limits)),
            ("<a b='' c=''><a b='' c=''/><a b=''/></a>", None),
            (
                "<a b='' c=''><a b='' c=''/><a b='' c=''/></a>",
                Some(Check::Limits),
            ),
            ("<a/><a/><a/><a/><a/><a/><a/><a/><a/>", Some(Check::Limits)),
            (
                "<a xmlns:a='u' xmlns:b='u'><b xmlns:c='u' xmlns:d='u'/></a>",
                Some(Check::Limits),
            ),
            (&long, Some(Check::Limits)),
        ] {
            let found = scan(text, &LIMITS).err().map(|refusal| refusal.check());
            assert_eq!(found, want, "{text}");
        }
    }
}
