//! `xs:dateTime` and `xs:duration`, as SAML writes them.

use std::time::Duration;

use roxmltree::Node;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::refusal::{Check, Refusal};
use super::xml::attribute;
use crate::clock::Timestamp;

/// How far an idp's clock may be from ours. Entra suggests up to five minutes; three are what idps need.
pub(super) const SKEW: Duration = Duration::from_mins(3);

/// Whether the moment has come, give or take the skew.
pub(super) fn has_come(moment: Timestamp, now: Timestamp) -> bool {
    moment <= now.plus(SKEW)
}

/// Whether the moment is over, give or take the skew. At the moment itself it is (Core 2.5.1.2: "on or after").
pub(super) fn is_over(moment: Timestamp, now: Timestamp) -> bool {
    moment.plus(SKEW) <= now
}

/// A moment with `Z` or an offset (Core 1.3.3), whole seconds. Fractions are dropped; years before 1970 are 1970.
pub fn moment(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(Timestamp::from_secs(
        u64::try_from(at.unix_timestamp()).unwrap_or(0),
    ))
}

/// The moment in an attribute.
pub(super) fn moment_of(
    node: Node<'_, '_>,
    name: &str,
    check: Check,
) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = attribute(node, name) else {
        return Ok(None);
    };
    moment(text)
        .map(Some)
        .ok_or_else(|| Refusal::new(check, format!("{name} like 2026-11-22T09:30:00Z"), text))
}

/// `xs:duration` (XML Schema 2, 3.2.6), whole seconds. A year has 365 days here and a month 30; none is negative.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').unwrap_or((rest, "0S"));
    if rest.is_empty() || rest.ends_with('T') {
        return None;
    }
    let days = counted(date, &[('Y', 31_536_000), ('M', 2_592_000), ('D', 86_400)])?;
    let seconds = counted(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    Some(Duration::from_secs(days.saturating_add(seconds)))
}

/// Numbers with their units, each unit at most once and in this order; fractions are dropped.
fn counted(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    for (unit, seconds) in units {
        let Some((number, after)) = rest.split_once(*unit) else {
            continue;
        };
        let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
        if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: u64 = whole.parse().ok()?;
        total = total.saturating_add(count.saturating_mul(*seconds));
        rest = after;
    }
    rest.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_an_offset_and_any_fraction() {
        const NOON: u64 = 1_795_348_800;
        for (text, want) in [
            ("2026-11-22T12:00:00Z", Some(NOON)),
            ("2026-11-22T12:00:00.9999999Z", Some(NOON)),
            ("2026-11-22T12:00:00.123456789Z", Some(NOON)),
            ("2026-11-22T14:00:00+02:00", Some(NOON)),
            ("1969-12-31T23:59:59Z", Some(0)),
            ("2026-11-22T12:00:00", None),
            ("2026-11-22", None),
            ("262142-01-01T00:00:00Z", None),
            ("-0001-01-01T00:00:00Z", None),
            ("", None),
            ("2026-02-30T12:00:00Z", None),
        ] {
            assert_eq!(moment(text).map(Timestamp::as_secs), want, "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_seconds() {
        for (text, want) in [
            ("PT6H", Some(21_600)),
            ("PT1440M", Some(86_400)),
            ("P1D", Some(86_400)),
            (
                "P1Y2M3DT4H5M6.7S",
                Some(31_536_000 + 5_184_000 + 259_200 + 14_706),
            ),
            ("P999999999999999999Y", Some(u64::MAX)),
            ("P", None),
            ("PT", None),
            ("-PT1H", None),
            ("PT1M1H", None),
            ("PT-1H", None),
            ("1H", None),
            ("P1H", None),
            ("", None),
        ] {
            assert_eq!(duration(text).map(|its| its.as_secs()), want, "{text}");
        }
    }

    #[test]
    fn the_skew_counts_both_ways() {
        let at = |seconds: u64| Timestamp::from_secs(10_000 + seconds);
        let now = Timestamp::from_secs(10_000);
        assert!(has_come(at(180), now));
        assert!(!has_come(at(181), now));
        let before = |seconds: u64| Timestamp::from_secs(10_000 - seconds);
        assert!(is_over(before(180), now));
        assert!(!is_over(before(179), now));
    }
}
