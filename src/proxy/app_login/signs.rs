//! By what an answer of the app is known: that a sign-in worked, that its session has ended.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode, Uri};
use url::Url;

use crate::config::{AppLogin, LoginKind, Sign, Target};
use crate::web::set_cookie_pair;

/// The tests of one app.
#[derive(Debug)]
pub(super) struct Signs {
    success: Vec<Sign>,
    ended: Vec<Sign>,
    home: [Target; 2],
}

impl Signs {
    /// As the settings say, or as the kind means it.
    pub(super) fn new(settings: &AppLogin) -> Self {
        let is_form = settings.kind == LoginKind::Form;
        let mut success = settings.success.clone();
        if success.is_empty() {
            success = if is_form {
                vec![Sign::Away]
            } else {
                (200..300).map(Sign::Status).collect()
            };
        }
        let mut ended = settings.ended.clone();
        if ended.is_empty() {
            ended.push(Sign::Status(401));
            ended.extend(is_form.then(|| Sign::To(settings.path.clone())));
        }
        Self {
            success,
            ended,
            home: [settings.path.clone(), settings.action.clone()],
        }
    }

    /// Whether a sign-in worked: everything that is said holds, and one of the statuses.
    pub(super) fn is_success(&self, asked: &Uri, status: StatusCode, headers: &HeaderMap) -> bool {
        let answer = Answer::new(asked, status, headers);
        let is_status = |sign: &&Sign| matches!(sign, Sign::Status(_));
        let mut statuses = self.success.iter().filter(is_status).peekable();
        let by_status = statuses.peek().is_none() || statuses.any(|sign| self.holds(sign, &answer));
        let mut others = self.success.iter().filter(|sign| !is_status(sign));
        by_status && others.all(|sign| self.holds(sign, &answer))
    }

    /// Whether an answer says that the app's session has ended: anything that is said holds.
    pub(super) fn is_ended(&self, asked: &Uri, status: StatusCode, headers: &HeaderMap) -> bool {
        let answer = Answer::new(asked, status, headers);
        self.ended.iter().any(|sign| self.holds(sign, &answer))
    }

    fn holds(&self, sign: &Sign, answer: &Answer<'_>) -> bool {
        let is = |target: &Target| {
            let to = answer.to.as_ref();
            to.is_some_and(|to| target.is(to.path(), to.query()))
        };
        match sign {
            Sign::Status(number) => answer.status.as_u16() == *number,
            Sign::Cookie(name) => answer.headers.get_all(SET_COOKIE).iter().any(|field| {
                let (its, value) = set_cookie_pair(field.as_bytes());
                its == name.as_bytes() && !value.is_empty()
            }),
            Sign::Away => answer.to.is_some() && !self.home.iter().any(is),
            Sign::To(target) => is(target),
        }
    }
}

/// What is looked at.
struct Answer<'a> {
    status: StatusCode,
    headers: &'a HeaderMap,
    to: Option<Url>,
}

impl<'a> Answer<'a> {
    fn new(asked: &Uri, status: StatusCode, headers: &'a HeaderMap) -> Self {
        let to = status.is_redirection().then(|| location(asked, headers));
        Self {
            status,
            headers,
            to: to.flatten(),
        }
    }
}

/// Where a redirect leads. Of hosts nothing is said: the app may call itself by any of its names.
pub(super) fn location(asked: &Uri, headers: &HeaderMap) -> Option<Url> {
    let asked = Url::parse("http://app.invalid")
        .ok()?
        .join(asked.path())
        .ok()?;
    let to = headers.get(LOCATION)?.to_str().ok()?;
    asked.join(to).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::config::Settings;

    fn signs(more: &str) -> Signs {
        let text = format!(
            "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n\
             [upstream.login]\npath = '/login?a=1'\naction = '/check'\ncookies = ['S']\nfields.u = '{{login}}'\n{more}"
        );
        let settings = Settings::parse(&text).unwrap();
        Signs::new(&settings.upstream.login.unwrap())
    }

    #[test]
    fn answers_are_known_by_their_signs() {
        let own = "success = ['cookie:S', 'status:302', 'status:200']\nended = ['redirect:/out', 'status:440']";
        // Settings, status, Location, Set-Cookie: a sign-in that worked? a session that ended?
        for (more, status, to, cookie, success, ended) in [
            ("", 302, "/", "", true, false),
            ("", 302, "https://app.test/home", "", true, false),
            ("", 302, "/login?a=1", "", false, true),
            ("", 302, "/login?a=1&next=%2F", "", false, true),
            ("", 302, "/login?a=2", "", true, false),
            ("", 303, "login?a=1", "", false, true),
            ("", 302, "/check", "", false, false),
            ("", 302, "", "", false, true),
            ("", 200, "/", "", false, false),
            ("", 401, "", "", false, true),
            ("kind = 'json'", 204, "", "", true, false),
            ("kind = 'json'", 302, "/", "", false, false),
            ("kind = 'json'", 401, "", "", false, true),
            (own, 302, "/", "S=1", true, false),
            (own, 302, "/", "S=", false, false),
            (own, 302, "/", "T=1", false, false),
            (own, 500, "", "S=1", false, false),
            (own, 302, "/out?x", "", false, true),
            (own, 440, "", "", false, true),
            (own, 401, "", "", false, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(LOCATION, to), (SET_COOKIE, cookie)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            if status == 302 && to.is_empty() {
                headers.insert(LOCATION, HeaderValue::from_static("?a=1"));
            }
            let asked = Uri::from_static("/login?a=1");
            let (signs, status) = (signs(more), StatusCode::from_u16(status).unwrap());
            let got = (
                signs.is_success(&asked, status, &headers),
                signs.is_ended(&asked, status, &headers),
            );
            assert_eq!(got, (success, ended), "{more} {status} {to} {cookie}");
        }
    }
}
