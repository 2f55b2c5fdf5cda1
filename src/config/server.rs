//! `[server]`, `[upstream]`, `[limits]`, `[log]`, `[storage]`, `[audit]`.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::AppLogin;
use super::reader::Section;
use super::value::{Listen, StorageUrl, UpstreamUrl};
use crate::crypto::SealKey;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = days(1);

const fn days(number: u32) -> Duration {
    Duration::from_hours(24).saturating_mul(number)
}

/// What fits into `sun_path` (unix(7)), with room for the name it is bound under at first.
const MAX_SOCKET_PATH: usize = 100;

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Where people's requests arrive. Default `0.0.0.0:8090`.
    pub listen: Listen,
    /// Networks whose `X-Forwarded-*` and `Forwarded` count; empty trusts nobody (R2).
    pub trusted_proxies: Vec<IpNet>,
    /// A request's head may not be larger, bytes. Default 32 KiB.
    pub max_header_size: usize,
    /// A request's head must be complete, and the next one begun, within this. Default 60 s.
    pub header_timeout: Duration,
    /// Requests in flight and upgraded connections get this long when we stop. Default 30 s.
    pub drain_timeout: Duration,
    /// Worker threads; 0 means one per core.
    pub workers: u32,
    /// TLS on `listen`; none means plain HTTP.
    pub tls: Option<Tls>,
    /// `/healthz`, `/readyz`, `/metrics`. Default `127.0.0.1:8091`.
    pub ops: Listen,
    /// Unix socket of the command line. Default `/run/sidegate/control.sock`.
    pub control: PathBuf,
}

/// `[server.tls]`
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM, leaf first.
    pub certificate_file: PathBuf,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
}

impl Server {
    pub(super) fn read(mut section: Section) -> Self {
        let mut tls = section.has("tls").then(|| section.section("tls"));
        let mut ops = section.section("ops");
        let mut control = section.section("control");
        let trusted_proxies = section.networks("trusted_proxies");
        // R2: trusting everybody is never what somebody meant.
        if trusted_proxies.iter().any(|net| net.prefix_len() == 0) {
            section.mistake(
                "trusted_proxies",
                "trusts the whole internet; name the networks of your proxies",
            );
        }
        let socket = control.text("socket", "/run/sidegate/control.sock");
        if !socket.starts_with('/') || socket.len() > MAX_SOCKET_PATH {
            control.mistake(
                "socket",
                format!("{socket:?} must be an absolute path of at most {MAX_SOCKET_PATH} bytes"),
            );
        }
        Self {
            listen: section
                .parsed("listen", "0.0.0.0:8090")
                .unwrap_or(Listen::Fd(-1)),
            trusted_proxies,
            max_header_size: section.size("max_header_size", 32 * 1024, 8 * 1024..=1024 * 1024),
            header_timeout: section.duration("header_timeout", MINUTE, SECOND..=HOUR),
            drain_timeout: section.duration(
                "drain_timeout",
                Duration::from_secs(30),
                SECOND..=HOUR,
            ),
            workers: section.number("workers", 0, 0..=256),
            tls: tls.as_mut().and_then(Tls::read),
            ops: ops
                .parsed("listen", "127.0.0.1:8091")
                .unwrap_or(Listen::Fd(-1)),
            control: socket.into(),
        }
    }
}

impl Tls {
    fn read(section: &mut Section) -> Option<Self> {
        let certificate_file = section.file("certificate_file");
        let key_file = section.file("key_file");
        for (key, file) in [
            ("certificate_file", &certificate_file),
            ("key_file", &key_file),
        ] {
            if file.is_none() {
                section.mistake(key, "is required in [server.tls]");
            }
        }
        Some(Self {
            certificate_file: certificate_file?,
            key_file: key_file?,
        })
    }
}

/// `[upstream]`
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where the app is. Required.
    pub url: UpstreamUrl,
    /// Until the connection stands, TLS included. Default 2 s.
    pub connect_timeout: Duration,
    /// Until the response's head has come. Default 60 s.
    pub response_timeout: Duration,
    /// Bodies and upgraded connections may be silent, or not taken by the other side, for this long. Default 5 min.
    pub idle_timeout: Duration,
    /// The app sees the public host name, not its own address. Default true.
    pub preserve_host: bool,
    /// PEM of the authorities that sign the app's certificate; else the machine's.
    pub ca_file: Option<PathBuf>,
    /// PEM of the certificate that we show to the app.
    pub client_certificate_file: Option<PathBuf>,
    /// Its key.
    pub client_key_file: Option<PathBuf>,
    /// `[upstream.app_session]`
    pub app_session: AppSession,
    /// `[upstream.login]`: none where the app reads headers.
    pub login: Option<AppLogin>,
}

/// The app's own session, which must never outlive or override ours.
#[derive(Clone, Debug, Default)]
pub struct AppSession {
    /// Names of the app's session cookies; a `*` at the end stands for any rest. Those not issued
    /// under the current session are stripped from requests and expired in the next answer.
    pub cookies: Vec<String>,
    /// Where the app reads the identity header, when not on every request.
    pub login_path: String,
    /// The app's own logout links; they end our session too. Path globs as in rules.
    pub logout_paths: Vec<String>,
}

