//! Where in Entra's portal something is set. Other idps have the same settings under other names.

use std::fmt;

/// A field of Entra's portal, by the words that stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalField {
    /// Our entity ID.
    Identifier,
    /// Our assertion consumer service.
    ReplyUrl,
    /// Where a sign-in begins that somebody begins at the idp.
    SignOnUrl,
    /// Where sign-outs come to us.
    LogoutUrl,
    /// `NameID`.
    NameId,
    /// What else is said of a person.
    Claims,
    /// What of a response is signed.
    SigningOption,
    /// By which algorithm.
    SigningAlgorithm,
    /// The idp's certificates.
    Certificates,
    /// Where its metadata is.
    MetadataUrl,
    /// The certificate that our requests are checked with.
    VerificationCertificates,
    /// The certificate that assertions are encrypted to.
    TokenEncryption,
    /// Who may use the app.
    UsersAndGroups,
    /// Whether anybody may.
    EnabledForUsers,
    /// Under which circumstances.
    ConditionalAccess,
    /// What Entra did, sign-in by sign-in.
    SignInLogs,
    /// People of other directories.
    ExternalUsers,
    /// Where codes come to us.
    RedirectUris,
    /// `client_id`.
    ClientId,
    /// `client_secret`.
    ClientSecrets,
    /// Scopes and who consented.
    ApiPermissions,
}

impl PortalField {
    /// The words on the field.
    pub const fn as_str(self) -> &'static str {
        self.words().1
    }

    /// The page that it is on, from the app's own.
    pub const fn page(self) -> &'static str {
        self.words().0
    }

    const fn words(self) -> (&'static str, &'static str) {
        const BASIC: &str = "Single sign-on, Basic SAML Configuration";
        const CLAIMS: &str = "Single sign-on, Attributes & Claims";
        const CERTIFICATES: &str = "Single sign-on, SAML Certificates";
        match self {
            Self::Identifier => (BASIC, "Identifier (Entity ID)"),
            Self::ReplyUrl => (BASIC, "Reply URL (Assertion Consumer Service URL)"),
            Self::SignOnUrl => (BASIC, "Sign on URL"),
            Self::LogoutUrl => (BASIC, "Logout Url"),
            Self::NameId => (CLAIMS, "Unique User Identifier (Name ID)"),
            Self::Claims => (CLAIMS, "Additional claims"),
            Self::SigningOption => (CERTIFICATES, "Signing Option"),
            Self::SigningAlgorithm => (CERTIFICATES, "Signing Algorithm"),
            Self::Certificates => (CERTIFICATES, "Token signing certificate"),
            Self::MetadataUrl => (CERTIFICATES, "App Federation Metadata Url"),
            Self::VerificationCertificates => (CERTIFICATES, "Verification certificates"),
            Self::TokenEncryption => ("Security", "Token encryption"),
            Self::UsersAndGroups => ("Manage", "Users and groups"),
            Self::EnabledForUsers => ("Manage, Properties", "Enabled for users to sign-in?"),
            Self::ConditionalAccess => ("Security", "Conditional Access"),
            Self::SignInLogs => ("Activity", "Sign-in logs"),
            Self::ExternalUsers => ("Users", "Invite external user"),
            Self::RedirectUris => ("App registration, Authentication", "Redirect URIs"),
            Self::ClientId => ("App registration, Overview", "Application (client) ID"),
            Self::ClientSecrets => ("App registration, Certificates & secrets", "Client secrets"),
            Self::ApiPermissions => ("App registration", "API permissions"),
        }
    }
}

/// The field, then the page that it is on.
impl fmt::Display for PortalField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.as_str(), self.page())
    }
}
