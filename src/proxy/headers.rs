//! Which fields tell the app who is asking: planned once, rendered once per session, never per request.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use regex::Regex;

use super::assertion::Assertion;
use super::encode::{Left, encode, encode_list, survives};
use super::header_names::{self as names, Says};
use super::keys::AssertionKeys;
use super::template::Templates;
use super::told::Told;
use crate::clock::Timestamp;
use crate::config::{Encoding, Headers, Mistake, PublicUrl};
use crate::crypto::SignError;
use crate::identity::Identity;
use crate::metrics::{Kind, Metrics};
use crate::problem::Problem;
use crate::session::Session;

/// Why a person cannot be told to the app.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A value does not fit `headers.encoding`.
    #[error("value of {0} does not fit headers.encoding")]
    Encoding(HeaderName),
    /// The assertion could not be signed.
    #[error("assertion cannot be signed")]
    Sign(#[from] SignError),
    /// There is no key to sign with.
    #[error("there is no key for the assertion")]
    NoKey,
}

impl From<RenderError> for Problem {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Encoding(_) => Self::forbidden(
                "headers.encoding",
                "Your name holds characters that this application cannot take. Please ask your administrator.",
            )
            .because(error),
            RenderError::Sign(_) | RenderError::NoKey => Self::internal(error),
        }
    }
}

/// What the app is told of one person.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Set on every request with their identity.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// To be made again from then on.
    pub renew_at: Timestamp,
}

/// The plan, made once from the settings.
#[derive(Debug)]
pub struct HeaderPlan {
    fields: Vec<(HeaderName, Says)>,
    templates: Templates,
    groups_separator: String,
    groups_filter: Option<Regex>,
    most: usize,
    encoding: Encoding,
    lower: bool,
    assertion: Option<Assertion>,
    metrics: Arc<Metrics>,
}

impl HeaderPlan {
    /// Plans. Without `keys`, as for a check of the settings, an assertion cannot be signed.
    ///
    /// # Errors
    ///
    /// All mistakes at once: templates that cannot be read, names that an app could take for each other (R9),
    /// names that are not ours to set, a separator that no field can hold.
    pub fn new(
        settings: &Headers,
        public_url: &PublicUrl,
        keys: Option<Arc<AssertionKeys>>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = names::mistakes(settings);
        let mut templates = Templates::new();
        for (name, source) in &settings.set {
            if let Err(error) = templates.add(name.as_str(), source) {
                let why =
                    std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                mistakes.push(Mistake {
                    key: format!("headers.set.{name}"),
                    why: format!("is no template: {why}"),
                });
            }
        }
        let separator = &settings.groups_separator;
        if separator.is_empty() || !separator.bytes().all(|b| matches!(b, b' '..=b'~')) {
            mistakes.push(Mistake {
                key: "headers.groups_separator".to_owned(),
                why: "must be one or more printable ASCII characters".to_owned(),
            });
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let preset = names::preset(settings.preset).iter().cloned();
        let set = settings
            .set
            .iter()
            .map(|(name, _)| (name.clone(), Says::Template));
        Ok(Self {
            fields: preset.chain(set).collect(),
            templates,
            groups_separator: separator.clone(),
            groups_filter: settings.groups_filter.clone(),
            most: settings.max_value,
            encoding: settings.encoding,
            lower: settings.lower,
            assertion: settings
                .assertion
                .as_ref()
                .map(|its| Assertion::new(its, public_url, keys)),
            metrics,
        })
    }

    /// Every name that it may set: no client may send one of them, in any spelling (R7).
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let fields = self.fields.iter().map(|(name, _)| name);
        fields.chain(self.assertion.iter().map(Assertion::name))
    }

