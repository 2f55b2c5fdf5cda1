//! Who people are: names, what an idp proved, and the directory's records.
//!
//! Pure data. Nothing here decides; the constructors refuse what must not exist.

mod name;
mod principal;
mod record;

pub use name::{
    Email, EmailError, GroupId, IdpName, MAX_NAME, NameError, Role, TenantSlug, UserId, fold,
};
pub use principal::{ClaimedGroups, IdpKind, Principal};
pub use record::{Account, Group, Identity, Link, ManagedBy, SignInMethod, Tombstone, User};
