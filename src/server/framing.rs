//! Refuses a request that says its length twice: `Content-Length` beside `Transfer-Encoding`.
//!
//! RFC 9112 6.1 lets a server take such a message by its `Transfer-Encoding`, and hyper does so and
//! forgets the other field, so nothing behind it can tell. What says two lengths is an attempt to
//! smuggle (R61), so the bytes of a head are looked at while they arrive. This does not parse HTTP:
//! it looks for two field names at the beginnings of lines before the first empty one.
//!
//! Beside that it lets a SCIM client's bare `"`, `<` and `>` in a query through, which RFC 3986 forbids and hyper answers
//! with an empty 400: in a request line that names the SCIM prefix they become characters that hyper takes, and the
//! router is told so, to turn them back.

use std::io::{self, BufRead as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const LENGTH: &[u8] = b"content-length";
const ENCODING: &[u8] = b"transfer-encoding";

const SAW_LENGTH: u8 = 1;
const SAW_ENCODING: u8 = 2;
const HEAD_OVER: u8 = 4;
const HEAD_BEGUN: u8 = 8;
const SAW_BARE: u8 = 16;

/// What may not stand bare in a request target, what stands for it on the way through hyper, and how it should have
/// been written (RFC 3986 2.1).
const BARE: [(u8, u8, &str); 3] = [
    (b'"', b'`', "%22"),
    (b'<', b'{', "%3C"),
    (b'>', b'}', "%3E"),
];

/// What was seen of the head that is arriving, shared by a connection's socket and its requests.
#[derive(Debug, Default)]
pub(super) struct Framing(AtomicU8);

impl Framing {
    /// Whether the head that has just arrived said its length twice.
    pub(super) fn is_doubled(&self) -> bool {
        let both = SAW_LENGTH | SAW_ENCODING;
        self.0.load(Ordering::Relaxed) & both == both
    }

    /// The target as the client should have written it, when bare characters in it were replaced.
    pub(super) fn escaped(&self, target: &http::Uri) -> Option<String> {
        if self.0.load(Ordering::Relaxed) & SAW_BARE == 0 {
            return None;
        }
        let target = target.to_string();
        let mut escaped = String::with_capacity(target.len().saturating_mul(2));
        for c in target.chars() {
            match BARE
                .iter()
                .find(|(_, instead, _)| char::from(*instead) == c)
            {
                Some((_, _, escape)) => escaped.push_str(escape),
                None => escaped.push(c),
            }
        }
        Some(escaped)
    }

    /// An answer has gone: the next bytes are a new head.
    pub(super) fn next(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn saw(&self, what: u8) {
        self.0.fetch_or(what, Ordering::Relaxed);
    }

    fn head_is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) & HEAD_OVER != 0
    }

    fn head_has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed) & HEAD_BEGUN != 0
    }
}

/// A client's socket whose heads are looked at.
pub(super) struct Watched<S> {
    inner: S,
    framing: Arc<Framing>,
    /// Below it bare characters are let through.
    scim: Arc<str>,
    /// The beginning of a line that the last read cut off.
    line: Vec<u8>,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, framing: Arc<Framing>, scim: Arc<str>) -> Self {
        Self {
            inner,
            framing,
            scim,
            line: Vec::new(),
        }
    }

    fn look(&mut self, bytes: &mut [u8]) {
        if self.framing.head_is_over() {
            return;
        }
        if !self.framing.head_has_begun() && self.line.is_empty() {
            self.replace_bare(bytes);
        }
        let mut rest: &[u8] = bytes;
        while !rest.is_empty() {
            let from = rest;
            // A slice never fails to be read.
            let length = rest.skip_until(b'\n').unwrap_or(from.len());
            let part = from.get(..length).unwrap_or(from);
            let (part, whole) = match part.strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (part, false),
            };
            // Only the beginning of a line matters, so no more of it is kept.
            let room = ENCODING.len().saturating_sub(self.line.len());
            let begun = if self.line.is_empty() && whole {
                part
            } else {
                self.line.extend(part.iter().take(room));
                self.line.as_slice()
            };
            if starts_with(begun, LENGTH) {
                self.framing.saw(SAW_LENGTH);
            } else if starts_with(begun, ENCODING) {
                self.framing.saw(SAW_ENCODING);
            }
            if whole {
                let empty = matches!(begun, b"" | b"\r");
                self.line.clear();
                match (empty, self.framing.head_has_begun()) {
                    (true, true) => return self.framing.saw(HEAD_OVER),
                    // RFC 9112 2.2: empty lines before the request line are passed over, by hyper too.
                    (true, false) => {}
                    (false, _) => self.framing.saw(HEAD_BEGUN),
                }
            }
        }
    }
}