    /// What the app is told of this person under this session.
    ///
    /// # Errors
    ///
    /// A value does not fit the encoding, or the assertion could not be signed.
    pub fn render(
        &self,
        identity: &Identity,
        session: &Session,
        now: Timestamp,
    ) -> Result<Rendered, RenderError> {
        let told = self.told(identity);
        let mut headers = Vec::with_capacity(self.fields.len().saturating_add(1));
        let mut seen = None;
        for (name, says) in &self.fields {
            let value = match says {
                Says::UserName => encode(&told.user_name, self.encoding, self.most),
                Says::Email => encode(
                    identity.user.email().unwrap_or(""),
                    self.encoding,
                    self.most,
                ),
                Says::Name => {
                    let name = encode(&identity.user.display_name(), self.encoding, self.most);
                    // Nobody is known by it: no reason to keep somebody out whose name has an ’ or an ł.
                    if name == Err(Left::Misfit) {
                        self.count("encoding");
                        continue;
                    }
                    name
                }
                Says::Groups => self.list(&told.groups),
                Says::Roles => self.list(&told.roles),
                Says::Template => {
                    let seen = seen.get_or_insert_with(|| told.context(identity, session));
                    match self.templates.run(name.as_str(), seen, self.most) {
                        Ok(text) => encode(&text, self.encoding, self.most),
                        Err(error) => {
                            tracing::warn!(header = %name, cause = %error, "header template failed");
                            self.count("template");
                            continue;
                        }
                    }
                }
            };
            self.take(name, value, &mut headers)?;
        }
        let mut renew_at = Timestamp::from_secs(u64::MAX);
        if let Some(assertion) = &self.assertion {
            let token = assertion.sign(identity, &told, session, now)?;
            let value = encode(&token, Encoding::Utf8, self.most);
            self.take(assertion.name(), value, &mut headers)?;
            renew_at = assertion.renew_at(now);
        }
        Ok(Rendered { headers, renew_at })
    }

    fn take(
        &self,
        name: &HeaderName,
        value: Result<HeaderValue, Left>,
        headers: &mut Vec<(HeaderName, HeaderValue)>,
    ) -> Result<(), RenderError> {
        match value {
            Ok(value) => headers.push((name.clone(), value)),
            Err(Left::Empty) => {}
            Err(Left::TooLong) => self.count("too_long"),
            Err(Left::Control) => self.count("control_character"),
            Err(Left::Misfit) => return Err(RenderError::Encoding(name.clone())),
        }
        Ok(())
    }

    fn told<'a>(&self, identity: &'a Identity) -> Told<'a> {
        let user_name = if self.lower {
            identity.user.user_name.to_lowercase()
        } else {
            identity.user.user_name.clone()
        };
        let fits = |name: &&str| {
            let filter = self.groups_filter.as_ref();
            filter.is_none_or(|filter| filter.is_match(name))
        };
        let all: Vec<&str> = identity
            .groups
            .iter()
            .map(String::as_str)
            .filter(fits)
            .collect();
        Told {
            user_name,
            groups: self.unmistakable(&all),
            roles: self.unmistakable(
                &identity
                    .roles
                    .iter()
                    .map(|r| r.0.as_str())
                    .collect::<Vec<_>>(),
            ),
            all_groups: all,
        }
    }

    /// A group `a,admins` must not become two for the app: it is left out and counted. So is one that the encoding
    /// has no letters for: to be in fewer groups is to be let into less.
    fn unmistakable<'a>(&self, items: &[&'a str]) -> Vec<&'a str> {
        let keep = |item: &&str| {
            if !survives(item, &self.groups_separator, self.encoding) {
                self.count("separator");
                return false;
            }
            let fits = encode(item, self.encoding, usize::MAX) != Err(Left::Misfit);
            if !fits {
                self.count("encoding");
            }
            fits
        };
        items.iter().copied().filter(keep).collect()
    }

    fn list(&self, items: &[&str]) -> Result<HeaderValue, Left> {
        encode_list(items, &self.groups_separator, self.encoding, self.most)
    }

    fn count(&self, kind: &'static str) {
        self.metrics
            .headers_dropped
            .get_or_create(&Kind { kind })
            .inc();
    }
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