impl Upstream {
    pub(super) fn read(mut section: Section) -> Self {
        let text = section.required("url");
        let url = (!text.is_empty())
            .then(|| section.parse_text("url", &text))
            .flatten();
        let client_certificate_file = section.file("client_certificate_file");
        let client_key_file = section.file("client_key_file");
        if client_certificate_file.is_some() != client_key_file.is_some() {
            section.mistake(
                "client_certificate_file",
                "and client_key_file must stand together",
            );
        }
        let app_session = AppSession::read(section.section("app_session"));
        let login = section.has("login").then(|| section.section("login"));
        let login = login.map(AppLogin::read);
        let leads = !app_session.login_path.is_empty();
        if leads && login.as_ref().is_some_and(AppLogin::has_session) {
            section.mistake(
                "login",
                "stands beside app_session.login_path: the app either reads a header there, or we sign in",
            );
        }
        Self {
            url: url.unwrap_or(UpstreamUrl::Unix(PathBuf::new())),
            connect_timeout: section.duration(
                "connect_timeout",
                Duration::from_secs(2),
                Duration::from_millis(10)..=MINUTE,
            ),
            response_timeout: section.duration("response_timeout", MINUTE, SECOND..=HOUR),
            idle_timeout: section.duration("idle_timeout", Duration::from_mins(5), SECOND..=DAY),
            preserve_host: section.flag("preserve_host", true),
            ca_file: section.file("ca_file"),
            client_certificate_file,
            client_key_file,
            app_session,
            login,
        }
    }
}

impl AppSession {
    fn read(mut section: Section) -> Self {
        let read = Self {
            cookies: section.list("cookies", &[]),
            login_path: section.text("login_path", ""),
            logout_paths: section.list("logout_paths", &[]),
        };
        if !read.login_path.is_empty() && !read.login_path.starts_with('/') {
            section.mistake("login_path", "must start with a slash");
        }
        if !read.login_path.is_empty() && read.cookies.is_empty() {
            section.mistake(
                "login_path",
                "needs cookies, to know whether the app has a session",
            );
        }
        read
    }
}

/// `[limits]`
#[derive(Clone, Debug)]
pub struct Limits {
    /// Failed sign-ins before an account waits, and ten times that per network.
    pub failed_sign_ins: Rate,
    /// Networks that are not limited.
    pub exempt_networks: Vec<IpNet>,
    /// Open client connections, upgraded ones too; more are closed at once. Default 20000.
    pub connections: u32,
    /// Sign-ins begun and not finished that are remembered. Default 20000.
    pub pending_sign_ins: u32,
}

/// So many in so long, as `"10/15m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

impl std::str::FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let why = "must be a count and a duration, such as 10/15m";
        let (count, window) = text.split_once('/').ok_or(why)?;
        let count = count.parse().map_err(|_not_a_number| why)?;
        let window = super::value::read_duration(window).ok_or(why)?;
        if count == 0 || window.is_zero() {
            return Err(why);
        }
        Ok(Self { count, window })
    }
}

impl Limits {
    pub(super) fn read(mut section: Section) -> Self {
        Self {
            failed_sign_ins: section.parsed("failed_sign_ins", "10/15m").unwrap_or(Rate {
                count: 10,
                window: Duration::from_mins(15),
            }),
            exempt_networks: section.networks("exempt_networks"),
            connections: section.number("connections", 20_000, 1..=1_000_000),
            pending_sign_ins: section.number("pending_sign_ins", 20_000, 100..=1_000_000),
        }
    }
}

/// `[log]`
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// JSON lines, or readable text. Default json.
    pub format: LogFormat,
    /// The least important lines that are written. Default info.
    pub level: tracing::Level,
    /// One line per request. Default true.
    pub access: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Log {
    pub(super) fn read(mut section: Section) -> Self {
        let levels = [
            ("error", tracing::Level::ERROR),
            ("warn", tracing::Level::WARN),
            ("info", tracing::Level::INFO),
            ("debug", tracing::Level::DEBUG),
        ];
        Self {
            format: section.choice(
                "format",
                &[("json", LogFormat::Json), ("text", LogFormat::Text)],
                LogFormat::Json,
            ),
            level: section.choice("level", &levels, tracing::Level::INFO),
            access: section.flag("access", true),
        }
    }
}

/// `[storage]`
#[derive(Clone, Debug)]
pub struct Storage {
    /// Where state lasts.
    pub url: StorageUrl,
    /// What kept secrets are sealed with; none means a key of our own in a file beside the store.
    pub seal_key: Option<SealKey>,
    /// What they were sealed with before: they are sealed anew at the start.
    pub previous_seal_key: Option<SealKey>,
}

impl Storage {
    pub(super) fn read(mut section: Section) -> Self {
        let url = section.parsed("url", "redb:///var/lib/sidegate/sidegate.redb");
        let mut key = |key: &'static str, file: &'static str| {
            let parsed = SealKey::parse(section.secret(key, file)?.expose());
            let parsed = parsed.map_err(|error| section.mistake(key, error.to_string()));
            parsed.ok()
        };
        Self {
            url: url.unwrap_or(StorageUrl::Redb(PathBuf::new())),
            seal_key: key("seal_key", "seal_key_file"),
            previous_seal_key: key("previous_seal_key", "previous_seal_key_file"),
        }
    }
}

/// `[audit]`
#[derive(Clone, Debug)]
pub struct Audit {
    /// Also to this file as JSON lines.
    pub file: Option<PathBuf>,
    /// Events older than this go. Default 400 days.
    pub retention: Duration,
}

impl Audit {
    pub(super) fn read(mut section: Section) -> Self {
        let file = section.text("file", "");
        Self {
            file: (!file.is_empty()).then(|| file.into()),
            retention: section.duration("retention", days(400), DAY..=days(4000)),
        }
    }
}
