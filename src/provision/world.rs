//! A whole back room in memory, for tests.

use std::time::Duration;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::config::{Adopt, Jit, Match, OnDelete, Provisioning, Roles};
use crate::crypto::random_token;
use crate::directory::{Change, EmbeddedDirectory, Expected};
use crate::identity::{
    ClaimedGroups, Group, GroupId, IdpKind, IdpName, ManagedBy, Principal, UserId,
};
use crate::metrics::Metrics;
use crate::session::{EmbeddedSessions, Session, sample};
use crate::storage::Embedded;

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A whole back room, in memory.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) provision: Arc<Provision>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) audit: Arc<Audit>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) store: Embedded,
}

impl World {
    pub(super) async fn new(tenants: Vec<Tenant>) -> Self {
        Self::accepting(tenants, false).await
    }

    /// With only mapped groups, or any.
    pub(super) async fn accepting(tenants: Vec<Tenant>, mapped_only: bool) -> Self {
        let metrics = Arc::new(Metrics::new());
        let clock = Arc::new(ManualClock::at(NOW));
        let store = Embedded::in_memory(Arc::clone(&metrics)).unwrap();
        let directory: Arc<dyn Directory> = Arc::new(EmbeddedDirectory::new(store.clone()));
        let kept = Arc::new(EmbeddedSessions::new(store.clone()));
        let idle = Duration::from_hours(1);
        let sessions = Sessions::load(kept, clock.clone(), Arc::clone(&metrics), idle)
            .await
            .unwrap();
        let sessions = Arc::new(sessions);
        let year = Duration::from_hours(24 * 365);
        let audit = Arc::new(Audit::new(store.clone(), clock.clone(), None, year).unwrap());
        let provision = Provision::new(
            Arc::clone(&directory),
            Arc::clone(&sessions),
            Arc::clone(&audit),
            clock.clone(),
            tenants,
            Groups {
                mapped_only,
                ignore: vec!["checkpoint_inline_*".to_owned()],
            },
        );
        let provision = Arc::new(provision);
        Self {
            clock,
            provision,
            sessions,
            directory,
            audit,
            metrics,
            store,
        }
    }

    pub(super) async fn admit(&self, principal: &Principal) -> Result<Admitted, Refused> {
        self.provision.admit("app.test", principal, &ACTOR).await
    }

    /// Makes this record as SCIM would, and gives it.
    pub(super) async fn scim(&self, user: User) -> User {
        let change = Change::PutUser(Box::new(user.clone()), Expected::New);
        self.directory.apply(vec![change]).await.unwrap();
        user
    }

    /// Makes a group of these people.
    pub(super) async fn group(&self, name: &str, members: &[&User]) -> Group {
        let group = Group {
            id: GroupId::random(),
            tenant: TenantSlug::default(),
            display_name: name.to_owned(),
            external_id: None,
            attributes: serde_json::Map::new(),
            created: NOW,
            modified: NOW,
            version: 1,
        };
        let mut changes = vec![Change::PutGroup(Box::new(group.clone()), Expected::New)];
        for user in members {
            let (tenant, group) = (group.tenant.clone(), group.id.clone());
            changes.push(Change::AddMember(tenant, group, user.id.clone()));
        }
        self.directory.apply(changes).await.unwrap();
        group
    }

    pub(super) async fn read(&self, user: &User) -> Option<User> {
        self.directory.user(&user.tenant, &user.id).await.unwrap()
    }

    /// How many people there are.
    pub(super) async fn count(&self) -> usize {
        self.directory
            .list_users(&TenantSlug::default(), None, 1000)
            .await
            .unwrap()
            .len()
    }

    /// What the audit says, oldest first.
    pub(super) async fn actions(&self) -> Vec<String> {
        let entries = self.audit.newest(1000).await.unwrap();
        entries
            .into_iter()
            .rev()
            .map(|entry| entry.event.action)
            .collect()
    }

    /// A live session of theirs.
    pub(super) async fn signed_in(&self, user: &User) -> String {
        let (token, ticket) = (random_token(), self.sessions.ticket(&user.tenant, &user.id));
        let started = self.sessions.start(session(user), &token, &ticket).await;
        started.unwrap();
        token
    }

    pub(super) fn is_live(&self, token: &str) -> bool {
        self.sessions.find(token, "app.test", NOW).is_some()
    }

    /// What the app is told they may do.
    pub(super) async fn roles(&self, user: &User) -> Vec<String> {
        let silent = ClaimedGroups::Silent;
        let identity = self.provision.identity(&user.tenant, &user.id, &silent);
        let roles = identity.await.unwrap().map(|identity| identity.roles);
        roles
            .unwrap_or_default()
            .into_iter()
            .map(|it| it.0)
            .collect()
    }

