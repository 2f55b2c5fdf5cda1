use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{LOCATION, SET_COOKIE};

use super::*;
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::proxy::Sanitizer;
use crate::proxy::{After, Next, Stale};
use crate::web::{Inbound, Origin, OwnCookies};

const NOON: Timestamp = Timestamp::from_secs(1_000_000);

#[derive(Default)]
struct Session {
    id: &'static str,
    issued: RefCell<Vec<(String, String)>>,
}

impl Issued for Session {
    fn id(&self) -> &str {
        self.id
    }

    fn issued(&self, name: &str, value: &str) -> bool {
        self.issued
            .borrow()
            .iter()
            .any(|its| *its == (name.to_owned(), value.to_owned()))
    }

    fn remember_issued(&self, name: &str, value: &str) {
        self.issued
            .borrow_mut()
            .push((name.to_owned(), value.to_owned()));
    }
}

fn session(id: &'static str, cookies: &[(&str, &str)]) -> Session {
    let session = Session {
        id,
        ..Session::default()
    };
    for (name, value) in cookies {
        session.remember_issued(name, value);
    }
    session
}

fn app(text: &str) -> Result<AppSessions, Vec<Mistake>> {
    let settings = Settings::parse(&format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n[upstream.app_session]\n{text}"
    ))
    .unwrap();
    AppSessions::new(&settings.upstream.app_session)
}

fn miniflux() -> AppSessions {
    app("cookies = ['sid', 'RT_SID_*']\nlogin_path = '/login?next=1'\nlogout_paths = ['/logout', '/out/*', '/do?what=leave']").unwrap()
}

fn fields(name: &http::HeaderName, values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, value.parse().unwrap());
    }
    headers
}

/// What the app gets of the cookies, and what is stale.
fn strip(cookies: &[&str], live: Option<&dyn Issued>) -> (Option<String>, Vec<String>) {
    let sanitizer = Sanitizer::new(
        [],
        OwnCookies::new("sidegate"),
        Arc::new(miniflux()),
        Vec::new(),
        Arc::new(Metrics::new()),
    );
    let mut headers = fields(&COOKIE, cookies);
    headers.insert("host", "app.test".parse().unwrap());
    let inbound = Inbound {
        peer: None,
        tls: true,
    };
    let origin = Origin::read(inbound, &headers, None, &[]).unwrap();
    let found = sanitizer
        .request(&mut headers, &origin, inbound, live)
        .unwrap();
    let left = headers
        .get(COOKIE)
        .map(|value| value.to_str().unwrap().to_owned());
    (left, found.stale.names)
}

#[test]
fn a_cookie_of_another_session_never_reaches_the_app() {
    let ada = session("ada", &[("sid", "a1"), ("RT_SID_x", "a2")]);
    for (name, cookies, want, stale) in [
        ("issued", &["sid=a1; x=1"][..], Some("sid=a1; x=1"), &[][..]),
        ("another person's", &["sid=b1; x=1"], Some("x=1"), &["sid"]),
        ("alone", &["sid=b1"], None, &["sid"]),
        (
            "by beginning",
            &["RT_SID_y=b; RT_SID_x=a2"],
            Some("RT_SID_x=a2"),
            &["RT_SID_y"],
        ),
        (
            "another name's value",
            &["sid=a2; RT_SID_x=a1"],
            None,
            &["sid", "RT_SID_x"],
        ),
        (
            "ours too",
            &["sidegate=t; sid=b1; x=1"],
            Some("x=1"),
            &["sid"],
        ),
        (
            "not named",
            &["other=b1; sidx=1; SID=1"],
            Some("other=b1; sidx=1; SID=1"),
            &[],
        ),
        // Expiring by name would take the good one.
        ("old and new", &["sid=b1; sid=a1"], Some("sid=a1"), &[]),
        ("spaces", &[" sid = b1 ; x=1"], Some("x=1"), &["sid"]),
        ("two fields", &["x=1", "sid=b1"], Some("x=1"), &["sid"]),
        ("empty", &["sid="], None, &["sid"]),
    ] {
        let (got, names) = strip(cookies, Some(&ada));
        assert_eq!(got.as_deref(), want, "{name}");
        assert_eq!(names, stale, "{name}");
    }
    // A cookie alone must never carry anybody's identity.
    assert_eq!(
        strip(&["sid=a1; x=1"], None),
        (Some("x=1".to_owned()), vec!["sid".to_owned()])
    );
}

