//! What an idp's error means: a text for the person, a hint for the operator's log. Nothing of it is echoed.

use http::StatusCode;

use crate::identity::IdpKind;
use crate::login::{EntraError, explain, not_assigned};
use crate::problem::Problem;

/// Longest part of an idp's own words that is logged.
const MAX: usize = 400;

/// An error as the idp named it; only for the log.
#[derive(Debug, thiserror::Error)]
#[error("idp answered {code}{hint}: {words}")]
pub(super) struct IdpError {
    code: String,
    hint: String,
    words: String,
    entra: Option<EntraError>,
}

impl IdpError {
    /// Takes the idp's words, cut and without control characters (R41).
    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        let description = description.unwrap_or("no description");
        let entra = explain(description, IdpKind::Oidc);
        let hint = match &entra {
            Some(entra) => Some(entra.hint),
            None => hint(code),
        };
        let field = entra.as_ref().and_then(|entra| entra.field);
        let field = field.map_or_else(String::new, |field| format!("; in Entra's portal: {field}"));
        Self {
            code: plain(code),
            hint: hint.map_or_else(String::new, |hint| format!(" ({hint}{field})")),
            words: plain(description),
            entra,
        }
    }

    /// An error at the authorization endpoint (RFC 6749 4.1.2.1, Core 3.1.2.6).
    pub(super) fn at_authorization(self) -> Problem {
        let unassigned = self.entra.as_ref().is_some_and(EntraError::is_unassigned);
        let problem = match self.code.as_str() {
            _ if unassigned => not_assigned(),
            "access_denied" | "consent_required" => Problem::forbidden(
                "sign_in.denied",
                "You cancelled the sign-in, or your account may not use this app. Try again, or ask to be given access.",
            ),
            "login_required" | "interaction_required" | "account_selection_required" => {
                Problem::forbidden(
                    "sign_in.incomplete",
                    "The sign-in was not completed. Please start again.",
                )
            }
            "server_error" | "temporarily_unavailable" => Problem::new(
                StatusCode::BAD_GATEWAY,
                "sign_in.idp_failed",
                "Your sign-in service had a problem. Please try again in a minute.",
            ),
            _ => misconfigured(),
        };
        problem.because(self)
    }

    /// An error at the token endpoint (RFC 6749 5.2).
    pub(super) fn at_token(self) -> Problem {
        let problem = match self.code.as_str() {
            // The code was used or too old: a double click, a reload, a slow answer.
            "invalid_grant" => Problem::bad_request(
                "sign_in.code",
                "The sign-in took too long or was used already. Please start again.",
            ),
            _ => misconfigured(),
        };
        problem.because(self)
    }
}

const fn misconfigured() -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "sign_in.idp_settings",
        "Your sign-in service refused this app's request. Somebody has to correct the app's sign-in settings.",
    )
}

fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "invalid_client" => "client_id or client_secret is wrong",
        "unauthorized_client" => "the idp does not let this client use the code flow",
        "invalid_scope" => "a name in idp.scopes is not known to the idp",
        "invalid_request" => "often a redirect URI that is not registered at the idp",
        "access_denied" => "the person cancelled or is not assigned to the app",
        _ => return None,
    })
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_gets_a_hint_and_the_person_never_the_idps_words() {
        for (code, words, public, hint) in [
            (
                "access_denied",
                "AADSTS50105: Your administrator has configured canary",
                "sign_in.denied",
                "assign them",
            ),
            (
                "invalid_client",
                "AADSTS7000215: Invalid client secret canary",
                "sign_in.idp_settings",
                "not its id; in Entra's portal: Client secrets",
            ),
            (
                "server_error",
                "canary",
                "sign_in.idp_failed",
                "server_error",
            ),
            (
                "<script>",
                "canary\r\nx",
                "sign_in.idp_settings",
                "canary  x",
            ),
        ] {
            let problem = IdpError::new(code, Some(words)).at_authorization();
            assert_eq!(problem.code, public);
            assert!(!problem.to_string().contains("canary"), "{problem}");
            assert!(problem.causes().contains(hint), "{}", problem.causes());
            assert!(!problem.causes().contains('\n'));
        }
    }
}