impl<S> Watched<S> {
    /// Only in a request line that stands at the beginning of what was read, so that no body is ever changed.
    fn replace_bare(&self, bytes: &mut [u8]) {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let Some(line) = bytes.get_mut(..end.unwrap_or_default()) else {
            return;
        };
        let method = line.iter().take_while(|byte| byte.is_ascii_uppercase());
        let target = method.count().saturating_add(1);
        let names_scim = line.get(target..).is_some_and(|target| {
            target
                .strip_prefix(self.scim.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"/"))
        });
        if !names_scim {
            return;
        }
        for byte in line {
            if let Some((_, instead, _)) = BARE.iter().find(|(bare, ..)| bare == byte) {
                *byte = *instead;
                self.framing.saw(SAW_BARE);
            }
        }
    }
}

fn starts_with(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if polled.is_ready()
            && let Some(bytes) = buffer.filled_mut().get_mut(before..)
        {
            this.look(bytes);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same whatever the reads cut: whole, byte by byte, and in sevens.
    #[test]
    fn r61_a_length_said_twice_is_seen_however_it_arrives() {
        for (name, head, want) in [
            (
                "cl.te",
                "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                true,
            ),
            (
                "te.cl",
                "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\nhost: a\r\ncontent-length: 4\r\n\r\n",
                true,
            ),
            (
                "bare line feeds",
                "POST / HTTP/1.1\nContent-Length: 4\nTransfer-Encoding: chunked\n\n",
                true,
            ),
            (
                "empty lines before it",
                "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                true,
            ),
            (
                "length alone",
                "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n",
                false,
            ),
            (
                "encoding alone",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                false,
            ),
            (
                "in a value",
                "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: content-length\r\n\r\n",
                false,
            ),
            (
                "in the body",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
                false,
            ),
        ] {
            for size in [1, 7, usize::MAX] {
                let mut socket = watched();
                for bytes in head.as_bytes().chunks(size.min(head.len())) {
                    socket.look(&mut bytes.to_vec());
                }
                assert_eq!(socket.framing.is_doubled(), want, "{name} in {size}");
            }
        }
    }

    #[test]
    fn the_next_head_starts_anew() {
        let mut socket = watched();
        socket.look(&mut b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody".to_vec());
        socket.framing.next();
        socket.look(&mut b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec());
        assert!(!socket.framing.is_doubled());
    }

    #[test]
    fn bare_characters_pass_in_a_scim_query_alone() {
        for (name, sent, want, bare) in [
            (
                "a filter",
                "GET /scim/v2/Users?filter=a+eq+\"<b>\" HTTP/1.1\r\nX: \"y\"\r\n\r\n",
                "GET /scim/v2/Users?filter=a+eq+`{b}` HTTP/1.1\r\nX: \"y\"\r\n\r\n",
                true,
            ),
            (
                "another address",
                "GET /app?q=\"x\" HTTP/1.1\r\n\r\n",
                "GET /app?q=\"x\" HTTP/1.1\r\n\r\n",
                false,
            ),
            (
                "nothing bare",
                "GET /scim/v2/Users?filter=`{` HTTP/1.1\r\n\r\n",
                "GET /scim/v2/Users?filter=`{` HTTP/1.1\r\n\r\n",
                false,
            ),
        ] {
            let mut socket = watched();
            let mut bytes = sent.as_bytes().to_vec();
            socket.look(&mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), want, "{name}");
            let back = socket.framing.escaped(&http::Uri::from_static("/a?`{"));
            assert_eq!(back, bare.then(|| "/a?%22%3C".to_owned()), "{name}");
        }
    }

    fn watched() -> Watched<()> {
        Watched::new((), Arc::new(Framing::default()), "/scim/v2".into())
    }
}
