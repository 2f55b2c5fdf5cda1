//! What an idp says of a person, as it stands in a record.

use serde_json::{Map, Value, json};

use super::Refused;
use crate::clock::Timestamp;
use crate::identity::{
    Email, IdpKind, MAX_NAME, ManagedBy, Principal, SignInMethod, TenantSlug, User, UserId, fold,
};

/// Group names of one token that are looked at.
pub(super) const MAX_CLAIMED_GROUPS: usize = 1000;

/// A name of a person, group or subject that can stand in a record: trimmed.
pub(super) fn name(text: &str) -> Result<&str, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty");
    }
    if text.len() > MAX_NAME {
        return Err("is longer than 1024 bytes");
    }
    if text.chars().any(char::is_control) {
        return Err("holds control characters");
    }
    Ok(text)
}

/// The principal's address, when it is one (R31).
pub(super) fn address(principal: &Principal) -> Option<Email> {
    Email::try_from(principal.email.as_deref()?.trim()).ok()
}

/// The user name for a match or a new record.
pub(super) fn user_name(principal: &Principal) -> Result<&str, Refused> {
    let name = name(&principal.user_name).map_err(|_why| Refused::Claim("user name"))?;
    let email = principal.email.as_deref().map(fold);
    let says_unverified = match principal.claims.get("email_verified") {
        Some(Value::Bool(verified)) => !verified,
        Some(Value::String(verified)) => verified.eq_ignore_ascii_case("false"),
        _ => false,
    };
    // R32: an address that the idp calls unverified names nobody, in whatever claim it stands.
    if principal.kind == IdpKind::Oidc && says_unverified && email == Some(fold(name)) {
        return Err(Refused::Claim("user name is an unverified address"));
    }
    Ok(name)
}

/// The record that a first sign-in makes.
pub(super) fn from_principal(
    tenant: &TenantSlug,
    principal: &Principal,
    now: Timestamp,
) -> Result<User, Refused> {
    if principal.email.is_some() && address(principal).is_none() {
        return Err(Refused::Claim("email"));
    }
    let mut user = User {
        id: UserId::random(),
        tenant: tenant.clone(),
        user_name: user_name(principal)?.to_owned(),
        external_id: None,
        active: true,
        attributes: Map::new(),
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::SignIn,
        created: now,
        modified: now,
        version: 1,
    };
    tell(&mut user, principal, true);
    Ok(user)
}

/// Brings a record that sign-ins keep up to date; what the idp does not say stays. Gives whether
/// anything changed.
pub(super) fn tell(user: &mut User, principal: &Principal, with_email: bool) -> bool {
    let before = user.attributes.clone();
    let text = |text: &Option<String>| {
        let text = text.as_deref().and_then(|text| name(text).ok());
        text.map(Value::from)
    };
    if let Some(display_name) = text(&principal.display_name) {
        user.attributes
            .insert("displayName".to_owned(), display_name);
    }
    let parts = [
        ("givenName", text(&principal.given_name)),
        ("familyName", text(&principal.family_name)),
    ];
    for (part, value) in parts {
        let Some(value) = value else { continue };
        let name = user.attributes.entry("name").or_insert_with(|| json!({}));
        if let Some(name) = name.as_object_mut() {
            name.insert(part.to_owned(), value);
        }
    }
    if let Some(email) = address(principal).filter(|_| with_email)
        && user.email() != Some(email.as_str())
    {
        user.attributes
            .insert("emails".to_owned(), emails(email.as_str()));
    }
    user.attributes != before
}

/// Addresses that must be of the tenant's domains, each with its attribute: the user name where it is one, and
/// every e-mail address but those that are said to be private or other ones and are not told to the app.
pub(super) fn addresses(
    user_name: &str,
    attributes: &Map<String, Value>,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if user_name.contains('@') {
        found.push(("userName", user_name.to_owned()));
    }
    let emails = attributes.get("emails").and_then(Value::as_array);
    for (number, email) in emails.into_iter().flatten().enumerate() {
        let text = |key: &str| email.get(key).and_then(Value::as_str);
        let is_primary = email.get("primary").and_then(Value::as_bool) == Some(true);
        let kind = text("type").map(fold);
        let beside = matches!(kind.as_deref(), Some("home" | "other"));
        let address = text("value").filter(|address| address.contains('@'));
        if let Some(address) = address.filter(|_| number == 0 || is_primary || !beside) {
            found.push(("emails", address.to_owned()));
        }
    }
    found
}

/// One address, as SCIM has it (RFC 7643 4.1.2).
pub(super) fn emails(address: &str) -> Value {
    json!([{ "value": address, "type": "work", "primary": true }])
}

/// Whether this is the person's work address.
pub(super) fn has_work_address(user: &User, folded: &str) -> bool {
    let text = |email: &Value, key: &str| Some(fold(email.get(key)?.as_str()?));
    let emails = user.attributes.get("emails").and_then(Value::as_array);
    emails.into_iter().flatten().any(|email| {
        text(email, "type").as_deref() == Some("work")
            && text(email, "value").as_deref() == Some(folded)
    })
}