    /// As a SCIM client does.
    pub(super) async fn post(&self, draft: UserDraft) -> Result<User, Refused> {
        let own = TenantSlug::default();
        self.provision.create_user(&own, draft, &ACTOR).await
    }

    /// As a SCIM client does, after reading.
    pub(super) async fn edit(
        &self,
        user: &User,
        edit: impl Fn(&mut UserDraft) + Send + Sync + 'static,
    ) -> Result<User, Refused> {
        let edit = move |user: &User| -> Result<UserDraft, Refused> {
            let mut draft = UserDraft::of(user);
            edit(&mut draft);
            Ok(draft)
        };
        let (tenant, id) = (&user.tenant, &user.id);
        self.provision
            .edit_user(tenant, id, None, &ACTOR, edit)
            .await
    }

    pub(super) async fn delete(&self, user: &User) -> Result<(), Refused> {
        let (tenant, id) = (&user.tenant, &user.id);
        self.provision.delete_user(tenant, id, None, &ACTOR).await
    }

    /// As a SCIM client changes members.
    pub(super) async fn members(
        &self,
        group: &Group,
        changes: Vec<MemberChange>,
    ) -> Result<Group, Refused> {
        let edit = move |group: &Group| -> Result<_, Refused> {
            Ok((GroupDraft::of(group), changes.clone()))
        };
        let (tenant, id) = (&group.tenant, &group.id);
        self.provision
            .edit_group(tenant, id, None, &ACTOR, edit)
            .await
    }

    pub(super) async fn start(&self, admitted: &Admitted) -> String {
        let token = random_token();
        let session = session(admitted.user());
        self.sessions
            .start(session, &token, admitted.ticket())
            .await
            .unwrap();
        token
    }
}

/// One tenant as it is without settings.
pub(super) fn tenant() -> Tenant {
    Tenant {
        slug: TenantSlug::default(),
        domains: Vec::new(),
        idps: Vec::new(),
        hosts: Vec::new(),
        provisioning: Provisioning {
            jit: Jit::Create,
            matching: Match::UserName,
            on_delete: OnDelete::Remove,
            adopt: Adopt::Filter,
            max_deactivations_per_hour: 0,
        },
        roles: Roles {
            allowed: Vec::new(),
            default: Vec::new(),
            attribute: "roles[primary eq true].value".to_owned(),
            groups: Vec::new(),
        },
        attributes: Vec::new(),
    }
}

/// A record that SCIM made.
pub(super) fn record(user_name: &str) -> User {
    User {
        id: UserId::random(),
        tenant: TenantSlug::default(),
        user_name: user_name.to_owned(),
        external_id: None,
        active: true,
        attributes: serde_json::Map::new(),
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::Scim,
        created: NOW,
        modified: NOW,
        version: 1,
    }
}

pub(super) static ACTOR: Actor = Actor {
    name: String::new(),
    client: None,
    request_id: None,
    activity_id: None,
    dry_run: false,
    grants: None,
};

/// A person as a SCIM client first sends them.
pub(super) fn draft(user_name: &str) -> UserDraft {
    UserDraft {
        user_name: user_name.to_owned(),
        active: true,
        ..UserDraft::default()
    }
}

pub(super) fn principal(subject: &str, user_name: &str) -> Principal {
    Principal {
        idp: IdpName::try_from("entra").unwrap(),
        kind: IdpKind::Oidc,
        link_subject: subject.to_owned(),
        subject: subject.to_owned(),
        name_id: None,
        user_name: user_name.to_owned(),
        email: Some(format!("{user_name}@corp.test")),
        email_verified: false,
        external_id: Some(format!("oid-{subject}")),
        display_name: Some("Ada Lovelace".to_owned()),
        given_name: Some("Ada".to_owned()),
        family_name: Some("Lovelace".to_owned()),
        groups: ClaimedGroups::Silent,
        idp_session: None,
        authenticated_at: NOW,
        session_ends: None,
        claims: serde_json::Map::new(),
        id_token: None,
    }
}

pub(super) fn session(user: &User) -> Session {
    Session {
        tenant: user.tenant.clone(),
        user: user.id.clone(),
        ..sample("")
    }
}

pub(super) fn verified(principal: Principal) -> Principal {
    Principal {
        email_verified: true,
        ..principal
    }
}

/// What came of it: the record's name, or the refusal.
pub(super) fn outcome(admitted: &Result<Admitted, Refused>) -> String {
    match admitted {
        Ok(admitted) => admitted.user().user_name.clone(),
        Err(refused) => refused.to_string(),
    }
}
