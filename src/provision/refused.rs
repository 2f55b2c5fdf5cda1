//! Why a person was not let in or not changed.

use super::Rule;
use crate::connector::AppFailure;
use crate::crypto::SealError;
use crate::directory::DirectoryError;
use crate::storage::StorageError;

/// Why a principal was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The person is deactivated.
    #[error("person is not active")]
    Inactive,
    /// The person was deleted; JIT does not make them again.
    #[error("person was deleted")]
    Deleted,
    /// No record, and JIT may not make one.
    #[error("no record, and jit does not make one")]
    Unknown,
    /// The e-mail domain is not one of the tenant's, or there is no address, or nobody verified it.
    #[error("e-mail domain is not one of the tenant's")]
    Domain,
    /// The idp is not one of the tenant's, or no tenant fits.
    #[error("no tenant for this idp, host and e-mail domain")]
    Tenant,
    /// A record fits that may not be taken: another link, a local account, or more than one.
    #[error("a record fits but may not be linked: {0}")]
    Match(&'static str),
    /// The person signs in another way.
    #[error("person signs in another way")]
    Method,
    /// The idp sent no groups because there are too many, and the directory knows none.
    #[error("too many groups in the token, none in the directory")]
    GroupOverage,
    /// The idp's word cannot be a record: an empty or overlong user name, a bad address.
    #[error("claim cannot be used: {0}")]
    Claim(&'static str),
    /// A change that a rule of the tenant does not allow: told to whoever asked for it.
    #[error(transparent)]
    Rule(Box<Rule>),
    /// The version that the change was meant for is not there any more.
    #[error("record is of another version")]
    Outdated,
    /// There is no connector in the settings.
    #[error("there is no [connector] in the configuration")]
    NoConnector,
    /// The app's own user API did not do it.
    #[error(transparent)]
    App(#[from] AppFailure),
    /// A password that is kept for the app cannot be sealed or opened.
    #[error("the password kept for the app {0}")]
    Seal(#[from] SealError),
    /// There is no account in the app to sign in with.
    #[error("{0}")]
    NoAccount(&'static str),
    /// The directory failed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<Rule> for Refused {
    fn from(rule: Rule) -> Self {
        Self::Rule(Box::new(rule))
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self::Directory(error.into())
    }
}
