//! Identity is set on a request here and nowhere else, and only with policy's proof (R11).

use http::HeaderMap;

use crate::policy::Grant;
use crate::session::Prepared;

/// Sets what was prepared for the person, when policy says that their identity goes to the app. Every other
/// spelling of these names was dropped before.
pub fn attach(grant: &Grant, prepared: Option<&Prepared>, headers: &mut HeaderMap) {
    let Some(prepared) = prepared.filter(|_| grant.identified()) else {
        return;
    };
    for (name, value) in &prepared.headers {
        headers.insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderValue, Method};
    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;
    use crate::config::Settings;
    use crate::identity::Identity;
    use crate::policy::{Asked, Decision, Person, Policy};
    use crate::web::RequestPath;

    const NOON: Timestamp = Timestamp::from_secs(1_000_000);

    fn ada() -> Identity {
        let user = json!({
            "id": "1", "tenant": "default", "user_name": "ada", "external_id": null, "active": true,
            "managed_by": "operator", "created": 1, "modified": 1, "version": 1,
        });
        Identity {
            user: serde_json::from_value(user).unwrap(),
            groups: Vec::new(),
            roles: Vec::new(),
            account: None,
        }
    }

    #[test]
    fn r11_identity_needs_a_grant_that_says_so() {
        let settings = Settings::parse(
            "public_url = 'https://app.test'
            local.enabled = true
            upstream.url = 'http://127.0.0.1:1'
            rule = [{path = '/public', access = 'public'}, {path = '/maybe', access = 'optional'}]",
        )
        .unwrap();
        let policy = Policy::new(&settings.rules).unwrap();
        let prepared = Prepared {
            stamp: 0,
            settings: 0,
            renew_at: NOON,
            identity: Arc::new(ada()),
            headers: vec![(
                "x-forwarded-user".parse().unwrap(),
                HeaderValue::from_static("ada"),
            )],
        };
        for (path, signed_in, want) in [
            ("/", true, true),
            ("/maybe", true, true),
            ("/maybe", false, false),
            ("/public", true, false),
            ("/public", false, false),
        ] {
            let path = RequestPath::parse(path).unwrap();
            let asked = Asked {
                path: &path,
                method: &Method::GET,
                client: None,
                now: NOON,
            };
            let person = signed_in.then_some(Person {
                identity: &prepared.identity,
                authenticated_at: NOON,
            });
            let Decision::Allow(grant) = policy.decide(asked, person) else {
                panic!("{path:?} passes");
            };
            let mut headers = HeaderMap::new();
            attach(&grant, Some(&prepared), &mut headers);
            assert_eq!(
                headers.contains_key("x-forwarded-user"),
                want,
                "{path:?} {signed_in}"
            );
            attach(&grant, None, &mut HeaderMap::new());
        }
    }
}
