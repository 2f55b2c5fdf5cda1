//! `/Me` (RFC 7644 3.11): the person of a session. Read-only: who changes people is the idp.

use http::{Method, StatusCode};

use super::answer::Answer;
use super::{Scim, ScimError, render};
use crate::login::bearer_token;
use crate::web::Visit;

impl Scim {
    /// The signed-in person, by session or by an idp's access token; none when the request shows neither.
    ///
    /// # Errors
    ///
    /// 405 for anything but GET; the directory failed.
    pub(super) async fn me(&self, visit: &Visit) -> Result<Option<Answer>, ScimError> {
        let live = match (self.login.current(visit), bearer_token(visit)) {
            (Some(live), _) => Some(live),
            // Whatever is wrong with it, it may be a SCIM client's: those are refused by their own check.
            (None, Some(token)) => self.login.bearer(visit, token).await.ok().flatten(),
            (None, None) => None,
        };
        let Some(live) = live else {
            return Ok(None);
        };
        if !matches!(visit.method, Method::GET | Method::HEAD) {
            return Err(ScimError::method("GET"));
        }
        let (tenant, id) = (&live.record.tenant, &live.record.user);
        let user = self.provision.directory().user(tenant, id).await;
        // R26: who was deactivated a moment ago is nobody.
        let Some(user) = user
            .map_err(super::record::failed)?
            .filter(|user| user.active)
        else {
            return Ok(None);
        };
        let groups = self.provision.directory().groups_of(tenant, id).await;
        let groups = groups.map_err(super::record::failed)?;
        let version = user.version;
        let base = self.base(tenant);
        let resource = render::user(&user, Some(&groups), &base);
        let location = base.of(super::route::Kind::User, user.id.as_str());
        Ok(Some(Answer::resource(
            StatusCode::OK,
            resource,
            &location,
            version,
        )))
    }
}
