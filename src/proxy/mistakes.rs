//! Mistakes of the settings that only their use shows: rules, header names and templates, the app's session.

use std::sync::Arc;

use super::{AppSessions, HeaderPlan, app_login};
use crate::config::{Mistake, Settings};
use crate::metrics::Metrics;
use crate::policy::Policy;

/// All of them at once, for a check of the settings; nothing is opened, stored or called.
pub fn mistakes(settings: &Settings) -> Vec<Mistake> {
    let mut all = Vec::new();
    for (number, rule) in settings.rules.iter().enumerate() {
        if let Err((_, error)) = Policy::new(std::slice::from_ref(rule)) {
            all.push(Mistake {
                key: format!("rule[{number}].path"),
                why: format!("{:?}: {error}", rule.path),
            });
        }
    }
    let metrics = Arc::new(Metrics::new());
    let plan = HeaderPlan::new(&settings.headers, &settings.public_url, None, metrics);
    match plan {
        Ok(plan) => all.extend(app_login::mistakes(settings, plan.names())),
        Err(wrong) => {
            all.extend(wrong);
            all.extend(app_login::mistakes(settings, []));
        }
    }
    let app_sessions = AppSessions::new(&settings.upstream.app_session);
    all.extend(app_sessions.err().unwrap_or_default());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPS: &str = "[connector.api]\nbase = '{upstream}'\n[connector.users]\nactive = 'none'\nlist.call = 'GET /users'\n\
        [connector.users.fields]\nname = 'userName'\npassword = { scim = 'userName', write = '{password}' }\n";

    #[test]
    fn r09_fields_that_sign_in_are_told_apart_from_those_that_identify() {
        let form = "path = '/l'\ncookies = ['S']\nfields.u = '{login}'\n";
        let ok: &[&str] = &[];
        for (login, want) in [
            ("kind = 'header'\nheaders.X-Api-User = '{login}'", ok),
            ("kind = 'header'\nheaders.Authorization = 'x'", ok),
            (
                "kind = 'header'\nheaders.x-forwarded_user = 'x'",
                &["headers.x-forwarded_user"],
            ),
            ("kind = 'header'\nheaders.Cookie = 'x'", &["headers.cookie"]),
            (
                "kind = 'header'\nheaders.Content-Type = 'x'",
                &["headers.content-type"],
            ),
            (
                "kind = 'header'\nheaders.X-Forwarded-For = 'x'",
                &["headers.x-forwarded-for"],
            ),
            (
                "kind = 'header'\nheaders = { X-A = 'x', x_a = 'x', X-Own = 'x' }",
                &["headers.x-own", "headers.x_a"],
            ),
            ("kind = 'basic'", ok),
            // With the sign-in alone, and of the person all the same.
            ("headers.X-CSRF-Token = 'x'", ok),
            (
                "headers.Transfer-Encoding = 'chunked'",
                &["headers.transfer-encoding"],
            ),
            ("headers.Connection = 'x'", &["headers.connection"]),
            ("headers.Host = 'x'", &["headers.host"]),
            ("headers.Forwarded = 'x'", &["headers.forwarded"]),
            (
                "headers.X-Forwarded-User = 'x'",
                &["headers.x-forwarded-user"],
            ),
            ("kind = 'json'\nheaders.x_own = 'x'", &["headers.x_own"]),
        ] {
            let form = if login.starts_with("kind = 'h") || login.ends_with("'basic'") {
                ""
            } else {
                form
            };
            // Of passwords nothing is said here.
            let text = format!(
                "public_url = 'https://app.test'
                local.enabled = true
                headers.set.X-Own = '{{{{ user.userName }}}}'
                [upstream]
                url = 'http://127.0.0.1:1'
                [upstream.login]
                {form}{login}
                {KEEPS}"
            );
            let all = mistakes(&Settings::parse(&text).unwrap());
            let keys: Vec<_> = all.iter().map(|its| its.key.as_str()).collect();
            let want: Vec<_> = want
                .iter()
                .map(|key| format!("upstream.login.{key}"))
                .collect();
            assert_eq!(keys, want, "{login}");
        }
    }

    #[test]
    fn r09_basic_and_a_header_of_ours_are_told_apart() {
        let text = format!(
            "public_url = 'https://app.test'\nlocal.enabled = true\nheaders.set.Authorization = 'x'\n\
             [upstream]\nurl = 'http://127.0.0.1:1'\n[upstream.login]\nkind = 'basic'\n{KEEPS}"
        );
        let all = mistakes(&Settings::parse(&text).unwrap());
        let keys: Vec<_> = all.iter().map(|its| its.key.as_str()).collect();
        assert_eq!(keys, ["upstream.login.kind"]);
    }

    #[test]
    fn all_are_told_at_once() {
        let settings = Settings::parse(
            "public_url = 'https://app.test'
            local.enabled = true
            headers.set.Host = 'x'
            [upstream]
            url = 'http://127.0.0.1:1'
            app_session.logout_paths = ['/a//b']
            [[rule]]
            path = '/fine'
            [[rule]]
            path = '/a/../b'
            [[rule]]
            path = '/a/**/b'",
        )
        .unwrap();
        let all = mistakes(&settings);
        let keys: Vec<_> = all.iter().map(|its| its.key.as_str()).collect();
        let want = [
            "rule[1].path",
            "rule[2].path",
            "headers.set.host",
            "upstream.app_session.logout_paths",
        ];
        assert_eq!(keys, want);
    }
}
