//! What Entra's error codes mean, in whichever protocol they come, and where in its portal something is done about it.
//!
//! For the operator. Microsoft changes codes and words: nothing is decided by them but which sentence stands in a log, and
//! whether a person is told that they are not assigned. From Microsoft's list ("Microsoft Entra authentication and
//! authorization error codes", learn.microsoft.com, as of November 2026), without those that only its own clients meet.

mod people;
mod portal;
mod row;
mod settings;

pub use portal::PortalField;

use crate::identity::IdpKind;
use crate::problem::Problem;
use row::Row;

/// What an error of Entra's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntraError {
    /// The number behind `AADSTS`.
    number: u32,
    /// What happened, and what an operator does about it.
    pub hint: &'static str,
    /// Where.
    pub field: Option<PortalField>,
}

impl EntraError {
    /// `AADSTS50105`
    pub fn code(&self) -> String {
        format!("{PREFIX}{}", self.number)
    }

    /// The account is fine, and nobody assigned it to the app: something that the person can ask for.
    pub const fn is_unassigned(&self) -> bool {
        self.number == people::UNASSIGNED
    }
}

/// What a person is told whom nobody assigned to the app ([`EntraError::is_unassigned`]). Only for an answer to a sign-in
/// that waits: to others nothing is told.
pub const fn not_assigned() -> Problem {
    Problem::forbidden(
        "sign_in.denied",
        "Your account is not assigned to this app. Ask for access to it, then sign in again.",
    )
}

const PREFIX: &str = "AADSTS";

/// What the idp's words mean. Entra wraps an error in another that says less: the last code that is known counts.
pub fn explain(words: &str, kind: IdpKind) -> Option<EntraError> {
    let number = |word: &str| word.strip_prefix(PREFIX)?.parse().ok();
    let mut named = words.rsplit(|c: char| !c.is_ascii_alphanumeric());
    named.find_map(|word| known(number(word)?, kind))
}

fn all() -> impl Iterator<Item = &'static Row> {
    people::ERRORS.iter().chain(settings::ERRORS)
}

fn known(number: u32, kind: IdpKind) -> Option<EntraError> {
    let row = all().find(|row| row.number == number)?;
    let field = match kind {
        IdpKind::Saml => row.saml,
        IdpKind::Oidc | IdpKind::Local => row.oidc,
    };
    Some(EntraError {
        number,
        hint: row.hint,
        field,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use IdpKind::{Oidc, Saml};

    #[test]
    fn codes_are_found_in_what_entra_writes() {
        for (words, kind, code, field) in [
            (
                "AADSTS50105: Your administrator has configured the application app ('1') to block users",
                Saml,
                "AADSTS50105",
                Some(PortalField::UsersAndGroups),
            ),
            (
                "AADSTS50011: The reply URL does not match",
                Saml,
                "AADSTS50011",
                Some(PortalField::ReplyUrl),
            ),
            (
                "AADSTS50011: The redirect URI does not match",
                Oidc,
                "AADSTS50011",
                Some(PortalField::RedirectUris),
            ),
            (
                "AADSTS700016: Application with identifier 'x' was not found",
                Saml,
                "AADSTS700016",
                Some(PortalField::Identifier),
            ),
            // The outer one says that something went wrong, the inner one what.
            (
                "AADSTS75006: An error occurred. AADSTS900236: The property is not supported.",
                Saml,
                "AADSTS900236",
                None,
            ),
            (
                "AADSTS75005: not valid. AADSTS99999999: never heard of",
                Saml,
                "AADSTS75005",
                Some(PortalField::SignInLogs),
            ),
            (
                "(AADSTS50126)",
                Oidc,
                "AADSTS50126",
                Some(PortalField::SignInLogs),
            ),
        ] {
            let found = explain(words, kind).unwrap();
            assert_eq!(
                (found.code().as_str(), found.field),
                (code, field),
                "{words}"
            );
        }
    }

    #[test]
    fn other_words_mean_nothing() {
        for words in [
            "",
            "AADSTS",
            "AADSTS1",
            "aadsts50105",
            "XAADSTS50105",
            "AADSTS50105x",
            "AADSTS99999999999999999999",
        ] {
            assert_eq!(explain(words, Saml), None, "{words}");
        }
    }

    #[test]
    fn the_table_holds_each_code_once_and_says_what_to_do() {
        let mut seen = HashSet::new();
        for row in all() {
            assert!(seen.insert(row.number), "{} twice", row.number);
            assert!(row.hint.len() > 20, "{}", row.number);
            assert!(!row.hint.ends_with('.'), "{}", row.number);
        }
        let unassigned = known(people::UNASSIGNED, Saml).unwrap();
        assert!(unassigned.is_unassigned());
        let others = all().filter_map(|row| known(row.number, Saml));
        assert_eq!(others.filter(EntraError::is_unassigned).count(), 1);
    }
}
