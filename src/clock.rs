//! Time as a parameter: whoever needs "now" takes a [`Clock`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From seconds since 1970 (UTC).
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970 (UTC).
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Later by `duration`, whole seconds; stays at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// Earlier by `duration`, whole seconds; stays at 1970 instead of wrapping.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// `2026-11-22T09:30:00Z` (RFC 3339).
    pub fn to_rfc3339(self) -> String {
        i64::try_from(self.0)
            .ok()
            .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

/// The machine's time for log lines: RFC 3339 in UTC with milliseconds, always of the same length.
pub fn log_time() -> String {
    log_time_of(OffsetDateTime::now_utc())
}

fn log_time_of(at: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// Where "now" comes from.
pub trait Clock: Send + Sync {
    /// The current time, to the second.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that asks the machine"
        )]
        let now = std::time::SystemTime::now();
        let secs = now
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Timestamp(secs)
    }
}

/// A clock that moves by hand, for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Stands at `start`.
    pub const fn at(start: Timestamp) -> Self {
        Self(AtomicU64::new(start.0))
    }

    /// Moves on by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_times_are_of_one_length() {
        let noon = OffsetDateTime::from_unix_timestamp(1_795_339_800).unwrap();
        for (millis, want) in [
            (0, "2026-11-22T09:30:00.000Z"),
            (70, "2026-11-22T09:30:00.070Z"),
            (720, "2026-11-22T09:30:00.720Z"),
        ] {
            let at = noon.replace_millisecond(millis).unwrap();
            assert_eq!(log_time_of(at), want);
        }
    }

    #[test]
    fn rfc3339_is_utc_to_the_second() {
        for (secs, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_339_800, "2026-11-22T09:30:00Z"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(Timestamp(secs).to_rfc3339(), want);
        }
    }
}
