//! One line for each request, written when its answer has gone (docs/LOG.md).
//!
//! Lines are gathered per thread and handed over in pieces ([`LogWriter`]).

use std::cell::RefCell;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use serde::Serialize;
use tokio::time::Instant;

use super::connection::Wire;
use super::log_writer::LogWriter;
use crate::clock::log_time;
use crate::config::LogFormat;
use crate::metrics::Metrics;
use crate::proxy::{Body, BodyEnd, Trace};
use crate::web::Visit;

/// A thread's lines are handed over when they are this long, or when the thread sweeps.
const CHUNK: usize = 16 * 1024;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where access lines go.
#[derive(Clone)]
pub(super) struct AccessLog {
    format: Option<LogFormat>,
    writer: LogWriter,
}

impl AccessLog {
    /// By this writer; without a format no line is written.
    pub(super) const fn new(format: Option<LogFormat>, writer: LogWriter) -> Self {
        Self { format, writer }
    }

    fn write(&self, line: &Line) {
        let Some(format) = self.format else {
            return;
        };
        LINES.with_borrow_mut(|lines| {
            line.append(format, lines);
            if lines.len() >= CHUNK {
                self.hand_over(lines);
            }
        });
    }

    /// Hands over this thread's lines, and counts what was dropped; to be called several times a second.
    pub(super) fn sweep(&self, metrics: &Metrics) {
        LINES.with_borrow_mut(|lines| {
            if !lines.is_empty() {
                self.hand_over(lines);
            }
        });
        self.writer.count(metrics);
    }

    fn hand_over(&self, lines: &mut Vec<u8>) {
        let chunk = std::mem::replace(lines, Vec::with_capacity(CHUNK));
        self.writer.access(chunk);
    }
}

/// What one request's line says, gathered from its arrival until its answer has gone.
pub(super) struct Line {
    /// None when it could not be read.
    pub(super) visit: Option<Visit>,
    pub(super) status: StatusCode,
    pub(super) trace: Trace,
    wire: Arc<Wire>,
    log: AccessLog,
    began: Instant,
    bytes_out: u64,
}

/// Field by field as docs/LOG.md has it.
#[derive(Serialize)]
struct Fields<'a> {
    at: &'a str,
    level: &'static str,
    kind: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<std::net::IpAddr>,
    #[serde(skip_serializing_if = "str::is_empty")]
    method: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    status: u16,
    bytes_out: u64,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_ms: Option<f64>,
    decision: &'static str,
    rule: Rule,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idp: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cause: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rule {
    Number(usize),
    Default(&'static str),
}

impl Line {
    /// For a request that has just arrived.
    pub(super) fn new(wire: &Arc<Wire>, log: AccessLog) -> Self {
        Self {
            visit: None,
            status: StatusCode::OK,
            trace: Trace::default(),
            wire: Arc::clone(wire),
            log,
            began: Instant::now(),
            bytes_out: 0,
        }
    }

    fn append(&self, format: LogFormat, lines: &mut Vec<u8>) {
        let at = log_time();
        let visit = self.visit.as_ref();
        let live = self.trace.live.as_ref();
        let fields = Fields {
            at: &at,
            level: if self.status.is_server_error() {
                "warn"
            } else {
                "info"
            },
            kind: "access",
            request_id: visit.map_or("-", |visit| &visit.origin.request_id),
            client: visit.and_then(|visit| visit.origin.client),
            method: visit.map_or("", |visit| visit.method.as_str()),
            host: visit.map_or("", |visit| &visit.origin.host),
            path: visit.map_or("", |visit| visit.path.as_str()),
            status: self.status.as_u16(),
            bytes_out: self.bytes_out,
            duration_ms: millis(self.began.elapsed()),
            upstream_ms: self.trace.upstream.map(millis),
            decision: self.trace.verdict.as_str(),
            rule: self
                .trace
                .rule
                .map_or(Rule::Default("default"), Rule::Number),
            reason: self.trace.reason,
            user: self
                .trace
                .prepared
                .as_ref()
                .map(|prepared| prepared.identity.user.user_name.as_str()),
            session: live.map(|live| live.record.id.as_str()),
            idp: live.map(|live| live.record.idp.as_str()),
            code: self.trace.code,
            cause: &self.trace.cause,
        };
        match format {
            LogFormat::Json => {
                if serde_json::to_writer(&mut *lines, &fields).is_ok() {
                    lines.push(b'\n');
                }
            }
            LogFormat::Text => fields.append_text(lines),
        }
    }
}

impl Fields<'_> {
    /// `2026-11-22T09:30:00.123Z 200 GET app.example.com/path alice allow 1.2ms …`
    fn append_text(&self, lines: &mut Vec<u8>) {
        let user = self.user.unwrap_or("-").escape_debug();
        let path = self.path.escape_debug();
        // Writing into memory does not fail.
        let _written = write!(
            lines,
            "{} {} {} {}{path} {user} {} {:.1}ms id={}",
            self.at,
            self.status,
            self.method,
            self.host,
            self.decision,
            self.duration_ms,
            self.request_id
        );
        for (name, value) in [
            ("reason", self.reason),
            ("code", self.code),
            ("cause", self.cause),
        ] {
            if !value.is_empty() {
                let _written = write!(lines, " {name}={value:?}");
            }
        }
        lines.push(b'\n');
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// A body that writes its request's line when it is gone.
pub(super) struct Logged {
    body: Body,
    line: Box<Line>,
}

impl Logged {
    pub(super) const fn new(body: Body, line: Box<Line>) -> Self {
        Self { body, line }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let line = &mut *self.line;
        if let Some(framing) = &line.wire.framing {
            framing.next();
        }
        if let Some(why) = line.wire.outflow.cut() {
            why.clone_into(&mut line.trace.cause);
        }
        line.log.write(line);
    }
}

impl HttpBody for Logged {
    type Data = Bytes;
    type Error = BodyEnd;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyEnd>>> {
        let this = self.get_mut();
        this.line.wire.outflow.asked();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.line.wire.outflow.given();
                if let Some(data) = frame.data_ref() {
                    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                    this.line.bytes_out = this.line.bytes_out.saturating_add(length);
                }
            }
            Poll::Ready(Some(Err(error))) => this.line.trace.cause = error.to_string(),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
