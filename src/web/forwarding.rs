//! What the upstream is told of a request's way: `X-Forwarded-*` and `X-Request-Id`, set anew for every request.

use std::cell::RefCell;
use std::net::IpAddr;

use http::header::HOST;
use http::{HeaderMap, HeaderValue};

use super::forwarded::read_node;
use super::origin::{
    Inbound, Origin, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO,
    X_REQUEST_ID,
};

static HTTPS: HeaderValue = HeaderValue::from_static("https");
static HTTP: HeaderValue = HeaderValue::from_static("http");
static PORT_443: HeaderValue = HeaderValue::from_static("443");
static PORT_80: HeaderValue = HeaderValue::from_static("80");

thread_local! {
    /// The peer of the request before, as a field value: behind a proxy it is always the same.
    static LAST_PEER: RefCell<Option<(IpAddr, HeaderValue)>> = const { RefCell::new(None) };
}

impl Origin {
    /// Sets what the upstream is told, over whatever the client sent of these names (R1).
    ///
    /// `X-Forwarded-For` begins at [`Self::client`]: what a client wrote before its own address goes. It ends
    /// with the peer. `Forwarded` is not set; whoever calls this has dropped it. The request's own `Host` field
    /// is passed on without a copy when it is in its one spelling.
    pub fn tell(&self, inbound: Inbound, headers: &mut HeaderMap) {
        let way = self.way(inbound, headers);
        match way {
            Some(way) => {
                headers.insert(&X_FORWARDED_FOR, way);
            }
            None => {
                headers.remove(&X_FORWARDED_FOR);
            }
        }
        let proto = if self.https { &HTTPS } else { &HTTP };
        headers.insert(&X_FORWARDED_PROTO, proto.clone());
        if let Some(host) = self.host_value(headers.get(HOST)) {
            headers.insert(&X_FORWARDED_HOST, host);
        } else {
            headers.remove(&X_FORWARDED_HOST);
        }
        let port = match self.port {
            443 => PORT_443.clone(),
            80 => PORT_80.clone(),
            port => HeaderValue::from(port),
        };
        headers.insert(&X_FORWARDED_PORT, port);
        let same = headers
            .get(&X_REQUEST_ID)
            .is_some_and(|sent| sent.as_bytes() == self.request_id.as_bytes());
        if !same && let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert(&X_REQUEST_ID, id);
        }
    }

    /// Host, and port unless it is the scheme's own, as `Host` should say; a copy of `sent` where that says the same.
    pub fn host_value(&self, sent: Option<&HeaderValue>) -> Option<HeaderValue> {
        self.other_host(sent).or_else(|| sent.cloned())
    }

    /// The same, unless `sent` says it already.
    pub fn other_host(&self, sent: Option<&HeaderValue>) -> Option<HeaderValue> {
        let standard = self.port == if self.https { 443 } else { 80 };
        if sent.is_some_and(|sent| self.is_said_by(sent, standard)) {
            return None;
        }
        let value = if standard {
            HeaderValue::from_str(&self.host)
        } else {
            HeaderValue::from_str(&format!("{}:{}", self.host, self.port))
        };
        value.ok()
    }

    /// Whether a field says exactly this host, and this port unless it is the scheme's own.
    fn is_said_by(&self, field: &HeaderValue, standard: bool) -> bool {
        match field.as_bytes().strip_prefix(self.host.as_bytes()) {
            Some([]) => standard,
            Some([b':', port @ ..]) if !standard && matches!(port, [b'1'..=b'9', ..]) => {
                let port = std::str::from_utf8(port).map(str::parse);
                port == Ok(Ok(self.port))
            }
            _ => false,
        }
    }

    /// From the client to the peer, both included.
    fn way(&self, inbound: Inbound, headers: &HeaderMap) -> Option<HeaderValue> {
        let peer = inbound.peer.map(|peer| peer.to_canonical());
        if self.client == peer {
            return peer.and_then(peer_value);
        }
        // R5: an unreadable way is not passed on.
        let Some(client) = self.client else {
            return peer.and_then(peer_value);
        };
        let mut hops = Vec::new();
        let fields = headers.get_all(&X_FORWARDED_FOR);
        let entries = fields
            .iter()
            .rev()
            .flat_map(|field| field.to_str().unwrap_or_default().rsplit(','))
            .map(str::trim);
        for entry in entries {
            hops.push(entry);
            if read_node(entry) == Some(client) {
                break;
            }
        }
        hops.reverse();
        // `Forwarded` named the client, so that `X-Forwarded-For` is not there.
        let mut way = if hops.is_empty() {
            client.to_string()
        } else {
            hops.join(", ")
        };
        if let Some(peer) = peer {
            way.push_str(", ");
            way.push_str(&peer.to_string());
        }
        HeaderValue::from_str(&way).ok()
    }
}

fn peer_value(peer: IpAddr) -> Option<HeaderValue> {
    LAST_PEER.with_borrow_mut(|last| {
        if let Some((address, value)) = last
            && *address == peer
        {
            return Some(value.clone());
        }
        let value = HeaderValue::from_str(&peer.to_string()).ok()?;
        *last = Some((peer, value.clone()));
        Some(value)
    })
}

#[cfg(test)]
#[path = "forwarding_tests.rs"]
mod tests;
