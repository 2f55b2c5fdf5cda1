//! May this request pass? Any doubt is a refusal (R5, R12); the [`Grant`] is the only proof that it may.
//!
//! The first rule whose path and method fit decides, and no other. No method is special: a CORS preflight
//! carries no cookies, so it passes only where a rule with `methods = ["OPTIONS"]` and `access = "public"` lets it.

mod matcher;
mod who;

use std::net::IpAddr;

use http::Method;

use crate::clock::Timestamp;
use crate::config::{Access, Anonymous, Rule};
use crate::identity::Identity;
use crate::web::{PathError, RequestPath};
use matcher::Matcher;

/// The rules, ready to be asked.
#[derive(Debug)]
pub struct Policy {
    rules: Vec<Matcher>,
}

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Parsed once; the upstream gets the same (R15).
    pub path: &'a RequestPath,
    /// Method.
    pub method: &'a Method,
    /// Client address; none is in no network.
    pub client: Option<IpAddr>,
    /// Now.
    pub now: Timestamp,
}

/// A signed-in person as rules see them.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// Record, groups, roles.
    pub identity: &'a Identity,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
}

/// Proof that policy let this request pass. Made by [`Policy::decide`] alone (R11).
#[derive(Debug)]
pub struct Grant {
    rule: Option<usize>,
    identified: bool,
}

impl Grant {
    /// Number of the rule that let it pass, counted from 0; none is the default.
    pub const fn rule(&self) -> Option<usize> {
        self.rule
    }

    /// Whether the person's identity goes to the app; false on public paths.
    pub const fn identified(&self) -> bool {
        self.identified
    }
}

/// What policy says.
#[derive(Debug)]
pub enum Decision {
    /// Let it pass.
    Allow(Grant),
    /// Nobody is signed in, and somebody has to be.
    SignIn {
        /// What a request without a session gets here.
        anonymous: Anonymous,
        /// Number of the rule.
        rule: Option<usize>,
    },
    /// The person has to prove again who they are (`max_auth_age`).
    SignInAgain {
        /// Number of the rule.
        rule: Option<usize>,
    },
    /// Not this person, not from here, or not this spelling of a path.
    Refuse {
        /// Number of the rule.
        rule: Option<usize>,
        /// A stable word for the log: `who`, `network`, `path_spelling`.
        why: &'static str,
    },
}

impl Policy {
    /// Prepares the rules.
    ///
    /// # Errors
    ///
    /// A glob that cannot match any path that we let through, with the rule's number.
    pub fn new(rules: &[Rule]) -> Result<Self, (usize, PathError)> {
        let prepare = |(number, rule)| Matcher::new(rule).map_err(|error| (number, error));
        let rules = rules
            .iter()
            .enumerate()
            .map(prepare)
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Decides.
    pub fn decide(&self, asked: Asked<'_>, person: Option<Person<'_>>) -> Decision {
        let found = self.find(asked.path.plain(), asked.method);
        let number = found.map(|(number, _)| number);
        // R14: odd spellings only where the rule allows each, and only when the app cannot read a path of
        // another rule into them.
        let allowed = |odd| found.is_some_and(|(_, rule)| rule.allows(odd));
        let elsewhere =
            |deepest: &str| self.find(deepest, asked.method).map(|(number, _)| number) != number;
        if !asked.path.odd().iter().copied().all(allowed)
            || asked.path.deepest().is_some_and(elsewhere)
        {
            return Decision::Refuse {
                rule: number,
                why: "path_spelling",
            };
        }
        match found {
            Some((number, rule)) => decide_by(rule, number, asked, person),
            // A path that no rule names needs a session.
            None => match person {
                Some(_) => allow(None, true),
                None => Decision::SignIn {
                    anonymous: Anonymous::Auto,
                    rule: None,
                },
            },
        }
    }

    fn find(&self, path: &str, method: &Method) -> Option<(usize, &Matcher)> {
        self.rules
            .iter()
            .enumerate()
            .find(|(_, rule)| rule.is_for(path, method))
    }
}

fn decide_by(
    rule: &Matcher,
    number: usize,
    asked: Asked<'_>,
    person: Option<Person<'_>>,
) -> Decision {
    let number = Some(number);
    // R5: an unknown client is in no network.
    if !rule.is_from(asked.client) {
        return Decision::Refuse {
            rule: number,
            why: "network",
        };
    }
    match (rule.access, person) {
        (Access::Public, _) | (Access::Optional, None) => allow(number, false),
        (Access::Optional, Some(_)) => allow(number, true),
        (Access::Required, None) => Decision::SignIn {
            anonymous: rule.anonymous,
            rule: number,
        },
        (Access::Required, Some(person)) => {
            if !rule.who.names(person.identity) {
                return Decision::Refuse {
                    rule: number,
                    why: "who",
                };
            }
            if rule.is_stale(person.authenticated_at, asked.now) {
                return Decision::SignInAgain { rule: number };
            }
            allow(number, true)
        }
    }
}

const fn allow(rule: Option<usize>, identified: bool) -> Decision {
    Decision::Allow(Grant { rule, identified })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
