//! The app's CORS on our refusals, so that a page of another origin can read a 401 (Fetch, 3.2).
//!
//! What the app itself granted an origin on earlier answers is put on ours to the same origin. An
//! origin that the app never granted anything gets nothing.

use std::sync::Mutex;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Origins that are remembered; the oldest go first.
const MOST: usize = 64;
const GRANTS: [HeaderName; 3] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
];

/// What the app granted which origin.
#[derive(Debug, Default)]
pub struct Cors {
    seen: Mutex<Vec<(HeaderValue, HeaderMap)>>,
}

impl Cors {
    /// Looks at an answer of the app to a request with this `Origin`.
    pub fn learn(&self, origin: &HeaderValue, answer: &HeaderMap) {
        let Some(allowed) = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN) else {
            return;
        };
        if allowed != origin && allowed != "*" {
            return;
        }
        let mut grant = HeaderMap::new();
        for name in GRANTS {
            if let Some(value) = answer.get(&name) {
                grant.insert(name, value.clone());
            }
        }
        let Ok(mut seen) = self.seen.lock() else {
            return;
        };
        if seen
            .iter()
            .any(|(its, known)| its == origin && *known == grant)
        {
            return;
        }
        seen.retain(|(its, _)| its != origin);
        if seen.len() >= MOST {
            seen.remove(0);
        }
        seen.push((origin.clone(), grant));
    }

    /// Puts on our own answer what the app granted this origin before.
    pub fn apply(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = request.get(ORIGIN) else {
            return;
        };
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let grant = self.seen.lock().ok().and_then(|seen| {
            seen.iter()
                .find(|(its, _)| its == origin)
                .map(|(_, grant)| grant.clone())
        });
        for (name, value) in grant.iter().flatten() {
            answer.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn r10_only_what_the_app_granted_this_origin() {
        let cors = Cors::default();
        let granted = map(&[
            ("access-control-allow-origin", "https://spa.test"),
            ("access-control-allow-credentials", "true"),
            ("set-cookie", "a=b"),
        ]);
        cors.learn(&HeaderValue::from_static("https://spa.test"), &granted);
        cors.learn(&HeaderValue::from_static("https://evil.test"), &granted);
        for (origin, want) in [("https://spa.test", 3), ("https://evil.test", 1)] {
            let mut answer = HeaderMap::new();
            cors.apply(&map(&[("origin", origin)]), &mut answer);
            assert_eq!(answer.len(), want, "{origin} {answer:?}");
        }
        let mut answer = HeaderMap::new();
        cors.apply(&HeaderMap::new(), &mut answer);
        assert!(answer.is_empty());
    }
}
