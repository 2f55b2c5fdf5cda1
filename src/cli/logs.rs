//! Events of the server as lines on standard output: JSON, or text for people (docs/LOG.md).
//!
//! Control characters never reach the output as such: an event cannot forge a line.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::output::plain;
use crate::clock::log_time;
use crate::config::{Log, LogFormat};
use crate::server::LogWriter;

/// Begins to write events, once per process; a reload does not change format and level.
pub(super) fn start(log: &Log, writer: LogWriter) {
    let lines = Lines {
        format: log.format,
        writer,
    };
    let level = LevelFilter::from_level(log.level);
    // A second start, as in tests, keeps the first.
    let _already_set = tracing_subscriber::registry()
        .with(lines.with_filter(level))
        .try_init();
}

struct Lines {
    format: LogFormat,
    writer: LogWriter,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let line = line(
            self.format,
            &log_time(),
            *event.metadata().level(),
            fields.0,
        );
        self.writer.event(line);
    }
}

fn line(
    format: LogFormat,
    at: &str,
    level: tracing::Level,
    mut fields: Map<String, Value>,
) -> String {
    let level = level.as_str().to_lowercase();
    let event = fields.remove("message").unwrap_or_default();
    match format {
        LogFormat::Json => {
            // What a field of the same name says must not hide ours.
            fields.retain(|name, _| !OURS.contains(&name.as_str()));
            let kind = "event";
            let line = Line {
                at,
                level: &level,
                kind,
                event,
                fields,
            };
            serde_json::to_string(&line).unwrap_or_default()
        }
        LogFormat::Text => {
            let mut text = format!("{at} {level:5} {}", event.as_str().unwrap_or_default());
            for (name, value) in fields {
                text = format!("{text} {name}={value}");
            }
            plain(&text).replace('\n', "\\n")
        }
    }
}

/// What every line has; in this order.
const OURS: [&str; 4] = ["at", "level", "kind", "event"];

#[derive(Serialize)]
struct Line<'a> {
    at: &'a str,
    level: &'a str,
    kind: &'a str,
    event: Value,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// The fields of one event.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_and_cannot_forge_another() {
        let mut fields = Map::new();
        fields.insert(
            "message".to_owned(),
            "idp metadata cannot be renewed".into(),
        );
        fields.insert("idp".to_owned(), "entra".into());
        fields.insert("cause".to_owned(), "a\nb\u{1b}[2J".into());
        let at = "2026-11-22T09:30:00.123Z";
        let json = line(LogFormat::Json, at, tracing::Level::WARN, fields.clone());
        insta::assert_snapshot!(json, @r#"{"at":"2026-11-22T09:30:00.123Z","level":"warn","kind":"event","event":"idp metadata cannot be renewed","cause":"a\nb\u001b[2J","idp":"entra"}"#);
        let text = line(LogFormat::Text, at, tracing::Level::WARN, fields);
        insta::assert_snapshot!(text, @r#"2026-11-22T09:30:00.123Z warn  idp metadata cannot be renewed cause="a\nb\u001b[2J" idp="entra""#);
    }
}
