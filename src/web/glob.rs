//! Path globs of rules and settings.

use super::path::{PathError, RequestPath};
use super::reading;
use super::spelling;

/// A path glob of a rule or a setting.
///
/// `*` is any run of characters inside one segment; a segment that is only `*` needs at least one.
/// `/**` at the end is the path itself and everything below it: `/admin/**` is `/admin`, `/admin/` and `/admin/x`.
/// One slash at the end makes no difference, because apps seldom see one: `/admin` is also `/admin/`, and the
/// other way round. Case matters. The pattern's own text is read like a path: `/%61dmin` is `/admin`, and
/// `%2A` is a star that stands for itself.
#[derive(Clone, Debug)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    below: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    /// What stands before the first, between, and after the last `*`.
    Glob(Vec<String>),
}

impl PathPattern {
    /// Reads a glob.
    ///
    /// # Errors
    ///
    /// The glob could never match a path that we let through.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let canonical = spelling::canonical(text)?;
        // A pattern that is odd itself would never agree with all readings of a path.
        let deepest = reading::deepest(&canonical.text)?;
        if deepest != reading::plain(&canonical.text) {
            return Err(PathError::Unreachable);
        }
        let text = canonical.text;
        let (path, below) = match text.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (text.as_str(), false),
        };
        if path.contains("**") {
            return Err(PathError::Glob);
        }
        let segments = segments_of(path).map(Segment::read).collect();
        Ok(Self {
            text,
            segments,
            below,
        })
    }

    /// Its text in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path fits.
    pub fn matches(&self, path: &RequestPath) -> bool {
        self.matches_text(path.plain())
    }

    /// Whether one reading of a path fits.
    pub fn matches_text(&self, path: &str) -> bool {
        let mut parts = segments_of(path);
        for segment in &self.segments {
            match parts.next() {
                Some(part) if segment.matches(part) => {}
                _ => return false,
            }
        }
        self.below || parts.next().is_none()
    }
}

/// Segments without the empty one that a slash at the end makes; `/` has none.
fn segments_of(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let none = inner.is_empty() && path.len() < 2;
    inner.split('/').filter(move |_| !none)
}

impl Segment {
    fn read(canonical: &str) -> Self {
        if canonical.contains('*') {
            Self::Glob(canonical.split('*').map(reading::plain).collect())
        } else {
            Self::Literal(reading::plain(canonical))
        }
    }

    fn matches(&self, part: &str) -> bool {
        let pieces = match self {
            Self::Literal(text) => return text == part,
            Self::Glob(pieces) => pieces,
        };
        let Some((last, firsts)) = pieces.split_last() else {
            return false;
        };
        let Some((first, middle)) = firsts.split_first() else {
            return false;
        };
        let Some(mut rest) = part.strip_prefix(first.as_str()) else {
            return false;
        };
        // The earliest place for each piece leaves the most for the next: no going back, linear time.
        for piece in middle {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last.as_str()) && !part.is_empty()
    }
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
