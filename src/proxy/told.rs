//! What is told of a person, after the settings had their say.

use minijinja::Value;
use serde_json::json;

use super::template::context;
use crate::identity::Identity;
use crate::session::Session;

/// The parts that several fields say.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) user_name: String,
    pub(super) groups: Vec<&'a str>,
    pub(super) roles: Vec<&'a str>,
    /// With those that no separated list can hold.
    pub(super) all_groups: Vec<&'a str>,
}

impl Told<'_> {
    /// What templates see.
    pub(super) fn context(&self, identity: &Identity, session: &Session) -> Value {
        let mut user = identity.user.to_json();
        user.insert("userName".to_owned(), self.user_name.clone().into());
        context(&json!({
            "user": user,
            "groups": self.groups,
            "roles": self.roles,
            "account": identity.account,
            "tenant": identity.user.tenant,
            "session": {
                "id": session.id,
                "created": session.created.to_rfc3339(),
                "idp": session.idp,
            },
            "claims": session.claims.to_map(),
        }))
    }
}