fn answer(
    app: &AppSessions,
    live: Option<&dyn Issued>,
    path: &str,
    status: u16,
    stale: &[&str],
    headers: &mut HeaderMap,
) -> Next {
    let stale = Stale {
        names: stale.iter().map(|its| (*its).to_owned()).collect(),
    };
    let after = After {
        method: &Method::GET,
        path: &RequestPath::of(&path.parse().unwrap()).unwrap(),
        status: StatusCode::from_u16(status).unwrap(),
        navigation: true,
        https: true,
        now: NOON,
    };
    app.after(&after, live, &stale, headers)
}

#[test]
fn what_the_app_issues_is_remembered_and_what_is_stale_expires() {
    let (app, ada) = (miniflux(), session("ada", &[]));
    let mut headers = fields(
        &SET_COOKIE,
        &[
            "sid=new; Path=/; HttpOnly",
            "other=1",
            "RT_SID_1=; Max-Age=0",
            "=sid=nameless",
        ],
    );
    answer(
        &app,
        Some(&ada),
        "/feeds/1",
        200,
        &["sid", "RT_SID_old"],
        &mut headers,
    );
    assert!(ada.issued("sid", "new") && ada.issued("sid", "nameless"));
    assert!(!ada.issued("other", "1") && !ada.issued("RT_SID_1", ""));
    let set: Vec<_> = headers.get_all(SET_COOKIE).iter().skip(4).collect();
    assert_eq!(
        set,
        [
            "RT_SID_old=; Max-Age=0; Path=/; HttpOnly; Secure",
            "RT_SID_old=; Max-Age=0; Path=/feeds; HttpOnly; Secure",
            "RT_SID_old=; Max-Age=0; Path=/feeds/; HttpOnly; Secure",
        ]
    );
    // Without a session nothing is remembered, and the answer passes.
    let mut headers = fields(&SET_COOKIE, &["sid=anonymous"]);
    assert_eq!(answer(&app, None, "/", 200, &[], &mut headers), Next::Pass);
    assert_eq!(headers.len(), 1);
}

#[test]
fn farewell_takes_the_apps_cookies_along() {
    let mut headers = HeaderMap::new();
    let request = fields(&COOKIE, &["sid=a1; x=1; RT_SID_q=2; sid=3"]);
    miniflux().farewell(
        &request,
        &RequestPath::parse("/").unwrap(),
        false,
        &mut headers,
    );
    let set: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
    assert_eq!(
        set,
        [
            "sid=; Max-Age=0; Path=/; HttpOnly",
            "RT_SID_q=; Max-Age=0; Path=/; HttpOnly"
        ]
    );
}

