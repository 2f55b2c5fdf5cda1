//! After a sign-in: the form that met the ended session, to be sent on the person's own word.
//!
//! Refuses to show what another browser wrote, and to lead a form anywhere but to a path of the app.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;

use super::form::Fields;
use super::{Kept, Login, ReturnTo};
use crate::problem::Problem;
use crate::web::page::{self, NotKept, Waiting};
use crate::web::{Visit, answer};

/// The proxy takes this parameter out and puts the kept body in.
const PARAMETER: &str = "sidegate-resume";

impl Login {
    /// GET of the page; `kept` names what waits, `lost` says that nothing could.
    ///
    /// # Errors
    ///
    /// The query cannot be read.
    pub(super) fn resume(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::query(visit)?;
        if self.current(visit).is_none() {
            let here = visit.uri.path_and_query().map_or("/", |here| here.as_str());
            let here = ReturnTo::within(here, &self.settings.paths).unwrap_or_else(ReturnTo::root);
            return Ok(answer::redirect(&self.login_page(&here, false)));
        }
        let browser = self.browser(visit);
        let handle = fields.text("kept");
        let kept = self.kept.peek(handle, browser.as_deref(), visit.now);
        let page = if let Some((path, action)) = kept.and_then(|kept| waiting(&kept, handle)) {
            let waiting = Waiting {
                method: Method::POST.as_str(),
                path: &path,
                action: &action,
            };
            page::resume(waiting)
        } else {
            // R17: a link of ours leads to paths of the app alone.
            let to = ReturnTo::within(fields.text("to"), &self.settings.paths)
                .unwrap_or_else(ReturnTo::root);
            let why = match fields.find("lost") {
                Some(_) => NotKept::NeverKept,
                None => NotKept::Gone,
            };
            page::stopped(why, to.as_str())
        };
        Ok(answer::page(StatusCode::OK, &self.look, &page))
    }
}

/// Path and form target; none for what a form of a page cannot repeat.
fn waiting(kept: &Kept, handle: &str) -> Option<(String, String)> {
    if kept.method != Method::POST {
        return None;
    }
    // R17: `//host` would be another site's address.
    let target = ReturnTo::parse(&kept.target)?;
    let target = target.as_str();
    let (path, joined_by) = match target.split_once('?') {
        Some((path, _)) => (path, '&'),
        None => (target, '?'),
    };
    Some((
        path.to_owned(),
        format!("{target}{joined_by}{PARAMETER}={handle}"),
    ))
}
