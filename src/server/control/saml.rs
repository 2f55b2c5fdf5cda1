//! SAML, for the operator: what was refused.

use serde::{Deserialize, Serialize};

use super::execute::{Asked, Refusal, done};
use super::{Answer, MAX_ROWS};
use crate::identity::IdpName;
use crate::saml::{AskedRefusals, Purpose, RefusedAnswer};

/// Answers of an idp that were refused for the same reason. Times are RFC 3339 in UTC. What came from outside is escaped
/// and cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefusedRow {
    /// When the last one came.
    pub at: String,
    /// When the first one came.
    pub since: String,
    /// How many came.
    pub times: u64,
    /// At whose address.
    pub idp: IdpName,
    /// `sign_in` or `sign_out`.
    pub purpose: String,
    /// Whether it fits a sign-in that waited for it; others may be anybody's.
    pub asked: bool,
    /// Which check did not hold.
    pub check: String,
    /// What would have been right.
    pub expected: String,
    /// What came.
    pub came: String,
    /// The field of Entra's portal that mostly is wrong.
    pub portal_field: Option<String>,
    /// The page that it is on.
    pub portal_page: Option<String>,
    /// What to do.
    pub hint: String,
    /// Address that brought the last one.
    pub client: Option<String>,
    /// As people see it; of the last five, the newest at the end.
    pub request_ids: Vec<String>,
}

impl From<RefusedAnswer> for RefusedRow {
    fn from(its: RefusedAnswer) -> Self {
        let hint = its.refusal.hint(its.purpose);
        let purpose = match its.purpose {
            Purpose::SignIn => "sign_in",
            Purpose::SignOut => "sign_out",
        };
        Self {
            at: its.at.to_rfc3339(),
            since: its.since.to_rfc3339(),
            times: its.times,
            idp: its.idp,
            purpose: purpose.to_owned(),
            asked: its.asked,
            check: its.refusal.check().to_string(),
            expected: its.refusal.expected().to_owned(),
            came: its.refusal.came().to_owned(),
            portal_field: hint.field.map(|field| field.as_str().to_owned()),
            portal_page: hint.field.map(|field| field.page().to_owned()),
            hint: hint.todo.to_owned(),
            client: its.client.map(|client| client.to_string()),
            request_ids: its.request_ids.into(),
        }
    }
}

impl Asked<'_> {
    pub(super) fn saml_log(
        &self,
        idp: Option<IdpName>,
        request_id: Option<String>,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        let found = self.app.saml.refused().find(&AskedRefusals {
            idp,
            request_id,
            limit: limit.min(MAX_ROWS),
        });
        let rows: Vec<_> = found.into_iter().map(RefusedRow::from).collect();
        done(&rows)
    }
}
