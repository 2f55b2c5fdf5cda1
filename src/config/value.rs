//! Durations, sizes, URLs and addresses as they are written in the file.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const SIZES: [(&str, usize); 3] = [("MiB", 1_048_576), ("KiB", 1024), ("B", 1)];

/// A duration as in the file: `"90s"`, `"15m"`, `"10h"`, `"400d"`.
pub fn read_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: u64 = digits.parse().ok()?;
    Some(Duration::from_millis(number.checked_mul(*factor)?))
}

pub(super) fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = |(_, factor): &&(&str, u64)| millis.checked_rem(*factor) == Some(0);
    match UNITS.iter().rev().find(fits) {
        Some((unit, factor)) if millis > 0 => {
            format!("{}{unit}", millis.checked_div(*factor).unwrap_or(0))
        }
        _ => "0s".to_owned(),
    }
}

pub(super) fn read_size(text: &str) -> Option<usize> {
    let (digits, factor) = SIZES
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, factor)))?;
    digits.parse::<usize>().ok()?.checked_mul(*factor)
}

pub(super) fn show_size(size: usize) -> String {
    let fits = |(_, factor): &&(&str, usize)| size.checked_rem(*factor) == Some(0);
    match SIZES.iter().find(fits) {
        Some((unit, factor)) if size > 0 => {
            format!("{}{unit}", size.checked_div(*factor).unwrap_or(0))
        }
        _ => format!("{size}B"),
    }
}

/// Where browsers reach us: an origin, https unless the host is this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The URL; its path is `/`.
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// `https://app.example.com`, without a slash at the end.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// An absolute URL of one of our own paths. `path` starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Host, lower case, as in `Host` without the port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Host and, unless it is the scheme's own, port: what `Host` should say.
    pub fn authority(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Whether cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_not_a_url| "is not a URL")?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("must start with https:// (http:// only for this machine)"),
            _ => return Err("must start with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold credentials");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must not hold a query or a fragment");
        }
        if url.path() != "/" {
            return Err("must not hold a path: the sidecar owns the app's whole host");
        }
        Ok(Self(url))
    }
}

/// `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An https URL, or http of this machine: what an idp's addresses may be (R21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeUrl(pub Url);

impl FromStr for SafeUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_not_a_url| "is not a URL")?;
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err("must start with https:// (http:// only for this machine)"),
        }
    }
}

/// Where a listener binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `host:port` or `[::]:port`, with `SO_REUSEPORT` for each worker.
    Tcp(SocketAddr),
    /// `unix:/path`.
    Unix(PathBuf),
    /// `fd:3`: a listening socket handed over by the service manager.
    Fd(i32),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Fd(number) => write!(f, "fd:{number}"),
        }
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err("must name an absolute path: unix:/run/…")
            };
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return match number.parse() {
                Ok(number) if number > 2 => Ok(Self::Fd(number)),
                _ => Err("must name a descriptor above 2: fd:3"),
            };
        }
        let text = text
            .strip_prefix("localhost:")
            .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse()
            .map(Self::Tcp)
            .map_err(|_not_an_address| "must be address:port, [::]:port, unix:/path or fd:3")
    }
}

/// Where the app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamUrl {
    /// `http://host:port`
    Http {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// `https://host:port`
    Https {
        /// Name or address; also for SNI and the certificate check.
        host: String,
        /// Port.
        port: u16,
    },
    /// `unix:/path`, HTTP/1.1 over a Unix socket.
    Unix(PathBuf),
}

impl FromStr for UpstreamUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err("must name an absolute path: unix:/run/…")
            };
        }
        let url = Url::parse(text).map_err(
            |_not_a_url| "is not a URL; http://host:port, https://host:port or unix:/path",
        )?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("must not hold a path, query or fragment: paths pass unchanged");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold credentials");
        }
        let host = url.host_str().ok_or("must name a host")?.to_owned();
        match (url.scheme(), url.port_or_known_default()) {
            ("http", Some(port)) => Ok(Self::Http { host, port }),
            ("https", Some(port)) => Ok(Self::Https { host, port }),
            _ => Err("must start with http://, https:// or unix:"),
        }
    }
}

/// Where state lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageUrl {
    /// `redb:///path`: one file of our own.
    Redb(PathBuf),
}

impl FromStr for StorageUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.strip_prefix("redb://") {
            Some(path) if path.starts_with('/') => Ok(Self::Redb(path.into())),
            _ => Err("must be redb:///absolute/path"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_round_trip() {
        for text in ["500ms", "90s", "15m", "10h", "400d"] {
            assert_eq!(show_duration(read_duration(text).unwrap()), text);
        }
        for text in ["512B", "32KiB", "16MiB"] {
            assert_eq!(show_size(read_size(text).unwrap()), text);
        }
        for text in ["", "s", "1", "1w", "-1s", "1.5h", "99999999999999999999s"] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }

    #[test]
    fn public_url_is_a_bare_https_origin() {
        for (text, want) in [
            ("https://app.test", Ok(())),
            ("https://app.test:8443/", Ok(())),
            ("http://localhost:8090", Ok(())),
            ("http://127.0.0.1:8090", Ok(())),
            (
                "http://app.test",
                Err("must start with https:// (http:// only for this machine)"),
            ),
            (
                "https://app.test/base",
                Err("must not hold a path: the sidecar owns the app's whole host"),
            ),
            ("https://ada@app.test", Err("must not hold credentials")),
            (
                "https://app.test/?x=1",
                Err("must not hold a query or a fragment"),
            ),
            ("app.test", Err("is not a URL")),
            ("ftp://app.test", Err("must start with https://")),
        ] {
            assert_eq!(text.parse::<PublicUrl>().map(drop), want, "{text}");
        }
    }

    #[test]
    fn addresses_to_listen_on() {
        for (text, ok) in [
            ("0.0.0.0:8090", true),
            ("[::]:8090", true),
            ("localhost:8090", true),
            ("unix:/run/x.sock", true),
            ("fd:3", true),
            ("fd:1", false),
            ("unix:x", false),
            ("8090", false),
        ] {
            assert_eq!(text.parse::<Listen>().is_ok(), ok, "{text}");
        }
    }
}
