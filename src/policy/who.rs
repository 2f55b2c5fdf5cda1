//! Whom a rule names.

use crate::config::Who;
use crate::identity::{Email, Identity, fold};

/// A rule's names, folded where they are compared so.
#[derive(Debug)]
pub(super) struct Names {
    users: Vec<String>,
    emails: Vec<String>,
    email_domains: Vec<String>,
    groups: Vec<String>,
    roles: Vec<String>,
    everybody: bool,
}

impl Names {
    pub(super) fn new(who: &Who) -> Self {
        let folded = |names: &[String]| names.iter().map(|name| fold(name)).collect();
        Self {
            users: folded(&who.users),
            emails: folded(&who.emails),
            email_domains: folded(&who.email_domains),
            groups: who.groups.clone(),
            roles: who.roles.clone(),
            everybody: who.is_empty(),
        }
    }

    /// Whether it names this person, in any one way.
    pub(super) fn names(&self, identity: &Identity) -> bool {
        if self.everybody {
            return true;
        }
        self.names_user(&identity.user.user_name)
            || self.names_email(identity)
            || identity.groups.iter().any(|its| self.groups.contains(its))
            || identity.roles.iter().any(|its| self.roles.contains(&its.0))
    }

    fn names_user(&self, user_name: &str) -> bool {
        !self.users.is_empty() && holds(&self.users, user_name)
    }

    fn names_email(&self, identity: &Identity) -> bool {
        if self.emails.is_empty() && self.email_domains.is_empty() {
            return false;
        }
        // R31: what has not exactly one @ is no address, so that no domain can be read into it.
        let Some(email) = identity.user.email().and_then(|e| Email::try_from(e).ok()) else {
            return false;
        };
        holds(&self.emails, email.as_str()) || self.email_domains.contains(&email.domain())
    }
}

/// Whether one of the folded names is this one. Plain ASCII, the common case, is not copied.
fn holds(folded: &[String], name: &str) -> bool {
    if name.is_ascii() {
        let name = name.trim();
        return folded.iter().any(|its| its.eq_ignore_ascii_case(name));
    }
    folded.contains(&fold(name))
}
