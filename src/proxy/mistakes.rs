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
        Err(wrong) => all.extend(wrong),
    }
    let app_sessions = AppSessions::new(&settings.upstream.app_session);
    all.extend(app_sessions.err().unwrap_or_default());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r09_fields_that_sign_in_are_told_apart_from_those_that_identify() {
        for (name, ok) in [
            ("X-Api-User", true),
            ("Authorization", true),
            ("x-forwarded_user", false),
            ("Cookie", false),
            ("Content-Type", false),
            ("X-Forwarded-For", false),
        ] {
            let text = format!(
                "public_url = 'https://app.test'
                local.enabled = true
                [upstream]
                url = 'http://127.0.0.1:1'
                [upstream.login]
                kind = 'header'
                headers = {{ {name} = '{{login}}' }}"
            );
            let all = mistakes(&Settings::parse(&text).unwrap());
            assert_eq!(all.is_empty(), ok, "{name}: {all:?}");
        }
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
