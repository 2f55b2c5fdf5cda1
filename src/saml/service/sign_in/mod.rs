//! Sign-in (Profiles 4.1): our request, and what the idp's answer becomes.
//!
//! The answer comes by a POST from the idp's site, with which browsers send no `SameSite=Lax` cookie. So it is verified
//! first, with the request that its `RelayState` names, and then the browser is sent once to ourselves: only there, with
//! its cookie, is the sign-in finished, and only in the browser that began it (R22).

mod arrive;
mod ask;
mod go_on;
mod proof;

use openssl::error::ErrorStack;

use crate::problem::Problem;

/// Why an answer of the idp is no sign-in, besides what [`Refusal`] says.
#[derive(Debug, thiserror::Error)]
enum SignInError {
    #[error("idp has no address for sign-in")]
    NoEndpoint,
    #[error("form holds no SAMLResponse")]
    NoResponse,
    #[error("person was to prove anew who they are, and the idp did not ask them")]
    NotAgain,
    #[error("the browser sent no cookie of a sign-in")]
    NoCookie,
    #[error("verification broke off")]
    BrokenOff,
    #[error("request cannot be signed")]
    Signing(#[from] ErrorStack),
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoResponse => Self::bad_request(
                "sign_in.answer",
                "Your sign-in service's answer does not fit this sign-in. Please start again.",
            ),
            SignInError::NotAgain => Self::forbidden(
                "sign_in.not_again",
                "This page needs you to prove again who you are, and your sign-in service did not ask you. Sign out there, then try again.",
            ),
            SignInError::NoCookie => Self::bad_request(
                "sign_in.cookies",
                "This sign-in was begun in another browser or window, or your browser keeps no cookies of this site. Allow cookies and start again at the app's address.",
            ),
            SignInError::NoEndpoint | SignInError::BrokenOff | SignInError::Signing(_) => {
                return Self::internal(error);
            }
        }
        .because(error)
    }
}

/// A letter that XML wants, then the random bits that the sign-in keeps (Core 1.3.4).
fn request_id(nonce: &str) -> String {
    format!("_{nonce}")
}
