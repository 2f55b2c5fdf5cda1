//! `[headers]`: what the app is told.

use std::time::Duration;

use http::HeaderName;
use regex::Regex;

use super::reader::Section;

/// `[headers]`
#[derive(Clone, Debug)]
pub struct Headers {
    /// Which ready-made set of names. Default forwarded.
    pub preset: Preset,
    /// Between groups, and between roles. Default `,`.
    pub groups_separator: String,
    /// Only groups that fit are sent; none sends all.
    pub groups_filter: Option<Regex>,
    /// A longer value is left out and counted, bytes. Default 8 KiB.
    pub max_value: usize,
    /// How characters outside ASCII travel. Default utf8.
    pub encoding: Encoding,
    /// The user name goes to the app in lower case. Default false.
    pub lower: bool,
    /// Further headers: name and template.
    pub set: Vec<(HeaderName, String)>,
    /// `[headers.assertion]`
    pub assertion: Option<Assertion>,
}

/// A ready-made set of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `X-Forwarded-User`, `-Email`, `-Preferred-Username`, `-Groups`, `-Roles`, `-Name`.
    Forwarded,
    /// `Remote-User`, `Remote-Email`, `Remote-Name`, `Remote-Groups`, `Remote-Roles`.
    RemoteUser,
    /// None of them.
    None,
}

/// How characters outside ASCII travel (RFC 9110 5.5 leaves it open).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes of UTF-8.
    Utf8,
    /// ISO-8859-1; a value that does not fit refuses the request.
    Latin1,
    /// Percent-encoding of the UTF-8 bytes.
    Percent,
    /// The whole value in base64url without padding.
    Base64url,
    /// ASCII only; anything else refuses the request.
    Ascii,
}

/// `[headers.assertion]`: a signed JWT for apps that verify.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Header name. Default `X-Sidegate-Assertion`.
    pub name: HeaderName,
    /// Signature algorithm. Default ES256.
    pub algorithm: Algorithm,
    /// From `iat` to `exp`. Default 60 s.
    pub lifetime: Duration,
}

/// Signature algorithms (RFC 7518 3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    Rs256,
}

impl Headers {
    pub(super) fn read(mut section: Section) -> Self {
        let presets = [
            ("forwarded", Preset::Forwarded),
            ("remote-user", Preset::RemoteUser),
            ("none", Preset::None),
        ];
        let encodings = [
            ("utf8", Encoding::Utf8),
            ("latin1", Encoding::Latin1),
            ("percent", Encoding::Percent),
            ("base64url", Encoding::Base64url),
            ("ascii", Encoding::Ascii),
        ];
        let filter = section.text("groups_filter", "");
        let groups_filter = (!filter.is_empty())
            .then(|| section.parse_text("groups_filter", &filter))
            .flatten();
        let set = section
            .texts("set")
            .into_iter()
            .filter_map(|(name, template)| Some((section.parse_text("set", &name)?, template)))
            .collect();
        let assertion = section
            .has("assertion")
            .then(|| Assertion::read(section.section("assertion")));
        Self {
            preset: section.choice("preset", &presets, Preset::Forwarded),
            groups_separator: section.text("groups_separator", ","),
            groups_filter,
            max_value: section.size("max_value", 8 * 1024, 64..=64 * 1024),
            encoding: section.choice("encoding", &encodings, Encoding::Utf8),
            lower: section.flag("lower", false),
            set,
            assertion,
        }
    }
}

impl Assertion {
    fn read(mut section: Section) -> Self {
        let algorithms = [
            ("ES256", Algorithm::Es256),
            ("EdDSA", Algorithm::EdDsa),
            ("RS256", Algorithm::Rs256),
        ];
        let (least, most) = (Duration::from_secs(10), Duration::from_hours(1));
        Self {
            name: section
                .parsed("name", "X-Sidegate-Assertion")
                .unwrap_or(HeaderName::from_static("x-sidegate-assertion")),
            algorithm: section.choice("algorithm", &algorithms, Algorithm::Es256),
            lifetime: section.duration("lifetime", Duration::from_mins(1), least..=most),
        }
    }
}
