//! Start tags of a page, as far as finding a form's hidden fields needs it.
//!
//! A strict scan by the tokenizer of HTML (13.2.5): comments, raw texts, quoted and bare attributes. No tree is built:
//! browsers' repairs of wrong nesting do not move an `<input>` out of the form that it stands in. It takes time and
//! space in proportion to the page, and never fails: what is no tag is text.

/// Elements whose content is text (HTML 13.1.2).
const RAW: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];

/// A tag and what its attributes say, in the order of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// In lower case.
    pub(super) name: String,
    /// `</name>`
    pub(super) closes: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// What an attribute says; the first counts.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// All tags of a page.
pub(super) struct Tags<'a> {
    rest: &'a str,
}

impl<'a> Tags<'a> {
    pub(super) const fn of(page: &'a str) -> Self {
        Self { rest: page }
    }

    /// Goes on behind the first of these, or to the end.
    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }

    fn skip_raw(&mut self, name: &str) {
        while let Some((_, rest)) = self.rest.split_once("</") {
            let ends = rest
                .get(..name.len())
                .is_some_and(|its| its.eq_ignore_ascii_case(name));
            if ends {
                // The closing tag itself is of no interest.
                self.rest = rest;
                return self.skip_past(">");
            }
            self.rest = rest;
        }
        self.rest = "";
    }

    /// Takes what fits.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Behind the name: attributes up to `>`.
    fn attributes(&mut self) -> Vec<(String, String)> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        loop {
            self.take(|c| is_space(c) || c == '/');
            if self.rest.is_empty() {
                return attributes;
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                return attributes;
            }
            // An equals sign that begins a name belongs to it.
            let first = self.rest.strip_prefix('=').map_or("", |rest| {
                self.rest = rest;
                "="
            });
            let name = self.take(|c| !is_space(c) && !['/', '>', '='].contains(&c));
            let name = format!("{first}{}", name.to_ascii_lowercase());
            self.take(is_space);
            let value = match self.rest.strip_prefix('=') {
                Some(rest) => {
                    self.rest = rest;
                    self.value()
                }
                None => String::new(),
            };
            attributes.push((name, value));
        }
    }

    fn value(&mut self) -> String {
        self.take(is_space);
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (value, rest) = rest.split_once(quote).unwrap_or((rest, ""));
                self.rest = rest;
                return unescaped(value);
            }
        }
        unescaped(self.take(|c| !is_space(c) && c != '>'))
    }
}

impl Iterator for Tags<'_> {
    type Item = Tag;

    fn next(&mut self) -> Option<Tag> {
        loop {
            let (_, rest) = self.rest.split_once('<')?;
            self.rest = rest;
            if let Some(comment) = rest.strip_prefix("!--") {
                self.rest = comment;
                // `<!-->` and `<!--->` are whole comments.
                match comment
                    .strip_prefix('>')
                    .or_else(|| comment.strip_prefix("->"))
                {
                    Some(rest) => self.rest = rest,
                    None => self.skip_past("-->"),
                }
                continue;
            }
            if rest.starts_with(['!', '?']) {
                self.skip_past(">");
                continue;
            }
            let closes = rest.starts_with('/');
            let inside = rest.strip_prefix('/').unwrap_or(rest);
            if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            self.rest = inside;
            let name = self.take(|c| !is_space(c) && c != '/' && c != '>');
            let name = name.to_ascii_lowercase();
            let attributes = self.attributes();
            if !closes && RAW.contains(&name.as_str()) {
                self.skip_raw(&name);
            }
            return Some(Tag {
                name,
                closes,
                attributes,
            });
        }
    }
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// Longest character reference that is known, with its `;`: `&#x10FFFF;`. What follows `&` is looked at so far, so that
/// a page of nothing but `&` is read in one go, too.
const MAX_REFERENCE: usize = 10;

/// Character references that apps write into values; any other stays as it is.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let near = after.bytes().take(MAX_REFERENCE).position(|b| b == b';');
        let reference = near.and_then(|at| {
            let (name, behind) = after.split_at_checked(at)?;
            Some((character(name)?, behind.strip_prefix(';')?))
        });
        let (c, behind) = reference.unwrap_or(('&', after));
        text.push(c);
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn character(name: &str) -> Option<char> {
    let hex = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X"));
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => match hex {
            Some(digits) => char::from_u32(u32::from_str_radix(digits, 16).ok()?)?,
            None => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
        },
    })
}
