//! The same requests over and over, each with another number in it, on kept connections.
//!
//! A template is a request line without its version, then perhaps a line end and a JSON body. In it stand for
//! the number `{n}`, `{h}` (eight hex digits that scatter it) and `{id}` (an UUID made of it); `{cursor}` is the
//! `nextCursor` of the answer before. Templates take turns, and each number goes through all of them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::at;
use super::head::Head;

/// Which numbers are taken: `FROM..` counts up, `..BELOW` scatters.
#[derive(Clone, Copy)]
pub(crate) enum Numbers {
    From(usize),
    Below(usize),
}

impl Numbers {
    pub(crate) fn read(text: &str) -> Self {
        match text.split_once("..") {
            Some((from, "")) => Self::From(from.parse().expect("a number")),
            Some(("", below)) => Self::Below(below.parse().expect("a number")),
            _ => panic!("numbers are FROM.. or ..BELOW"),
        }
    }

    const fn at(self, turn: usize) -> usize {
        match self {
            Self::From(first) => first + turn,
            Self::Below(end) => turn * 7919 % end,
        }
    }
}

/// What is asked of whom.
pub(crate) struct Ask<'a> {
    pub(crate) address: &'a str,
    pub(crate) token: &'a str,
    pub(crate) templates: &'a [&'a str],
    pub(crate) numbers: Numbers,
}

/// What all clients share.
struct Shared {
    head: String,
    templates: Vec<String>,
    /// Whether cursors are wanted.
    follows: bool,
    numbers: Numbers,
    turns: AtomicUsize,
    failed: AtomicUsize,
    end: Instant,
}

impl Ask<'_> {
    pub(crate) async fn run(&self, clients: usize, seconds: usize) -> io::Result<()> {
        let mut streams = Vec::new();
        for _client in 0..clients {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let shared = Arc::new(Shared {
            head: format!(
                " HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: application/scim+json\r\n",
                self.address, self.token
            ),
            templates: self.templates.iter().map(|it| (*it).to_owned()).collect(),
            follows: self.templates.iter().any(|it| it.contains("{cursor}")),
            numbers: self.numbers,
            turns: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            end: Instant::now() + Duration::from_secs(seconds as u64),
        });
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::spawn(client(Arc::clone(&shared), stream)))
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("a client")?);
        }
        times.sort_unstable();
        let failed = shared.failed.load(Ordering::Relaxed);
        assert!(
            failed * 100 <= times.len(),
            "{failed} of {} failed",
            times.len()
        );
        let turns = shared.turns.load(Ordering::Relaxed);
        println!(
            "{} {failed} {} {} {}",
            times.len(),
            at(&times, 50),
            at(&times, 99),
            shared.numbers.at(turns.div_ceil(shared.templates.len()))
        );
        Ok(())
    }
}

async fn client(shared: Arc<Shared>, mut stream: TcpStream) -> io::Result<Vec<Duration>> {
    let (mut times, mut rest, mut cursor) = (Vec::new(), Vec::new(), String::new());
    while Instant::now() < shared.end {
        let request = shared.request(&cursor);
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let head = Head::read(&mut stream, &mut rest).await?;
        let body = head.body(&mut stream, &mut rest).await?;
        times.push(began.elapsed());
        if !head.first.contains(" 20") && shared.failed.fetch_add(1, Ordering::Relaxed) == 0 {
            eprintln!("{}\n{}", head.first, String::from_utf8_lossy(&body));
        }
        if shared.follows {
            cursor = next_cursor(&body).unwrap_or_default();
        }
    }
    Ok(times)
}

impl Shared {
    fn request(&self, cursor: &str) -> String {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let template = &self.templates[turn % self.templates.len()];
        let number = self.numbers.at(turn / self.templates.len());
        let scattered = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (high, low) = (scattered >> 32, scattered >> 16 & 0xFFFF);
        let filled = template
            .replace("{n}", &number.to_string())
            .replace("{h}", &format!("{high:08x}"))
            .replace(
                "{id}",
                &format!("{high:08x}-{low:04x}-4000-8000-{number:012x}"),
            )
            .replace("{cursor}", cursor);
        let head = &self.head;
        match filled.split_once('\n') {
            Some((line, body)) => format!(
                "{line}{head}Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            None => format!("{filled}{head}\r\n"),
        }
    }
}

fn next_cursor(body: &[u8]) -> Option<String> {
    const NAME: &str = "\"nextCursor\":\"";
    // Where it stands depends on who wrote it: at either end.
    let text = std::str::from_utf8(body).ok()?;
    let (_, after) = text.rsplit_once(NAME)?;
    Some(after.split_once('"')?.0.to_owned())
}
