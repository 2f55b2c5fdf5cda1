//! What the access log is told of one request, gathered on its way.

use std::sync::Arc;
use std::time::Duration;

use crate::problem::Problem;
use crate::session::{Live, Prepared};

/// How the gate decided, for log and metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// The request could not be read in one way only.
    #[default]
    BadRequest,
    /// One of our own addresses.
    Own,
    /// It may pass.
    Allow,
    /// Somebody has to sign in first.
    SignIn,
    /// Not this person, not here.
    Refuse,
}

impl Verdict {
    /// The word in the access line and in `sidegate_decisions_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Own => "own",
            Self::Allow => "allow",
            Self::SignIn => "sign_in",
            Self::Refuse => "refuse",
        }
    }
}

/// What one request met.
#[derive(Debug, Default)]
pub struct Trace {
    /// How the gate decided.
    pub verdict: Verdict,
    /// Number of the rule that decided; none is the default.
    pub rule: Option<usize>,
    /// A stable word on why.
    pub reason: &'static str,
    /// The session or bearer use.
    pub live: Option<Arc<Live>>,
    /// What policy saw of the person.
    pub prepared: Option<Arc<Prepared>>,
    /// Until the upstream's response head.
    pub upstream: Option<Duration>,
    /// Code of the problem that was answered.
    pub code: &'static str,
    /// Its causes; never shown to the caller.
    pub cause: String,
}

impl Trace {
    /// Keeps how the gate decided.
    pub(super) const fn decided(
        &mut self,
        verdict: Verdict,
        rule: Option<usize>,
        reason: &'static str,
    ) {
        self.verdict = verdict;
        self.rule = rule;
        self.reason = reason;
    }

    /// Keeps code and causes of a problem that is about to be answered.
    pub fn note(&mut self, problem: &Problem) {
        self.code = problem.code;
        self.cause = problem.causes();
    }
}
