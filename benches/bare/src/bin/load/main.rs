//! What wrk cannot do, for `benches/run`: WebSocket messages, long bodies, idle connections, and the app behind them.
//!
//! ```text
//! load app ADDR                              /ws echoes, /sink counts a body, /stream?BYTES sends one, else "ok"
//! load ws ADDR COOKIE CONNECTIONS SECONDS SIZE  ping-pong; prints messages, p50 and p99 in µs
//! load idle ADDR COOKIE CONNECTIONS          one request each, prints "open N", keeps them until stdin ends
//! load download ADDR COOKIE PATH             prints bytes and seconds
//! load upload ADDR COOKIE BYTES              POST /sink, prints bytes and seconds
//! load ask ADDR TOKEN CLIENTS SECONDS NUMBERS TEMPLATE...  see `ask`; prints answers, failures, p50 and p99 in µs,
//!                                            and the number that comes next
//! ```

mod ask;
mod head;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use ask::{Ask, Numbers};
use head::Head;

const PIECE: usize = 64 * 1024;
/// The key of RFC 6455 1.3, and what a server answers to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["app", address] => app(address).await,
        ["ws", address, cookie, connections, seconds, size] => {
            let target = Target { address, cookie };
            target
                .websockets(number(connections), number(seconds), number(size))
                .await
        }
        ["idle", address, cookie, connections] => {
            Target { address, cookie }.idle(number(connections)).await
        }
        ["download", address, cookie, path] => Target { address, cookie }.download(path).await,
        ["upload", address, cookie, bytes] => {
            Target { address, cookie }.upload(number(bytes)).await
        }
        [
            "ask",
            address,
            token,
            clients,
            seconds,
            numbers,
            ref templates @ ..,
        ] => {
            let ask = Ask {
                address,
                token,
                templates,
                numbers: Numbers::read(numbers),
            };
            ask.run(number(clients), number(seconds)).await
        }
        _ => panic!("see the comment at the beginning of main.rs"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// A percentile of sorted times, µs.
fn at(times: &[Duration], percent: usize) -> u128 {
    times
        .get(times.len() * percent / 100)
        .map_or(0, Duration::as_micros)
}

async fn app(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _peer) = listener.accept().await?;
        tokio::spawn(serve(stream));
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut piece = vec![b'z'; PIECE];
    let mut rest = Vec::new();
    loop {
        let head = Head::read(&mut stream, &mut rest).await?;
        let path = head.first.split(' ').nth(1).unwrap_or_default();
        match path.split_once('?').unwrap_or((path, "")) {
            ("/ws", _) => {
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await?;
                return echo(stream, piece).await;
            }
            ("/stream", bytes) => {
                let mut left: usize = bytes.parse().unwrap_or(0);
                stream
                    .write_all(
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n").as_bytes(),
                    )
                    .await?;
                while left > 0 {
                    let now = left.min(PIECE);
                    stream.write_all(&piece[..now]).await?;
                    left -= now;
                }
            }
            _ => {
                let got = head.read_body(&mut stream, &mut rest, &mut piece).await?;
                let body = format!("ok {got}");
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await?;
            }
        }
    }
}

async fn echo(mut stream: TcpStream, mut piece: Vec<u8>) -> io::Result<()> {
    loop {
        match stream.read(&mut piece).await? {
            0 => return Ok(()),
            got => stream.write_all(&piece[..got]).await?,
        }
    }
}

#[derive(Clone, Copy)]
struct Target<'a> {
    address: &'a str,
    cookie: &'a str,
}

impl Target<'_> {
    async fn begin(&self, request: &str, fields: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (host, cookie) = (self.address, self.cookie);
        let head =
            format!("{request} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).await?;
        Ok(stream)
    }

    async fn websockets(&self, connections: usize, seconds: usize, size: usize) -> io::Result<()> {
        let end = Instant::now() + Duration::from_secs(seconds as u64);
        let mut tasks = Vec::new();
        for _connection in 0..connections {
            let fields = format!(
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
            );
            let mut stream = self.begin("GET /ws", &fields).await?;
            let head = Head::read(&mut stream, &mut Vec::new()).await?;
            assert!(head.first.contains(" 101"), "{}", head.first);
            tasks.push(tokio::spawn(ping_pong(stream, size, end)));
        }
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("a connection")?);
        }
        times.sort_unstable();
        println!("{} {} {}", times.len(), at(&times, 50), at(&times, 99));
        Ok(())
    }

    async fn idle(&self, connections: usize) -> io::Result<()> {
        let mut open = Vec::new();
        for _connection in 0..connections {
            let mut stream = self.begin("GET /", "").await?;
            let mut rest = Vec::new();
            let head = Head::read(&mut stream, &mut rest).await?;
            assert!(head.first.contains(" 200"), "{}", head.first);
            head.read_body(&mut stream, &mut rest, &mut [0; 4096])
                .await?;
            open.push(stream);
        }
        println!("open {}", open.len());
        std::io::stdin().read_line(&mut String::new())?;
        let closed = |stream: &&TcpStream| matches!(stream.try_read(&mut [0; 1]), Ok(0));
        println!("closed {}", open.iter().filter(closed).count());
        Ok(())
    }

    async fn download(&self, path: &str) -> io::Result<()> {
        let began = Instant::now();
        let mut stream = self.begin(&format!("GET {path}"), "").await?;
        let mut rest = Vec::new();
        let head = Head::read(&mut stream, &mut rest).await?;
        assert!(head.first.contains(" 200"), "{}", head.first);
        let got = head
            .read_body(&mut stream, &mut rest, &mut vec![0; 4 * PIECE])
            .await?;
        println!("{got} {}", began.elapsed().as_secs_f64());
        Ok(())
    }

    async fn upload(&self, bytes: usize) -> io::Result<()> {
        let began = Instant::now();
        let mut stream = self
            .begin("POST /sink", &format!("Content-Length: {bytes}\r\n"))
            .await?;
        let piece = vec![b'z'; PIECE];
        let mut left = bytes;
        while left > 0 {
            let now = left.min(PIECE);
            stream.write_all(&piece[..now]).await?;
            left -= now;
        }
        let head = Head::read(&mut stream, &mut Vec::new()).await?;
        assert!(head.first.contains(" 200"), "{}", head.first);
        println!("{bytes} {}", began.elapsed().as_secs_f64());
        Ok(())
    }
}

async fn ping_pong(mut stream: TcpStream, size: usize, end: Instant) -> io::Result<Vec<Duration>> {
    // One masked binary frame with a mask of zeros; the app echoes bytes, whatever they mean.
    let length = u16::try_from(size)
        .expect("a size below 64 KiB")
        .to_be_bytes();
    let mut frame = vec![0x82, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
    frame.resize(8 + size, b'x');
    let mut back = vec![0; frame.len()];
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        stream.write_all(&frame).await?;
        stream.read_exact(&mut back).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}
