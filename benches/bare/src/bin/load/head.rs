//! HTTP/1.1 as far as it is needed here.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The head of a request or an answer.
pub(crate) struct Head {
    pub(crate) first: String,
    length: usize,
    chunked: bool,
}

impl Head {
    /// Reads to the empty line; what came after it is left in `rest`.
    pub(crate) async fn read(stream: &mut TcpStream, rest: &mut Vec<u8>) -> io::Result<Self> {
        let end = loop {
            if let Some(end) = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(rest).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let text = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest.drain(..end + 4);
        let field = |name: &str| {
            text.lines().skip(1).find_map(|line| {
                let (its, value) = line.split_once(':')?;
                its.eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        Ok(Self {
            first: text.lines().next().unwrap_or_default().to_owned(),
            length: field("content-length")
                .and_then(|value| value.parse().ok())
                .unwrap_or(0),
            chunked: field("transfer-encoding").is_some(),
        })
    }

    /// Reads a body of `Content-Length` and gives how long it was.
    pub(crate) async fn read_body(
        &self,
        stream: &mut TcpStream,
        rest: &mut Vec<u8>,
        piece: &mut [u8],
    ) -> io::Result<usize> {
        assert!(!self.chunked, "only bodies of known length are measured");
        let there = rest.len().min(self.length);
        rest.drain(..there);
        let mut got = there;
        while got < self.length {
            let most = piece.len().min(self.length - got);
            match stream.read(&mut piece[..most]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => got += more,
            }
        }
        Ok(got)
    }

    /// Reads a body of `Content-Length`, and gives it.
    pub(crate) async fn body(
        &self,
        stream: &mut TcpStream,
        rest: &mut Vec<u8>,
    ) -> io::Result<Vec<u8>> {
        assert!(!self.chunked, "only bodies of known length are measured");
        rest.reserve(self.length.saturating_sub(rest.len()));
        while rest.len() < self.length {
            if stream.read_buf(rest).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let after = rest.split_off(self.length);
        Ok(std::mem::replace(rest, after))
    }
}
