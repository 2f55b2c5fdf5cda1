//! Why somebody could not be signed in to the app. Nothing here holds a password, a cookie or what a page said.

use std::time::Duration;

use http::StatusCode;

use super::attempts::Failed;
use crate::clock::Timestamp;
use crate::problem::{Problem, chain};
use crate::provision::Refused;
use crate::proxy::upstream::UpstreamError;
use crate::web::BodyError;

/// After a refusal the app is not asked again for this long: many lock accounts whose password is wrong.
const REFUSED: Duration = Duration::from_secs(30);
/// After no answer.
const UNREACHED: Duration = Duration::from_secs(2);

/// Why somebody could not be signed in to the app.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginFailure {
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("not signed in to the app within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("the app's sign-in page")]
    Body(#[from] BodyError),
    #[error("the app's sign-in page answers {}", .0.as_u16())]
    Page(StatusCode),
    #[error("the app's sign-in page has no {0}: is upstream.login.csrf right?")]
    NoToken(String),
    #[error("a template of upstream.login gives what cannot be sent: {0}")]
    Template(String),
    #[error(
        "the app refuses the sign-in, or upstream.login.success does not fit: it answers {status}{to}"
    )]
    Refused {
        /// What it answered.
        status: u16,
        /// Where it redirects to.
        to: String,
    },
    #[error("the app sets none of upstream.login.cookies")]
    NoCookie,
    #[error(
        "the app says that the session has ended that it has just begun: are upstream.login.cookies and ended right?"
    )]
    NotTaken,
    #[error("no account to sign in with")]
    Account(#[from] Refused),
}

impl LoginFailure {
    /// As it is told, and for how long it counts.
    pub(super) fn told(self, now: Timestamp) -> Failed {
        let why = chain(&self);
        let pause = match &self {
            // It tells nothing of the app.
            Self::Upstream(UpstreamError::Revoked) => Duration::ZERO,
            Self::Body(BodyError::TooLarge(_)) => REFUSED,
            Self::Upstream(_)
            | Self::Slow(_)
            | Self::Body(_)
            | Self::Account(Refused::Directory(_)) => UNREACHED,
            Self::Page(status) if status.is_server_error() => UNREACHED,
            Self::Account(Refused::App(failure)) if failure.passes() => UNREACHED,
            Self::Page(_)
            | Self::NoToken(_)
            | Self::Template(_)
            | Self::Refused { .. }
            | Self::NoCookie
            | Self::NotTaken
            | Self::Account(_) => REFUSED,
        };
        let problem = self.problem();
        Failed {
            until: now.plus(pause),
            status: problem.status,
            code: problem.code,
            detail: problem.detail,
            why,
        }
    }

    fn problem(self) -> Problem {
        let bad = |code, detail| Problem::new(StatusCode::BAD_GATEWAY, code, detail);
        let later = |code, detail| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        match self {
            Self::Upstream(error) => error.into(),
            Self::Slow(_) | Self::Body(BodyError::Slow(_) | BodyError::Broken(_)) => Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                "app_login.slow",
                "The application took too long to sign you in. Please try again.",
            ),
            Self::Page(status) if status.is_server_error() => later(
                "app_login.app",
                "The app is not ready to sign you in. Please try again in a moment.",
            ),
            Self::Account(Refused::Directory(_)) => later(
                "app_login.store",
                "Your account cannot be looked up at the moment. Please try again in a moment.",
            ),
            Self::Account(Refused::App(failure)) if failure.passes() => later(
                "app_login.app",
                "Your account in the app cannot be set up now. Please try again in a moment.",
            ),
            Self::Account(_) => bad(
                "app_login.no_account",
                "There is no sign-in to the app kept for you. Ask for your account in the app to be set up.",
            ),
            Self::Body(BodyError::TooLarge(_))
            | Self::Page(_)
            | Self::NoToken(_)
            | Self::Template(_)
            | Self::Refused { .. }
            | Self::NoCookie
            | Self::NotTaken => bad(
                "app_login.refused",
                "The app did not take the sign-in that is kept for you. Ask for your account in the app to be looked at.",
            ),
        }
    }
}
