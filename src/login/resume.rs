//! After a sign-in: the form that met the ended session, to be sent on the person's own word.
//!
//! Refuses to show what another browser or another person wrote, and to lead a form anywhere but to a path of the app.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;

use super::form::Fields;
use super::kept::{Asker, Missing};
use super::wrote::mark;
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
        let Some(live) = self.current(visit) else {
            let here = visit.uri.path_and_query().map_or("/", |here| here.as_str());
            let here = ReturnTo::within(here, &self.settings.paths).unwrap_or_else(ReturnTo::root);
            return Ok(answer::redirect(&self.login_page(&here, false)));
        };
        let browser = self.browser(visit);
        let handle = fields.text("kept");
        let person = mark(&live.record);
        let asker = Asker {
            browser: browser.as_deref(),
            person: Some(&person),
            now: visit.now,
        };
        let kept = self.kept.peek(handle, asker);
        let others = matches!(kept, Err(Missing::Others));
        let kept = kept.ok().and_then(|kept| waiting(&kept, handle));
        let page = if let Some((path, action)) = kept {
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
                _ if others => NotKept::Others,
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
