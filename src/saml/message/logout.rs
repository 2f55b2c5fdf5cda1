//! Sign-out messages from the idp (Core 3.7): read, and believed as far as they are signed.

use roxmltree::Node;

use super::Role;
use super::inbound::RedirectQuery;
use super::message_check::{MAX_AGE, check};
use crate::clock::Timestamp;
use crate::crypto::sha256;
use crate::saml::decode::posted;
use crate::saml::once::OneTime;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::Screened;
use crate::saml::signature;
use crate::saml::time::{SKEW, is_over, moment_of};
use crate::saml::verify::{NameId, Trust, status};
use crate::saml::xml::{ASSERTION, PROTOCOL, attribute, children, optional, text};

/// More sessions than one person has.
const MAX_SESSIONS: usize = 64;

/// How a message came.
#[derive(Debug)]
pub enum Received<'a> {
    /// In a query.
    Redirect(&'a RedirectQuery),
    /// In a form: the field `SAMLRequest` or `SAMLResponse`.
    Post(Role, &'a str),
}

/// What a message must fit.
#[derive(Clone, Copy)]
pub struct Expecting<'a> {
    /// Our address for sign-out.
    pub slo: &'a str,
    /// IDs of requests of ours that are not answered yet.
    pub requests: &'a [&'a str],
    /// Remembers which requests came.
    pub used: &'a dyn OneTime,
    /// The time.
    pub now: Timestamp,
}

/// The idp asks to sign somebody out.
#[derive(Debug, PartialEq, Eq)]
pub enum LogoutRequest {
    /// By a key of the idp: end every session that it names.
    Signed(Asked),
    /// By anybody: at most the session of the browser that brings it, if it is that person's.
    Unsigned(Asked),
}

/// Whose sessions shall end.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// For the answer.
    pub id: String,
    /// The person.
    pub name_id: NameId,
    /// The idp's sessions; none means all of the person's.
    pub session_indexes: Vec<String>,
}

/// The idp's answer to a request of ours. It grants nothing, so it need not be signed; if it is, the signature holds.
#[derive(Debug, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// The request of ours.
    pub in_response_to: String,
    /// Why the idp says that somebody may still be signed in there.
    pub trouble: Option<Refusal>,
}

impl Received<'_> {
    /// The request in it.
    ///
    /// # Errors
    ///
    /// It is none, of somebody else, for others, old, came before, or its signature does not hold.
    pub fn request(
        &self,
        trust: &Trust<'_>,
        expecting: &Expecting<'_>,
    ) -> Result<LogoutRequest, Refusal> {
        self.read(
            Role::Request,
            "LogoutRequest",
            trust,
            expecting,
            |root, signed| {
                let until = moment_of(root, "NotOnOrAfter", Check::Validity)?;
                if let Some(until) = until.filter(|until| is_over(*until, expecting.now)) {
                    return Err(Refusal::new(
                        Check::Validity,
                        "a request that is not over",
                        until.to_rfc3339(),
                    ));
                }
                // A ciphertext that nobody signed would be a question to our key.
                if !signed && optional(root, ASSERTION, "EncryptedID")?.is_some() {
                    return Err(Refusal::new(
                        Check::Signed,
                        "a signed request",
                        "an encrypted one",
                    ));
                }
                let indexes = children(root, PROTOCOL, "SessionIndex").take(MAX_SESSIONS);
                let asked = Asked {
                    id: attribute(root, "ID").unwrap_or_default().to_owned(),
                    name_id: NameId::in_element(root, trust)?,
                    session_indexes: indexes.map(text).collect::<Result<_, _>>()?,
                };
                let key = sha256(format!("{}\nlogout\n{}", trust.entity_id, asked.id).as_bytes());
                let until = expecting.now.plus(MAX_AGE).plus(SKEW).plus(SKEW);
                match signed {
                    // Who cannot sign must not be able to use up the ID of one who can.
                    false => Ok(LogoutRequest::Unsigned(asked)),
                    true if expecting.used.first_use(key, until, expecting.now) => {
                        Ok(LogoutRequest::Signed(asked))
                    }
                    true => Err(Refusal::new(
                        Check::Replay,
                        "a request that is new",
                        asked.id,
                    )),
                }
            },
        )
    }

    /// The answer in it.
    ///
    /// # Errors
    ///
    /// It is none, of somebody else, for others, old, answers nothing of ours, or its signature does not hold.
    pub fn answer(
        &self,
        trust: &Trust<'_>,
        expecting: &Expecting<'_>,
    ) -> Result<LogoutAnswer, Refusal> {
        self.read(
            Role::Response,
            "LogoutResponse",
            trust,
            expecting,
            |root, _signed| {
                let request = attribute(root, "InResponseTo").unwrap_or_default();
                if !expecting.requests.contains(&request) {
                    return Err(Refusal::new(
                        Check::InResponseTo,
                        "a request of ours that is open",
                        request,
                    ));
                }
                Ok(LogoutAnswer {
                    in_response_to: request.to_owned(),
                    trouble: status::check(root).err(),
                })
            },
        )
    }

    /// `RelayState` of a query; of a form it is another field.
    pub fn relay_state(&self) -> Option<&str> {
        match self {
            Self::Redirect(query) => query.relay_state.as_deref(),
            Self::Post(..) => None,
        }
    }

    fn read<T>(
        &self,
        role: Role,
        name: &'static str,
        trust: &Trust<'_>,
        expecting: &Expecting<'_>,
        then: impl FnOnce(Node<'_, '_>, bool) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = expecting.now;
        let (came, xml) = match self {
            Self::Redirect(query) => (query.role, query.xml.clone()),
            Self::Post(came, field) => (*came, posted(field)?),
        };
        if came != role {
            return Err(Refusal::new(
                Check::Parameters,
                role.parameter(),
                came.parameter(),
            ));
        }
        let screened = Screened::message(&xml, name)?;
        match self {
            Self::Redirect(query) if query.is_signed() => {
                query.verify(trust.certificates, now)?;
                check(screened.root(), true, trust, expecting)?;
                then(screened.root(), true)
            }
            Self::Post(..) if screened.root_is_signed() => {
                let signed = signature::verify(&screened, trust.certificates, now)?;
                let read = signed.read()?;
                check(read.root(), true, trust, expecting)?;
                then(read.root(), true)
            }
            Self::Redirect(_) | Self::Post(..) => {
                check(screened.root(), false, trust, expecting)?;
                then(screened.root(), false)
            }
        }
    }
}
