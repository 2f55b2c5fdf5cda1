//! Refuses a request that says its length twice: `Content-Length` beside `Transfer-Encoding`.
//!
//! RFC 9112 6.1 lets a server take such a message by its `Transfer-Encoding`, and hyper does so and
//! forgets the other field, so nothing behind it can tell. What says two lengths is an attempt to
//! smuggle (R61), so the bytes of a head are looked at while they arrive. This does not parse HTTP:
//! it looks for two field names at the beginnings of lines before the first empty one.

use std::io;
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

/// What was seen of the head that is arriving, shared by a connection's socket and its requests.
#[derive(Debug, Default)]
pub(super) struct Framing(AtomicU8);

impl Framing {
    /// Whether the head that has just arrived said its length twice.
    pub(super) fn is_doubled(&self) -> bool {
        let both = SAW_LENGTH | SAW_ENCODING;
        self.0.load(Ordering::Relaxed) & both == both
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
}

/// A client's socket whose heads are looked at.
pub(super) struct Watched<S> {
    inner: S,
    framing: Arc<Framing>,
    /// The beginning of a line that the last read cut off.
    line: Vec<u8>,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, framing: Arc<Framing>) -> Self {
        Self {
            inner,
            framing,
            line: Vec::new(),
        }
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.framing.head_is_over() {
            return;
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            let whole = lines.peek().is_some();
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
                if empty {
                    return self.framing.saw(HEAD_OVER);
                }
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
            && let Some(bytes) = buffer.filled().get(before..)
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
                let mut socket = Watched::new((), Arc::new(Framing::default()));
                for bytes in head.as_bytes().chunks(size.min(head.len())) {
                    socket.look(bytes);
                }
                assert_eq!(socket.framing.is_doubled(), want, "{name} in {size}");
            }
        }
    }

    #[test]
    fn the_next_head_starts_anew() {
        let mut socket = Watched::new((), Arc::new(Framing::default()));
        socket.look(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
        socket.framing.next();
        socket.look(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(!socket.framing.is_doubled());
    }
}
