//! `[[idp]]` with `kind = "saml"`.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Section;
use super::value::SafeUrl;
use crate::secret::Secret;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// `kind = "saml"`
#[derive(Clone, Debug)]
pub struct Saml {
    /// Where the idp's metadata comes from.
    pub metadata: MetadataSource,
    /// How often it is asked for again. Default 6 hours.
    pub metadata_refresh: Duration,
    /// PEM of the certificate that must have signed the metadata; none trusts the way that it came.
    pub metadata_certificate: Option<Secret>,
    /// Which entity of an aggregate is meant; none is the only one.
    pub idp_entity_id: Option<String>,
    /// The idp may begin a sign-in by itself (R42). Default no.
    pub idp_initiated: bool,
    /// Requests are signed. Default no.
    pub sign_requests: bool,
    /// How requests travel. Default by HTTP-Redirect.
    pub binding: Binding,
    /// A response that is not signed as a whole is refused, whatever the assertion in it. Default no.
    pub signed_response: bool,
    /// The only format of `NameID` that is asked for; none leaves it to the idp.
    pub name_id_format: Option<String>,
    /// How people prove there who they are.
    pub proof: ProofWanted,
    /// PEM of our key: decrypts, and signs where requests are signed.
    pub key: Option<Secret>,
    /// PEM of its certificate.
    pub certificate: Option<Secret>,
    /// PEM of the other key of a roll: it decrypts what idps send that still have its certificate.
    pub previous_key: Option<Secret>,
    /// PEM of its certificate, for our metadata: idps take signatures of both keys then.
    pub previous_certificate: Option<Secret>,
    /// Our entity ID, when the idp was told another one than our metadata's address.
    pub entity_id: Option<String>,
    /// PEM of the authorities that sign the certificate of the metadata's host, besides the machine's.
    pub ca_file: Option<PathBuf>,
}

/// How people shall prove at the idp who they are.
#[derive(Clone, Debug)]
pub struct ProofWanted {
    /// `authn_context`: in one of these ways, as `AuthnContextClassRef`s (Core 3.3.2.2.1); empty leaves it to the idp. With
    /// Entra: AADSTS75011 for everybody who came in otherwise. Default empty.
    pub context: Vec<String>,
    /// `authn_context_comparison`: what an answer's class must be to those. Default exact, which is also checked in the
    /// answer.
    pub comparison: Comparison,
    /// `force_authn`: anew, whenever a sign-in begins here; one that begins at the idp, within the last ten minutes. Default no.
    pub anew: bool,
}

impl ProofWanted {
    /// Classes of which an answer's must be one; empty allows any.
    pub fn demanded(&self) -> &[String] {
        match self.comparison {
            Comparison::Exact => &self.context,
            // Which class is the stronger one is the idp's to know.
            Comparison::Minimum | Comparison::Maximum | Comparison::Better => &[],
        }
    }
}

/// Where an idp's metadata comes from.
#[derive(Clone, Debug)]
pub enum MetadataSource {
    /// Fetched again and again.
    Url(SafeUrl),
    /// Read again when it changes.
    File(PathBuf),
}

/// How a request to sign in travels (Bindings 3.4, 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// In an address.
    Redirect,
    /// In a form.
    Post,
}

/// What the class of an answer must be to those that were asked for (Core 3.3.2.2.1). Only the idp knows an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// One of them.
    Exact,
    /// At least as strong as one of them.
    Minimum,
    /// As strong as can be, and no stronger than one of them.
    Maximum,
    /// Stronger than each of them.
    Better,
}

impl Comparison {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Better => "better",
        }
    }
}

impl Saml {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let metadata = MetadataSource::read(section);
        let bindings = [("redirect", Binding::Redirect), ("post", Binding::Post)];
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let read = Self {
            metadata_refresh: section.duration(
                "metadata_refresh",
                HOUR.saturating_mul(6),
                MINUTE..=DAY.saturating_mul(7),
            ),
            metadata_certificate: section
                .secret("metadata_certificate", "metadata_certificate_file"),
            idp_entity_id: text(section.optional("idp_entity_id")),
            idp_initiated: section.flag("idp_initiated", false),
            sign_requests: section.flag("sign_requests", false),
            binding: section.choice("binding", &bindings, Binding::Redirect),
            signed_response: section.flag("signed_response", false),
            name_id_format: text(section.optional("name_id_format")),
            proof: ProofWanted::read(section),
            key: section.secret("key", "key_file"),
            certificate: section.secret("certificate", "certificate_file"),
            previous_key: section.secret("previous_key", "previous_key_file"),
            previous_certificate: section
                .secret("previous_certificate", "previous_certificate_file"),
            entity_id: text(section.optional("entity_id")),
            ca_file: section.file("ca_file"),
            metadata: metadata?,
        };
        if read.key.is_some() != read.certificate.is_some() {
            section.mistake("key", "and certificate stand together, or neither");
        }
        if read.sign_requests && read.key.is_none() {
            section.mistake("sign_requests", "needs key_file and certificate_file");
        }
        if read.previous_key.is_some() && read.key.is_none() {
            section.mistake("previous_key", "is nothing without key_file");
        }
        if read.previous_certificate.is_some() && read.previous_key.is_none() {
            section.mistake(
                "previous_certificate",
                "is nothing without previous_key_file",
            );
        }
        Some(read)
    }
}

impl MetadataSource {
    fn read(section: &mut Section) -> Option<Self> {
        let url = section
            .optional("metadata_url")
            .filter(|text| !text.is_empty());
        let file = section.file("metadata_file");
        match (url, file) {
            (Some(url), None) => section
                .parse_text("metadata_url", &url)
                .map(MetadataSource::Url),
            (None, Some(file)) => Some(MetadataSource::File(file)),
            (Some(_), Some(_)) => {
                section.mistake(
                    "metadata_url",
                    "stands beside metadata_file; exactly one of the two",
                );
                None
            }
            (None, None) => {
                section.mistake("metadata_url", "is missing; this, or metadata_file");
                None
            }
        }
    }
}

impl ProofWanted {
    fn read(section: &mut Section) -> Self {
        let comparisons = [
            Comparison::Exact,
            Comparison::Minimum,
            Comparison::Maximum,
            Comparison::Better,
        ]
        .map(|one| (one.as_str(), one));
        let read = Self {
            context: section.list("authn_context", &[]),
            comparison: section.choice("authn_context_comparison", &comparisons, Comparison::Exact),
            anew: section.flag("force_authn", false),
        };
        if read.context.iter().any(|class| class.trim().is_empty()) {
            section.mistake("authn_context", "holds an empty text");
        }
        read
    }
}
