//! What trusted proxies say of a request's way: `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::elements::read_elements;
use super::host::read_host;
use super::origin::{
    OriginError, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO, is_in,
};

/// More hops than this are not read: the client is unknown.
const MAX_HOPS: usize = 32;

/// What the headers say; none where they are silent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) client: Client,
    pub(super) https: Option<bool>,
    pub(super) host: Option<(String, Option<u16>)>,
    pub(super) port: Option<u16>,
}

/// What they say of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Client {
    /// Nothing.
    #[default]
    Silent,
    /// Something that cannot be read or believed (R5).
    Unknown,
    /// This.
    Known(IpAddr),
}

/// Reads the headers of a trusted peer.
///
/// # Errors
///
/// Its word about host, port or scheme cannot be read.
pub(super) fn read(headers: &HeaderMap, trusted: &[IpNet]) -> Result<Hop, OriginError> {
    let ours = |name: &HeaderName| headers.contains_key(name);
    let by_x = ours(&X_FORWARDED_FOR)
        || ours(&X_FORWARDED_PROTO)
        || ours(&X_FORWARDED_HOST)
        || ours(&X_FORWARDED_PORT);
    match (by_x, ours(&FORWARDED)) {
        (true, false) => read_x(headers, trusted),
        (false, true) => read_standard(headers, trusted),
        (false, false) => Ok(Hop::default()),
        (true, true) => {
            let x = read_x(headers, trusted)?;
            Ok(match read_standard(headers, trusted) {
                Ok(standard) if agree(&x, &standard) => x,
                // R5: one of the two is the client's own; nobody can say which.
                _ => Hop {
                    client: Client::Unknown,
                    ..Hop::default()
                },
            })
        }
    }
}

/// Whether `Forwarded` says nothing that `X-Forwarded-*` does not say.
fn agree(x: &Hop, standard: &Hop) -> bool {
    fn fits<T: PartialEq>(x: Option<&T>, standard: Option<&T>) -> bool {
        standard.is_none() || x == standard
    }
    (standard.client == Client::Silent || x.client == standard.client)
        && fits(x.https.as_ref(), standard.https.as_ref())
        && fits(x.host.as_ref(), standard.host.as_ref())
}

fn read_x(headers: &HeaderMap, trusted: &[IpNet]) -> Result<Hop, OriginError> {
    let fields = headers.get_all(&X_FORWARDED_FOR);
    let entries = fields.iter().rev().flat_map(|field| {
        let text = field.to_str().unwrap_or("unreadable");
        text.rsplit(',').map(str::trim)
    });
    let client = right_most(entries, trusted);
    let https = match nearest(headers, &X_FORWARDED_PROTO, "proto")? {
        Some(word) => Some(is_https(word).ok_or(OriginError::Forwarded("proto"))?),
        None => None,
    };
    let host = match nearest(headers, &X_FORWARDED_HOST, "host")? {
        Some(text) => Some(read_host(text).map_err(|_| OriginError::Forwarded("host"))?),
        None => None,
    };
    let port = match nearest(headers, &X_FORWARDED_PORT, "port")? {
        Some(digits) => match digits.parse() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(OriginError::Forwarded("port")),
        },
        None => None,
    };
    Ok(Hop {
        client,
        https,
        host,
        port,
    })
}

/// The value that the nearest proxy set: the right-most. Nothing in it is silence.
fn nearest<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    word: &'static str,
) -> Result<Option<&'a str>, OriginError> {
    let Some(field) = headers.get_all(name).iter().next_back() else {
        return Ok(None);
    };
    let text = field
        .to_str()
        .map_err(|_not_text| OriginError::Forwarded(word))?;
    let last = text.rsplit(',').next().unwrap_or(text).trim();
    Ok((!last.is_empty()).then_some(last))
}

/// R4: from the right, the first that is no trusted proxy; when all are, the left-most.
/// R5: an entry that cannot be read makes the client unknown.
fn right_most<'a>(entries: impl Iterator<Item = &'a str>, trusted: &[IpNet]) -> Client {
    let mut last = Client::Silent;
    for (number, entry) in entries.enumerate() {
        if number >= MAX_HOPS {
            return Client::Unknown;
        }
        let Some(address) = read_node(entry) else {
            return Client::Unknown;
        };
        last = Client::Known(address);
        if !is_in(trusted, address) {
            break;
        }
    }
    last
}

/// An address with or without port, as RFC 7239 6 and habit write it.
pub(super) fn read_node(text: &str) -> Option<IpAddr> {
    let address = if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else if let Ok(address) = text.parse::<SocketAddr>() {
        address.ip()
    } else {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        IpAddr::V6(inner.parse().ok()?)
    };
    Some(address.to_canonical())
}

fn is_https(word: &str) -> Option<bool> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some(true)
    } else if is("http") || is("ws") {
        Some(false)
    } else {
        None
    }
}

/// `Forwarded: for=192.0.2.1;proto=https;host=app.test, for=10.0.0.1`: clients by R4, the rest from the right-most.
fn read_standard(headers: &HeaderMap, trusted: &[IpNet]) -> Result<Hop, OriginError> {
    let mut elements = Vec::new();
    for field in headers.get_all(FORWARDED) {
        let text = field.to_str().unwrap_or("unreadable");
        if elements.len() > MAX_HOPS || !read_elements(text, &mut elements) {
            return Ok(Hop {
                client: Client::Unknown,
                ..Hop::default()
            });
        }
    }
    let mut hop = Hop::default();
    if let Some(nearest) = elements.last() {
        if let Some(proto) = &nearest.proto {
            hop.https = Some(is_https(proto).ok_or(OriginError::Forwarded("proto"))?);
        }
        if let Some(host) = &nearest.host {
            hop.host = Some(read_host(host).map_err(|_| OriginError::Forwarded("host"))?);
        }
        // An element without `for` hides the client: unknown, like `for=unknown`.
        let nodes = elements
            .iter()
            .rev()
            .map(|element| element.node.as_deref().unwrap_or("unknown"));
        hop.client = right_most(nodes, trusted);
    }
    Ok(hop)
}
