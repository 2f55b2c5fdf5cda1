//! What a caller wants a record to be.

use serde_json::{Map, Value};

use crate::identity::{Group, User, UserId};
use crate::secret::Secret;

/// A person as a SCIM client wants them; what is not here is not the client's.
#[derive(Clone, Debug, Default)]
pub struct UserDraft {
    /// User name.
    pub user_name: String,
    /// The client's identifier.
    pub external_id: Option<String>,
    /// Whether they are let in.
    pub active: bool,
    /// All other attributes, as [`User::attributes`].
    pub attributes: Map<String, Value>,
    /// bcrypt hash of a new password; none leaves it as it is. It makes a new person a local account; who signs
    /// in through an idp keeps to that, and the hash is dropped.
    pub password: Option<Secret>,
}

impl UserDraft {
    /// The person as they are.
    pub fn of(user: &User) -> Self {
        Self {
            user_name: user.user_name.clone(),
            external_id: user.external_id.clone(),
            active: user.active,
            attributes: user.attributes.clone(),
            password: None,
        }
    }
}

/// A group as a SCIM client wants it, without its members.
#[derive(Clone, Debug, Default)]
pub struct GroupDraft {
    /// Display name.
    pub display_name: String,
    /// The client's identifier.
    pub external_id: Option<String>,
    /// All other attributes, as [`Group::attributes`].
    pub attributes: Map<String, Value>,
}

impl GroupDraft {
    /// The group as it is.
    pub fn of(group: &Group) -> Self {
        Self {
            display_name: group.display_name.clone(),
            external_id: group.external_id.clone(),
            attributes: group.attributes.clone(),
        }
    }
}

/// A change of who is in a group. Several are done in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Adds these; those who are in it stay.
    Add(Vec<UserId>),
    /// Removes these; those who are not in it are no error.
    Remove(Vec<UserId>),
    /// These and no others.
    Replace(Vec<UserId>),
}
