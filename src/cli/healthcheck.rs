//! `sidegate healthcheck`: one GET to the ops listener that the configuration names.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::output::{Output, plain};
use crate::config::{Listen, Settings};

const TIME: Duration = Duration::from_secs(3);
const MOST: u64 = 16 * 1024;

/// What to ask.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, in a Containerfile:
  HEALTHCHECK CMD [\"sidegate\", \"healthcheck\"]")]
pub(super) struct Args {
    /// Ask whether requests should come here (/readyz), not only whether the process lives (/healthz).
    #[arg(long)]
    ready: bool,
}

pub(super) fn run(
    args: &Args,
    settings: &Settings,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let path = if args.ready { "/readyz" } else { "/healthz" };
    let ops = &settings.server.ops;
    let answer = get(ops, path).with_context(|| format!("{ops}{path}"))?;
    let (status, body) = split(&answer).with_context(|| format!("{ops} does not speak HTTP"))?;
    output.line(plain(body).trim_end());
    match status {
        "200" => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn get(ops: &Listen, path: &str) -> anyhow::Result<String> {
    match ops {
        Listen::Tcp(address) => {
            let stream = TcpStream::connect_timeout(&reachable(*address), TIME)?;
            stream.set_read_timeout(Some(TIME))?;
            stream.set_write_timeout(Some(TIME))?;
            exchange(stream, path)
        }
        Listen::Unix(socket) => {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(TIME))?;
            stream.set_write_timeout(Some(TIME))?;
            exchange(stream, path)
        }
        Listen::Fd(_) => bail!("is handed over by the service manager and has no address to ask"),
    }
}

/// Where a listener on "all addresses" answers on this machine.
const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn exchange(mut stream: impl Read + Write, path: &str) -> anyhow::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Status and body of an answer.
fn split(answer: &str) -> Option<(&str, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?;
    Some((status.lines().next()?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_their_status() {
        for (answer, want) in [
            ("HTTP/1.1 200 OK\r\nx: y\r\n\r\nok\n", Some(("200", "ok\n"))),
            ("HTTP/1.1 503\r\n\r\n{}", Some(("503", "{}"))),
            ("SSH-2.0-x\r\n", None),
            ("", None),
        ] {
            assert_eq!(split(answer), want, "{answer:?}");
        }
    }

    #[test]
    fn all_addresses_are_asked_on_this_machine() {
        for (listen, want) in [
            ("0.0.0.0:8091", "127.0.0.1:8091"),
            ("[::]:8091", "[::1]:8091"),
            ("10.1.2.3:8091", "10.1.2.3:8091"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), want);
        }
    }
}
