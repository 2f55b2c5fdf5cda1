//! Where a request came from: the connection's word, corrected by trusted proxies alone (R1–R5).

use std::net::IpAddr;
use std::sync::Arc;

use http::header::HOST;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::forwarded::{self, Client, Hop};
use super::host::{HostError, read_host};
use super::request_id;
use crate::problem::Problem;

/// What the listener knows of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Inbound {
    /// The peer; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// Whether our listener spoke TLS.
    pub tls: bool,
}

impl Inbound {
    /// Whether what this peer says of a request's way counts (R2): its address is in `trusted`. Who may
    /// open our Unix socket is the operator's own proxy, so there it is enough that any network is named.
    pub fn is_trusted(self, trusted: &[IpNet]) -> bool {
        match self.peer {
            Some(peer) => is_in(trusted, peer),
            None => !trusted.is_empty(),
        }
    }
}

/// Who asks, over what, under which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The right-most address that no trusted proxy vouches for (R4); none on a Unix socket
    /// without a word from a trusted proxy, and wherever the word of one cannot be read (R5).
    pub client: Option<IpAddr>,
    /// Whether the person's browser spoke https.
    pub https: bool,
    /// Host as the person's browser named it: lower case, without trailing dot and port (R16).
    pub host: String,
    /// Port as the person's browser named it, else the scheme's own.
    pub port: u16,
    /// `X-Request-Id` as sent when it is short and plain, else a new one.
    pub request_id: Arc<str>,
}

/// Why a request's origin was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OriginError {
    /// No `Host` and no authority (RFC 9112 3.2).
    #[error("request names no host")]
    NoHost,
    /// Several `Host` fields, or one that differs from the target's authority.
    #[error("request names two hosts")]
    TwoHosts,
    /// Not a host name or address with an optional port.
    #[error("host cannot be read")]
    Host(#[source] HostError),
    /// A trusted proxy's `X-Forwarded-Proto`, `-Host` or `-Port` cannot be read.
    #[error("forwarded {0} cannot be read")]
    Forwarded(&'static str),
}

impl From<OriginError> for Problem {
    fn from(error: OriginError) -> Self {
        Self::bad_request(
            "host.refused",
            "The request does not say clearly which site it is for.",
        )
        .because(error)
    }
}

impl Origin {
    /// Reads what the connection and, from trusted proxies only, the headers say.
    ///
    /// `X-Forwarded-*` count, and so does `Forwarded` (RFC 7239) when it stands alone. Where both stand, they
    /// must agree in whatever both say: many proxies set one and pass the client's own other one on, so a
    /// contradiction means that nothing of either counts and the client is unknown.
    ///
    /// # Errors
    ///
    /// The host is missing, doubled or unreadable, or a trusted proxy's word about host, port or scheme is.
    pub fn read(
        inbound: Inbound,
        headers: &HeaderMap,
        authority: Option<&str>,
        trusted: &[IpNet],
    ) -> Result<Self, OriginError> {
        let named = own_host(headers, authority)?;
        let peer = inbound.peer.map(|peer| peer.to_canonical());
        let request_id = request_id::kept_or_new(headers);
        // R1, R2: without a trusted peer no header has a say.
        let hop = if inbound.is_trusted(trusted) {
            forwarded::read(headers, trusted)?
        } else {
            Hop::default()
        };
        let https = hop.https.unwrap_or(inbound.tls);
        let (host, named_port) = match hop.host {
            Some((host, port)) => (host, port),
            None => named,
        };
        let standard = if https { 443 } else { 80 };
        Ok(Self {
            client: match hop.client {
                Client::Silent => peer,
                Client::Unknown => None,
                Client::Known(client) => Some(client),
            },
            https,
            host,
            port: hop.port.or(named_port).unwrap_or(standard),
            request_id,
        })
    }
}

/// The host and port that the request itself names.
fn own_host(
    headers: &HeaderMap,
    authority: Option<&str>,
) -> Result<(String, Option<u16>), OriginError> {
    let mut fields = headers.get_all(HOST).iter();
    let field = fields.next();
    // RFC 9112 3.2: more than one Host is an attack on whoever reads the other one.
    if fields.next().is_some() {
        return Err(OriginError::TwoHosts);
    }
    let field = match field {
        Some(value) => {
            let text = value
                .to_str()
                .map_err(|_not_text| OriginError::Host(HostError::Characters))?;
            Some(read_host(text).map_err(OriginError::Host)?)
        }
        None => None,
    };
    let target = authority
        .map(|text| read_host(text).map_err(OriginError::Host))
        .transpose()?;
    match (target, field) {
        (Some(target), Some(field)) if target != field => Err(OriginError::TwoHosts),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(OriginError::NoHost),
    }
}

/// Whether one of the networks holds the address; IPv4 written as IPv6 counts as IPv4.
pub(super) fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// `X-Forwarded-For`.
pub(super) static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Proto`.
pub(super) static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `X-Forwarded-Host`.
pub(super) static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `X-Forwarded-Port`.
pub(super) static X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// `X-Request-Id`.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
