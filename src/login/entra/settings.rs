//! Entra's codes about settings: the application, and what we ask of it.

use super::PortalField::{
    ApiPermissions, Certificates, Claims, ClientId, ClientSecrets, EnabledForUsers, ExternalUsers,
    Identifier, LogoutUrl, MetadataUrl, NameId, RedirectUris, ReplyUrl, SignInLogs, SignOnUrl,
    TokenEncryption, VerificationCertificates,
};
use super::row::{Row, both, each, nowhere, oidc, saml};

pub(super) const ERRORS: &[Row] = &[
    both(
        50001,
        "the application is switched off or does not exist in this directory",
        EnabledForUsers,
    ),
    saml(
        50003,
        "the application has no certificate to sign with; create one and activate it",
        Certificates,
    ),
    saml(
        50006,
        "the signature of our request does not hold for Entra; upload our present certificate (idp.certificate)",
        VerificationCertificates,
    ),
    saml(
        50007,
        "Entra is to encrypt and has no certificate of ours; upload ours (idp.certificate) and activate it, or take it out",
        TokenEncryption,
    ),
    each(
        50010,
        "the application has no identifier that fits; add our entity ID",
        Identifier,
        ClientId,
    ),
    each(
        50011,
        "the reply address that we send is not registered; add it letter by letter, for OpenID Connect as type Web",
        ReplyUrl,
        RedirectUris,
    ),
    saml(
        50061,
        "the request to sign out is not valid for Entra",
        LogoutUrl,
    ),
    nowhere(
        50068,
        "we are no participant of the session that was to end at Entra; nothing has to be done",
    ),
    nowhere(
        50070,
        "the session that was to end at Entra has ended before; nothing has to be done",
    ),
    nowhere(
        50071,
        "the request to sign out took too long or a clock is wrong",
    ),
    both(
        50124,
        "a claim is made by a rule that cannot work; correct the transformation",
        Claims,
    ),
    saml(
        501_241,
        "what the name identifier is made of is empty for this person; choose an attribute that everybody has",
        NameId,
    ),
    both(
        50146,
        "the application's own signing certificate is missing, expired or not valid yet",
        Certificates,
    ),
    oidc(
        50194,
        "the application is for one directory alone; put that tenant into issuer in place of common",
        ClientId,
    ),
    nowhere(
        54005,
        "the code was used before: a double click or a reload",
    ),
    both(
        65001,
        "nobody consented; grant admin consent to openid, profile and email",
        ApiPermissions,
    ),
    both(
        65004,
        "the person did not consent to the permissions",
        ApiPermissions,
    ),
    each(
        65005,
        "the entity ID or client_id that we send is not the application's, or it asks for something that it may not have",
        Identifier,
        ApiPermissions,
    ),
    both(
        650_052,
        "the application needs a service that the organisation has not switched on",
        ApiPermissions,
    ),
    each(
        650_056,
        "the entity ID or client_id that we send is not the application's, or nobody consented; compare, then grant admin consent to User.Read",
        Identifier,
        ApiPermissions,
    ),
    both(
        70001,
        "the application is disabled or not in this directory",
        EnabledForUsers,
    ),
    each(
        700_011,
        "the application is not in this directory; check the tenant in metadata_url or issuer",
        Identifier,
        ClientId,
    ),
    oidc(70002, "client_secret is wrong", ClientSecrets),
    each(
        700_016,
        "our entity ID or client_id is not known in this tenant; compare it, and the tenant in metadata_url or issuer",
        Identifier,
        ClientId,
    ),
    oidc(
        700_025,
        "the app registration is a public client; leave client_secret out or register type Web",
        RedirectUris,
    ),
    oidc(
        700_027,
        "the assertion that we sign in with is not signed by a registered certificate",
        ClientSecrets,
    ),
    nowhere(
        70008,
        "the code had expired; the answer took too long or the clock is wrong",
    ),
    oidc(
        70011,
        "a name in idp.scopes is not known to the idp",
        ApiPermissions,
    ),
    saml(75001, "Entra could not read our request", SignInLogs),
    saml(75003, "Entra answers by HTTP-POST alone", ReplyUrl),
    saml(
        75005,
        "our request is not one that Entra takes; its sign-in log says why",
        SignInLogs,
    ),
    saml(
        75006,
        "Entra could not work on our request; its sign-in log says why",
        SignInLogs,
    ),
    saml(
        750_054,
        "somebody opened Entra's login address without a request of ours: the sign-in must begin at our address",
        SignOnUrl,
    ),
    saml(
        75008,
        "our request went to an address that is not this application's; metadata_url is another application's",
        MetadataUrl,
    ),
    saml(
        75011,
        "the person signed in by another method than was asked for, such as a certificate in place of a password; they sign out there and start again",
        SignInLogs,
    ),
    saml(
        75016,
        "Entra does not have the name_id_format that we ask for; it takes persistent, emailAddress, unspecified and transient",
        NameId,
    ),
    saml(
        76021,
        "the application takes signed requests alone; set sign_requests = true with a key, or take the demand out",
        VerificationCertificates,
    ),
    nowhere(
        76026,
        "our request took too long to reach Entra, or our clock is wrong",
    ),
    each(
        90002,
        "the tenant in metadata_url or issuer does not exist in this cloud",
        MetadataUrl,
        ClientId,
    ),
    nowhere(
        90015,
        "our request is too long for an address; set binding = \"post\"",
    ),
    nowhere(90033, "Entra's directory is not available; try again later"),
    nowhere(90055, "Entra gets too many requests of this tenant"),
    both(
        90072,
        "the account of another directory is not a guest in this one; invite it",
        ExternalUsers,
    ),
    both(
        90094,
        "an administrator must consent to the permissions first",
        ApiPermissions,
    ),
    nowhere(
        900_236,
        "our request holds something that Entra does not take; leave name_id_format out",
    ),
    both(
        500_011,
        "the application is not in this directory; an administrator has to add it",
        ApiPermissions,
    ),
    each(
        500_113,
        "the application has no reply address; add ours, for OpenID Connect as type Web",
        ReplyUrl,
        RedirectUris,
    ),
    both(
        7_000_112,
        "the application is switched off",
        EnabledForUsers,
    ),
    oidc(
        7_000_215,
        "client_secret is wrong; it must be the secret's value, not its id",
        ClientSecrets,
    ),
    oidc(
        7_000_218,
        "the app registration is confidential; set client_secret",
        ClientSecrets,
    ),
    oidc(
        7_000_222,
        "client_secret has expired; make a new one",
        ClientSecrets,
    ),
];
