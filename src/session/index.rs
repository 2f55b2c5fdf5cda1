//! What sessions are ended by, and which sign-ins under way an end has made void.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use super::Session;
use crate::crypto::Digest;
use crate::identity::{IdpName, TenantSlug, UserId};

/// Ends that are remembered for sign-ins under way. When there are more, all of them are void once.
const REMEMBERED: usize = 10_000;

/// Which sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The one with this public id.
    Id(String),
    /// All of a person, in one tenant.
    User(TenantSlug, UserId),
    /// All of a person, in one tenant, but the one with this public id.
    Others(TenantSlug, UserId, String),
    /// All that this idp session started; without a session, all of that subject.
    Idp {
        /// The idp.
        idp: IdpName,
        /// The idp's word for the person.
        subject: Option<String>,
        /// The idp's session.
        session: Option<String>,
    },
    /// All of a tenant.
    Tenant(TenantSlug),
}

/// Taken before a person's record is read, shown when their session starts: void when their
/// sessions were ended in between.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub(super) tenant: TenantSlug,
    pub(super) user: UserId,
    taken: u64,
}

/// What a session can be found and ended by.
#[derive(Hash)]
enum Name<'a> {
    Id(&'a str),
    User(&'a TenantSlug, &'a UserId),
    Subject(&'a IdpName, &'a str),
    IdpSession(&'a IdpName, &'a str),
    Tenant(&'a TenantSlug),
}

/// Sessions by name. A name is kept as its hash (two may share one; [`End::fits`] tells them apart).
#[derive(Default)]
pub(super) struct Index {
    hasher: RandomState,
    names: BTreeSet<(u64, Digest)>,
    moment: u64,
    ended: HashMap<u64, u64>,
    ended_before: u64,
}

impl End {
    /// Whether this ends that session.
    pub(super) fn fits(&self, session: &Session) -> bool {
        let person =
            |tenant: &TenantSlug, user: &UserId| session.tenant == *tenant && session.user == *user;
        match self {
            Self::Id(id) => session.id == *id,
            Self::User(tenant, user) => person(tenant, user),
            Self::Others(tenant, user, keep) => person(tenant, user) && session.id != *keep,
            Self::Idp {
                idp,
                subject,
                session: theirs,
            } => {
                session.idp == *idp
                    && match (theirs, subject) {
                        (Some(theirs), _) => session.idp_session.as_ref() == Some(theirs),
                        (None, Some(subject)) => session.subject == *subject,
                        (None, None) => false,
                    }
            }
            Self::Tenant(tenant) => session.tenant == *tenant,
        }
    }

    fn name(&self) -> Option<Name<'_>> {
        match self {
            Self::Id(id) => Some(Name::Id(id)),
            Self::User(tenant, user) | Self::Others(tenant, user, _) => {
                Some(Name::User(tenant, user))
            }
            Self::Idp {
                idp,
                subject,
                session,
            } => match (session, subject) {
                (Some(session), _) => Some(Name::IdpSession(idp, session)),
                (None, Some(subject)) => Some(Name::Subject(idp, subject)),
                (None, None) => None,
            },
            Self::Tenant(tenant) => Some(Name::Tenant(tenant)),
        }
    }
}

impl Index {
    pub(super) fn ticket(&self, tenant: &TenantSlug, user: &UserId) -> Ticket {
        Ticket {
            tenant: tenant.clone(),
            user: user.clone(),
            taken: self.moment,
        }
    }

    /// Whether an end since then names this session.
    pub(super) fn is_void(&self, ticket: &Ticket, session: &Session) -> bool {
        let tenant = self.hasher.hash_one(Name::Tenant(&session.tenant));
        let ended = |name: u64| self.ended.get(&name).is_some_and(|end| *end > ticket.taken);
        ticket.taken < self.ended_before
            || ticket.tenant != session.tenant
            || ticket.user != session.user
            || self.names(session).chain([tenant]).any(ended)
    }

    pub(super) fn add(&mut self, session: &Session) {
        let names: Vec<_> = self.names(session).collect();
        self.names
            .extend(names.into_iter().map(|name| (name, session.key)));
    }

    pub(super) fn remove(&mut self, session: &Session) {
        let names: Vec<_> = self.names(session).collect();
        for name in names {
            self.names.remove(&(name, session.key));
        }
    }

    /// Keys of sessions that may be meant, but none for a tenant's, which are not listed; voids the
    /// sign-ins under way that are.
    pub(super) fn end(&mut self, which: &End) -> Vec<Digest> {
        let Some(name) = which.name().map(|name| self.hasher.hash_one(name)) else {
            return Vec::new();
        };
        self.moment = self.moment.saturating_add(1);
        if self.ended.len() >= REMEMBERED {
            self.ended.clear();
            self.ended_before = self.moment;
        }
        self.ended.insert(name, self.moment);
        self.of(name)
    }

    /// Keys of sessions that may be this person's.
    pub(super) fn of_user(&self, tenant: &TenantSlug, user: &UserId) -> Vec<Digest> {
        self.of(self.hasher.hash_one(Name::User(tenant, user)))
    }

    fn of(&self, name: u64) -> Vec<Digest> {
        let range = (name, Digest([0; 32]))..=(name, Digest([u8::MAX; 32]));
        self.names.range(range).map(|(_, key)| *key).collect()
    }

    fn names(&self, session: &Session) -> impl Iterator<Item = u64> {
        let idp_session = session.idp_session.as_deref();
        [
            Some(Name::Id(&session.id)),
            Some(Name::User(&session.tenant, &session.user)),
            Some(Name::Subject(&session.idp, &session.subject)),
            idp_session.map(|theirs| Name::IdpSession(&session.idp, theirs)),
        ]
        .into_iter()
        .flatten()
        .map(|name| self.hasher.hash_one(name))
    }
}
