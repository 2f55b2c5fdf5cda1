//! One rule, prepared: which requests it is for, and what it asks of them.

use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use ipnet::IpNet;

use super::who::Names;
use crate::clock::Timestamp;
use crate::config::{Access, Anonymous, Rule};
use crate::web::{PathError, PathPattern, Spelling};

#[derive(Debug)]
pub(super) struct Matcher {
    path: PathPattern,
    methods: Vec<Method>,
    pub(super) access: Access,
    pub(super) who: Names,
    networks: Vec<IpNet>,
    max_auth_age: Option<Duration>,
    pub(super) anonymous: Anonymous,
    allow_in_path: Vec<Spelling>,
}

impl Matcher {
    pub(super) fn new(rule: &Rule) -> Result<Self, PathError> {
        let mut methods = rule.methods.clone();
        // RFC 9110 9.3.2: HEAD is GET without the body, so whoever lets one pass means the other.
        if methods.contains(&Method::GET) && !methods.contains(&Method::HEAD) {
            methods.push(Method::HEAD);
        }
        Ok(Self {
            path: PathPattern::parse(&rule.path)?,
            methods,
            access: rule.access,
            who: Names::new(&rule.who),
            networks: rule.networks.clone(),
            max_auth_age: rule.max_auth_age,
            anonymous: rule.anonymous,
            allow_in_path: rule.allow_in_path.clone(),
        })
    }

    /// Whether it is for this path and method.
    pub(super) fn is_for(&self, path: &str, method: &Method) -> bool {
        (self.methods.is_empty() || self.methods.contains(method)) && self.path.matches_text(path)
    }

    pub(super) fn allows(&self, odd: Spelling) -> bool {
        self.allow_in_path.contains(&odd)
    }

    pub(super) fn is_from(&self, client: Option<IpAddr>) -> bool {
        let inside = |client: IpAddr| {
            let client = client.to_canonical();
            self.networks
                .iter()
                .any(|network| network.contains(&client))
        };
        self.networks.is_empty() || client.is_some_and(inside)
    }

    pub(super) fn is_stale(&self, authenticated_at: Timestamp, now: Timestamp) -> bool {
        self.max_auth_age
            .is_some_and(|most| now.since(authenticated_at) > most)
    }
}
