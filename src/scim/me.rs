//! `/Me` (RFC 7644 3.11): the person of a session. Read-only: who changes people is the idp.

use http::{Method, StatusCode};

use super::answer::Answer;
use super::{Scim, ScimError, render};
use crate::web::Visit;

impl Scim {
    /// The signed-in person; none when the request has no session.
    ///
    /// # Errors
    ///
    /// 405 for anything but GET; the directory failed.
    pub(super) async fn me(&self, visit: &Visit) -> Result<Option<Answer>, ScimError> {
        let Some(live) = self.login.current(visit) else {
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
