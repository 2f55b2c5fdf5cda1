//! `[session]`, `[local]`, `[pages]`, `[paths]`.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::reader::Section;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// Largest logo, bytes: it goes into every page.
const MAX_LOGO: u64 = 64 * 1024;

/// `[session]`
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// A session unused for this long ends. Default 1 h.
    pub idle: Duration,
    /// No session outlives this. Default 10 h.
    pub absolute: Duration,
    /// `SameSite` of the session cookie. Default lax.
    pub same_site: SameSite,
}

/// RFC 6265bis 5.6.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Only requests of the same site.
    Strict,
    /// And top-level navigations.
    Lax,
    /// Every request; needs https.
    None,
}

impl SessionSettings {
    pub(super) fn read(mut section: Section) -> Self {
        let same_site = [
            ("strict", SameSite::Strict),
            ("lax", SameSite::Lax),
            ("none", SameSite::None),
        ];
        let read = Self {
            idle: section.duration("idle", HOUR, MINUTE..=Duration::from_hours(24 * 30)),
            absolute: section.duration(
                "absolute",
                Duration::from_hours(10),
                MINUTE..=Duration::from_hours(24 * 90),
            ),
            same_site: section.choice("same_site", &same_site, SameSite::Lax),
        };
        if read.idle > read.absolute {
            section.mistake("idle", "is longer than session.absolute");
        }
        read
    }
}

/// `[local]`: accounts with a password of ours.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Whether anybody can sign in this way. Default false.
    pub enabled: bool,
    /// Shortest new password, characters. Default 10.
    pub min_length: u32,
    /// bcrypt cost of new hashes. Default 12.
    pub bcrypt_cost: u32,
}

impl Local {
    pub(super) fn read(mut section: Section) -> Self {
        Self {
            enabled: section.flag("enabled", false),
            min_length: section.number("min_length", 10, 8..=64),
            bcrypt_cost: section.number("bcrypt_cost", 12, 4..=16),
        }
    }
}

/// `[pages]`: how our few pages look.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// Name of the app or company on every page.
    pub name: String,
    /// A small picture (SVG, PNG or JPEG, at most 64 KiB), put into the page itself.
    pub logo: Option<Logo>,
    /// Colour of buttons and links as `#rrggbb`; empty is the default blue.
    pub colour: String,
    /// Whom to ask when access is refused: a text, or an e-mail address.
    pub contact: String,
}

/// The logo's bytes and media type.
#[derive(Clone, Debug)]
pub struct Logo {
    /// `image/svg+xml`, `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl Pages {
    pub(super) fn read(mut section: Section) -> Self {
        let name = section.text("name", "");
        let logo = section
            .file("logo_file")
            .and_then(|file| read_logo(&section, &file));
        let colour = section.text("colour", "");
        let hex = |text: &str| {
            text.len() == 7
                && text.starts_with('#')
                && text.chars().skip(1).all(|c| c.is_ascii_hexdigit())
        };
        if !colour.is_empty() && !hex(&colour) {
            section.mistake("colour", format!("is {colour:?}; must be #rrggbb"));
        }
        Self {
            name,
            logo,
            colour: if hex(&colour) { colour } else { String::new() },
            contact: section.text("contact", ""),
        }
    }
}

fn read_logo(section: &Section, file: &Path) -> Option<Logo> {
    let ending = file.extension().and_then(|ending| ending.to_str());
    let media_type = match ending {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => {
            section.mistake("logo_file", "must end in .svg, .png or .jpg");
            return None;
        }
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| {
        file.take(MAX_LOGO.saturating_add(1))
            .read_to_end(&mut bytes)
    });
    match read {
        Ok(size) if u64::try_from(size).is_ok_and(|size| size <= MAX_LOGO) => {
            Some(Logo { media_type, bytes })
        }
        Ok(_) => {
            section.mistake("logo_file", "is larger than 64 KiB");
            None
        }
        Err(error) => {
            section.mistake("logo_file", format!("{}: {error}", file.display()));
            None
        }
    }
}

/// `[paths]`: each prefix of ours can be moved, because the app may own one of them.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Sign-in pages, `whoami`, keys. Default `/.sidegate`.
    pub own: String,
    /// OpenID Connect. Default `/oidc`.
    pub oidc: String,
    /// SAML. Default `/saml2`.
    pub saml: String,
    /// SCIM. Default `/scim/v2`.
    pub scim: String,
}

impl Paths {
    pub(super) fn read(mut section: Section) -> Self {
        let read = Self {
            own: section.text("own", "/.sidegate"),
            oidc: section.text("oidc", "/oidc"),
            saml: section.text("saml", "/saml2"),
            scim: section.text("scim", "/scim/v2"),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        let all = [
            ("own", &read.own),
            ("oidc", &read.oidc),
            ("saml", &read.saml),
            ("scim", &read.scim),
        ];
        for (key, path) in all {
            let odd = !path.starts_with('/')
                || path.len() < 2
                || path.ends_with('/')
                || path.contains("//")
                || path
                    .split('/')
                    .any(|segment| segment == "." || segment == "..");
            if odd || !path.chars().all(plain) {
                section.mistake(
                    key,
                    format!(
                        "is {path:?}; must be a plain path such as /sso, without a slash at its end"
                    ),
                );
            }
        }
        let below = |one: &str, other: &str| one == other || one.starts_with(&format!("{other}/"));
        for (number, (key, path)) in all.iter().enumerate() {
            for (other, its) in all.iter().take(number) {
                if below(path, its) || below(its, path) {
                    let why =
                        format!("and paths.{other} must not be the same or lie below each other");
                    section.mistake(key, why);
                }
            }
        }
        read
    }
}
