//! Numbers, switches, durations, sizes: each with its range, told when it is left.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Value;

use super::mistake::{kind, quoted};
use super::reader::Section;
use super::value::{read_duration, read_size, show_duration, show_size};

impl Section {
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.take_typed(key, Some(default.to_string())) {
            None => default,
            Some(value) => value.as_bool().unwrap_or_else(|| {
                let what = kind(&value);
                self.mistake(
                    key,
                    format!("is {what}; must be true or false, without quotes"),
                );
                default
            }),
        }
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: u32,
        allowed: RangeInclusive<u32>,
    ) -> u32 {
        let Some(value) = self.take_typed(key, Some(default.to_string())) else {
            return default;
        };
        let (low, high) = (allowed.start(), allowed.end());
        let Some(number) = value.as_integer() else {
            let what = kind(&value);
            let why = format!(
                "is {what}; must be a whole number without quotes; allowed: {low} to {high}"
            );
            self.mistake(key, why);
            return default;
        };
        let fits = u32::try_from(number).ok().filter(|n| allowed.contains(n));
        fits.unwrap_or_else(|| {
            self.mistake(key, format!("is {number}; allowed: {low} to {high}"));
            default
        })
    }

    /// A duration as `"90s"`, `"15m"`, `"10h"`, `"400d"`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        allowed: RangeInclusive<Duration>,
    ) -> Duration {
        let shown = format!("{:?}", show_duration(default));
        let value = self.take(key, Some(shown.clone()));
        self.read_duration(key, value, &shown, &allowed)
            .unwrap_or(default)
    }

    /// A duration that may be missing; `such_as` is told when the form is wrong.
    pub(super) fn optional_duration(
        &mut self,
        key: &'static str,
        such_as: Duration,
        allowed: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let shown = format!("{:?}", show_duration(such_as));
        let value = self.take(key, None);
        self.read_duration(key, value, &shown, &allowed)
    }

    fn read_duration(
        &self,
        key: &str,
        value: Option<Value>,
        such_as: &str,
        allowed: &RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = value?;
        let Some(text) = value.as_str() else {
            let what = kind(&value);
            self.mistake(key, format!("is {what}; must be a text such as {such_as}"));
            return None;
        };
        let (low, high) = (
            show_duration(*allowed.start()),
            show_duration(*allowed.end()),
        );
        let range = format!("allowed: {low:?} to {high:?}");
        match read_duration(text) {
            Some(duration) if allowed.contains(&duration) => Some(duration),
            Some(_outside) => {
                self.mistake(key, format!("is {}; {range}", quoted(text)));
                None
            }
            None => {
                let form = "must be a whole number with ms, s, m, h or d";
                self.mistake(key, format!("is {}; {form}; {range}", quoted(text)));
                None
            }
        }
    }

    /// A size as `"512B"`, `"32KiB"`, `"16MiB"`, in bytes.
    pub(super) fn size(
        &mut self,
        key: &'static str,
        default: usize,
        allowed: RangeInclusive<usize>,
    ) -> usize {
        let shown = format!("{:?}", show_size(default));
        let Some(value) = self.take(key, Some(shown.clone())) else {
            return default;
        };
        let Some(text) = value.as_str() else {
            let what = kind(&value);
            self.mistake(key, format!("is {what}; must be a text such as {shown}"));
            return default;
        };
        let (low, high) = (show_size(*allowed.start()), show_size(*allowed.end()));
        let fits = read_size(text).filter(|size| allowed.contains(size));
        fits.unwrap_or_else(|| {
            let form = match read_size(text) {
                Some(_outside) => "",
                None => "must be a whole number with B, KiB or MiB; ",
            };
            let range = format!("allowed: {low:?} to {high:?}");
            self.mistake(key, format!("is {}; {form}{range}", quoted(text)));
            default
        })
    }
}
