//! What an idp's error means: a text for the person, a hint for the operator's log. Nothing of it is echoed.

use http::StatusCode;

use crate::problem::Problem;

/// Longest part of an idp's own words that is logged.
const MAX: usize = 400;

/// Entra's codes that people really meet, and what an operator does about them.
const HINTS: [(&str, &str); 17] = [
    (
        "AADSTS50011",
        "add our redirect URI …/oidc/NAME/callback to the app registration, type Web",
    ),
    (
        "AADSTS50020",
        "the person is of another directory; invite them as a guest",
    ),
    (
        "AADSTS50034",
        "the person is not in this directory; check the tenant in the issuer",
    ),
    (
        "AADSTS50105",
        "the person is not assigned to the enterprise application; assign them or a group of theirs",
    ),
    ("AADSTS50126", "wrong user name or password at the idp"),
    (
        "AADSTS53003",
        "a conditional access policy blocks this sign-in; the idp's sign-in log names it",
    ),
    (
        "AADSTS65001",
        "nobody consented; grant admin consent to openid, profile and email",
    ),
    (
        "AADSTS70011",
        "a name in idp.scopes is not known to the idp",
    ),
    (
        "AADSTS70008",
        "the code had expired; the answer took too long or the clock is wrong",
    ),
    (
        "AADSTS90072",
        "the account of another directory is not a guest in this one; invite it",
    ),
    (
        "AADSTS90094",
        "an administrator must consent to the permissions first",
    ),
    (
        "AADSTS500113",
        "the app registration has no redirect URI; add …/oidc/NAME/callback, type Web",
    ),
    (
        "AADSTS700016",
        "client_id is not known in this tenant; check client_id and the tenant in the issuer",
    ),
    (
        "AADSTS700025",
        "the app registration is a public client; leave client_secret out or register type Web",
    ),
    (
        "AADSTS7000215",
        "client_secret is wrong; it must be the secret's value, not its id",
    ),
    (
        "AADSTS7000218",
        "the app registration is confidential; set client_secret",
    ),
    ("AADSTS7000222", "client_secret has expired; make a new one"),
];

/// An error as the idp named it; only for the log.
#[derive(Debug, thiserror::Error)]
#[error("idp answered {code}{hint}: {words}")]
pub(super) struct IdpError {
    code: String,
    hint: String,
    words: String,
}

impl IdpError {
    /// Takes the idp's words, cut and without control characters (R41).
    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        let description = description.unwrap_or("no description");
        Self {
            code: plain(code),
            hint: hint(code, description).map_or_else(String::new, |hint| format!(" ({hint})")),
            words: plain(description),
        }
    }

    /// An error at the authorization endpoint (RFC 6749 4.1.2.1, Core 3.1.2.6).
    pub(super) fn at_authorization(self) -> Problem {
        let problem = match self.code.as_str() {
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

fn hint(code: &str, description: &str) -> Option<&'static str> {
    let word = |word: &&str| word.starts_with("AADSTS");
    let named = description
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(word);
    let entra = HINTS.iter().find(|(code, _)| Some(*code) == named);
    entra.map(|(_, hint)| *hint).or(match code {
        "invalid_client" => Some("client_id or client_secret is wrong"),
        "unauthorized_client" => Some("the idp does not let this client use the code flow"),
        "invalid_scope" => Some("a name in idp.scopes is not known to the idp"),
        "invalid_request" => Some("often a redirect URI that is not registered at the idp"),
        "access_denied" => Some("the person cancelled or is not assigned to the app"),
        _ => None,
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
                "not its id",
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
