//! Records for tests, and the backends that the suite runs on.

use std::sync::Arc;

use serde_json::Map;

use super::*;
use crate::clock::Timestamp;
use crate::identity::{IdpName, ManagedBy, SignInMethod, fold};
use crate::metrics::Metrics;
use crate::storage::Embedded;

/// Makes an empty directory.
pub(super) struct Make(fn() -> Arc<dyn Directory>);

impl Make {
    pub(super) fn fresh(&self) -> Arc<dyn Directory> {
        (self.0)()
    }
}

pub(super) const EMBEDDED: Make = Make(embedded);

/// Each of these tests on each backend.
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::EMBEDDED).await;
            })+
        }
    };
}
pub(super) use on_every_backend;

fn embedded() -> Arc<dyn Directory> {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    Arc::new(EmbeddedDirectory::new(store))
}

pub(super) fn own() -> TenantSlug {
    TenantSlug::default()
}

pub(super) fn acme() -> TenantSlug {
    TenantSlug::try_from("acme").unwrap()
}

/// The first version of a record that SCIM made.
pub(super) fn person(name: &str) -> User {
    User {
        id: UserId::from(format!("id-{name}").as_str()),
        tenant: own(),
        user_name: name.to_owned(),
        external_id: None,
        active: true,
        attributes: Map::new(),
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::Scim,
        created: Timestamp::default(),
        modified: Timestamp::default(),
        version: 1,
    }
}

pub(super) fn group(name: &str) -> Group {
    Group {
        id: GroupId::from(format!("group-{name}").as_str()),
        tenant: own(),
        display_name: name.to_owned(),
        external_id: None,
        attributes: Map::new(),
        created: Timestamp::default(),
        modified: Timestamp::default(),
        version: 1,
    }
}

pub(super) fn new(user: User) -> Change {
    Change::PutUser(Box::new(user), Expected::New)
}

pub(super) fn new_group(group: Group) -> Change {
    Change::PutGroup(Box::new(group), Expected::New)
}

pub(super) fn tombstone(user: &User) -> Tombstone {
    Tombstone {
        id: user.id.clone(),
        user_name: fold(&user.user_name),
        external_id: user.external_id.clone(),
        deleted: Timestamp::default(),
    }
}

pub(super) fn remove(user: &User) -> Change {
    Change::RemoveUser(user.tenant.clone(), user.id.clone(), tombstone(user))
}

pub(super) fn link(subject: &str) -> Link {
    Link {
        idp: IdpName::try_from("entra").unwrap(),
        subject: subject.to_owned(),
        tenant: own(),
    }
}

pub(super) fn join(group: &Group, user: &User) -> Change {
    Change::AddMember(own(), group.id.clone(), user.id.clone())
}

pub(super) fn leave(group: &Group, user: &User) -> Change {
    Change::RemoveMember(own(), group.id.clone(), user.id.clone())
}

pub(super) async fn ids(directory: &dyn Directory, key: UserKey) -> Vec<String> {
    let found = directory.find_users(&own(), &key).await.unwrap();
    found.into_iter().map(|user| user.id.to_string()).collect()
}

pub(super) async fn group_names(directory: &dyn Directory, user: &User) -> Vec<String> {
    let groups = directory.groups_of(&own(), &user.id).await.unwrap();
    groups.into_iter().map(|group| group.display_name).collect()
}
