//! One code.

use super::PortalField;

/// A code of Entra's.
pub(super) struct Row {
    /// Behind `AADSTS`.
    pub(super) number: u32,
    /// What happened and what to do.
    pub(super) hint: &'static str,
    /// Where, when the idp is of kind `saml`.
    pub(super) saml: Option<PortalField>,
    /// Where, when it is of kind `oidc`.
    pub(super) oidc: Option<PortalField>,
}

/// Somewhere else in each protocol.
pub(super) const fn each(
    number: u32,
    hint: &'static str,
    saml: PortalField,
    oidc: PortalField,
) -> Row {
    Row {
        number,
        hint,
        saml: Some(saml),
        oidc: Some(oidc),
    }
}

/// At the same place in both.
pub(super) const fn both(number: u32, hint: &'static str, field: PortalField) -> Row {
    each(number, hint, field, field)
}

/// Of SAML alone.
pub(super) const fn saml(number: u32, hint: &'static str, field: PortalField) -> Row {
    Row {
        oidc: None,
        ..both(number, hint, field)
    }
}

/// Of OpenID Connect alone.
pub(super) const fn oidc(number: u32, hint: &'static str, field: PortalField) -> Row {
    Row {
        saml: None,
        ..both(number, hint, field)
    }
}

/// Nothing in the portal is wrong.
pub(super) const fn nowhere(number: u32, hint: &'static str) -> Row {
    Row {
        number,
        hint,
        saml: None,
        oidc: None,
    }
}
