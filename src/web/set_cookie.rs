//! Cookies that we set.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::HeaderValue;

/// One `Set-Cookie` of ours: `HttpOnly`, `Path=/`, `Secure` under https, no `Domain`.
#[derive(Clone, Debug)]
pub struct SetCookie<'a> {
    /// Name without prefix; under https `__Host-` goes before it.
    pub name: &'a str,
    /// Value; empty deletes the cookie.
    pub value: &'a str,
    /// `lax`, `strict` or `none`.
    pub same_site: &'static str,
    /// Lifetime; none lasts as long as the browser runs.
    pub max_age: Option<Duration>,
    /// Whether people reach us by https.
    pub https: bool,
}

impl SetCookie<'_> {
    /// The name on the wire.
    pub fn wire_name(&self) -> String {
        if self.https {
            format!("__Host-{}", self.name)
        } else {
            self.name.to_owned()
        }
    }

    /// The field's value.
    pub fn to_header(&self) -> HeaderValue {
        let mut cookie = Cookie::build((self.wire_name(), self.value))
            .path("/")
            .http_only(true)
            .secure(self.https)
            .same_site(match self.same_site {
                "strict" => SameSite::Strict,
                "none" => SameSite::None,
                _ => SameSite::Lax,
            })
            .build();
        let max_age = if self.value.is_empty() {
            Some(Duration::ZERO)
        } else {
            self.max_age
        };
        if let Some(seconds) = max_age.and_then(|age| i64::try_from(age.as_secs()).ok()) {
            cookie.set_max_age(time::Duration::seconds(seconds));
        }
        // Names and values are our own tokens; one that no field can hold sets nothing.
        HeaderValue::try_from(cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_have_every_attribute() {
        let plain = SetCookie {
            name: "sidegate",
            value: "v",
            same_site: "lax",
            max_age: None,
            https: false,
        };
        for (set, want) in [
            (plain.clone(), "sidegate=v; HttpOnly; SameSite=Lax; Path=/"),
            (
                SetCookie {
                    https: true,
                    same_site: "none",
                    max_age: Some(Duration::from_mins(1)),
                    ..plain.clone()
                },
                "__Host-sidegate=v; HttpOnly; SameSite=None; Secure; Path=/; Max-Age=60",
            ),
            (
                SetCookie {
                    value: "",
                    same_site: "strict",
                    ..plain.clone()
                },
                "sidegate=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0",
            ),
            (
                SetCookie {
                    value: "a\r\nX: y",
                    ..plain
                },
                "",
            ),
        ] {
            assert_eq!(set.to_header(), want);
        }
    }
}