fn lead(
    app: &AppSessions,
    live: &Session,
    target: &str,
    cookies: &str,
    change: impl Fn(&mut Before<'_>),
) -> Option<String> {
    let path = RequestPath::of(&target.parse().unwrap()).unwrap();
    let headers = fields(&COOKIE, &[cookies]);
    let mut asked = Before {
        method: &Method::GET,
        path: &path,
        headers: &headers,
        navigation: true,
        identified: true,
        now: NOON,
    };
    change(&mut asked);
    app.lead(&asked, live)
        .map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn a_deep_link_goes_through_the_apps_sign_in_once() {
    let (app, ada) = (miniflux(), session("ada", &[]));
    let go = |target: &str| lead(&app, &ada, target, "sid=old", |_| {});
    assert_eq!(go("/feeds?x=1").as_deref(), Some("/login?next=1"));
    // The app's answer sets its cookie: the person goes on to the link, not to the app's start page.
    let mut headers = fields(&SET_COOKIE, &["sid=a1"]);
    headers.insert(LOCATION, "/start".parse().unwrap());
    answer(&app, Some(&ada), "/login", 302, &[], &mut headers);
    assert_eq!(headers[LOCATION], "/feeds?x=1");
    // With the app's cookie nobody is led; without it not twice.
    assert_eq!(lead(&app, &ada, "/feeds?x=2", "sid=a1", |_| {}), None);
    assert_eq!(go("/feeds?x=1"), None);
    let later = lead(&app, &ada, "/feeds?x=1", "", |asked| {
        asked.now = NOON.plus(Duration::from_mins(1));
    });
    assert!(later.is_some());
}

#[test]
fn nobody_is_led_in_circles() {
    let (app, ada, bob) = (miniflux(), session("ada", &[]), session("bob", &[]));
    // The sign-in sets no cookie: its answer passes as it is, and the link passes next time.
    assert!(lead(&app, &ada, "/a", "", |_| {}).is_some());
    let mut headers = fields(&LOCATION, &["/start"]);
    answer(&app, Some(&ada), "/login", 302, &[], &mut headers);
    assert_eq!(headers[LOCATION], "/start");
    assert_eq!(lead(&app, &ada, "/a", "", |_| {}), None);
    // An app that makes a new address each time is asked eight times at most.
    let led = (0..20).filter(|n| lead(&app, &bob, &format!("/b?{n}"), "", |_| {}).is_some());
    assert_eq!(led.count(), 8);
    // A link of one person never leads another one.
    let carol = session("carol", &[]);
    let mut headers = fields(&SET_COOKIE, &["sid=c1"]);
    headers.insert(LOCATION, "/start".parse().unwrap());
    answer(&app, Some(&carol), "/login", 302, &[], &mut headers);
    assert_eq!(headers[LOCATION], "/start");
}

#[test]
fn only_a_page_of_an_identified_person_is_led() {
    let ada = session("ada", &[("sid", "a1")]);
    let led = |target: &str, change: fn(&mut Before<'_>)| {
        lead(&miniflux(), &ada, target, "sid=b1", change).is_some()
    };
    assert!(led("/a", |_| {}));
    assert!(!led("/a", |asked| asked.method = &Method::POST));
    assert!(!led("/a", |asked| asked.navigation = false));
    assert!(!led("/a", |asked| asked.identified = false));
    assert!(!led("/login", |_| {}));
    assert!(!led("/logout", |_| {}));
    let none = app("cookies = ['sid']").unwrap();
    assert_eq!(lead(&none, &ada, "/a", "", |_| {}), None);
}

#[test]
fn the_apps_logout_ends_our_session() {
    let (app, ada) = (miniflux(), session("ada", &[]));
    for (path, status, want) in [
        ("/logout", 302, Next::EndSession { page: true }),
        ("/logout/", 200, Next::EndSession { page: true }),
        ("/out/x", 204, Next::EndSession { page: true }),
        // The app failed, but the person wanted out.
        ("/logout", 500, Next::EndSession { page: false }),
        // The app refused, as without its CSRF token.
        ("/logout", 403, Next::Pass),
        ("/logout/x", 200, Next::Pass),
        (
            "/do?csrf=1&what=leave",
            302,
            Next::EndSession { page: true },
        ),
        ("/do?what=stay", 302, Next::Pass),
        ("/do", 302, Next::Pass),
        ("/", 302, Next::Pass),
    ] {
        let mut headers = HeaderMap::new();
        assert_eq!(
            answer(&app, Some(&ada), path, status, &[], &mut headers),
            want,
            "{path} {status}"
        );
        assert_eq!(
            answer(&app, None, path, status, &[], &mut headers),
            Next::Pass,
            "{path} {status}"
        );
    }
}

#[test]
fn paths_that_no_request_can_have_are_mistakes() {
    for (text, want) in [
        (
            "logout_paths = ['/a/../b', 'x']",
            &["logout_paths", "logout_paths"][..],
        ),
        ("cookies = ['x']\nlogin_path = '/a/../b'", &["login_path"]),
        (
            "cookies = ['', '*', 'a*b', 'a=b', 'a b', 'ok', 'ok*']",
            &["cookies"; 5],
        ),
        (
            "cookies = ['x']\nlogin_path = '/index_http.php?x=1'\nlogout_paths = ['/out/**']",
            &[],
        ),
    ] {
        let got: Vec<_> = app(text).err().unwrap_or_default();
        let keys: Vec<_> = got
            .iter()
            .filter_map(|its| its.key.strip_prefix("upstream.app_session."))
            .collect();
        assert_eq!(keys, want, "{text}");
    }
}
