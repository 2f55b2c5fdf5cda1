//! When whoever answers "not now" wants to be asked again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Nobody is left alone for longer, whatever they say.
const LONGEST: Duration = Duration::from_hours(2);

/// `Retry-After` of an answer: seconds, or a date (RFC 9110 10.2.3), which is as far away as the answer's own `Date` says:
/// our clocks may differ.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let wanted = text(RETRY_AFTER)?.trim();
    let wait = match wanted.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_no_number) => {
            let at = httpdate::parse_http_date(wanted).ok()?;
            let now = httpdate::parse_http_date(text(DATE)?).ok()?;
            // In the past is now.
            at.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        const NOW: &str = "Sun, 22 Nov 2026 09:30:00 GMT";
        for (retry, date, seconds) in [
            ("7", "", Some(7)),
            (" 7", NOW, Some(7)),
            ("0", "", Some(0)),
            ("86400", "", Some(7200)),
            ("Sun, 22 Nov 2026 09:31:30 GMT", NOW, Some(90)),
            ("Sunday, 22-Nov-26 09:30:01 GMT", NOW, Some(1)),
            ("Sun Nov 22 09:30:02 2026", NOW, Some(2)),
            ("Sun, 22 Nov 2026 09:29:00 GMT", NOW, Some(0)),
            ("Mon, 22 Nov 2027 09:30:00 GMT", NOW, Some(7200)),
            ("Sun, 22 Nov 2026 09:31:30 GMT", "", None),
            ("Sun, 22 Nov 2026 09:31:30 GMT", "yesterday", None),
            ("-1", NOW, None),
            ("7.5", NOW, None),
            ("soon", NOW, None),
            ("", NOW, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry.parse().unwrap());
            if !date.is_empty() {
                headers.insert(DATE, date.parse().unwrap());
            }
            let wait = retry_after(&headers).map(|wait| wait.as_secs());
            assert_eq!(wait, seconds, "{retry:?}, {date:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
