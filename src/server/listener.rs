//! Sockets to accept on: one for each worker over TCP (`SO_REUSEPORT`), one shared otherwise.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::config::Listen;

const BACKLOG: i32 = 4096;

/// A bound socket that is not yet part of a runtime.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Bound {
    /// Binds once.
    pub(super) fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => Ok(Self::Tcp(bind_tcp(*address)?)),
            Listen::Unix(path) => Ok(Self::Unix(bind_unix(path)?)),
            Listen::Fd(number) => inherited(*number),
        }
    }

    /// Another socket on the same address for another worker: its own queue over TCP, else the same socket.
    pub(super) fn another(&self, listen: &Listen) -> io::Result<Self> {
        match (self, listen) {
            (Self::Tcp(bound), Listen::Tcp(_)) => Ok(Self::Tcp(bind_tcp(bound.local_addr()?)?)),
            (Self::Tcp(bound), Listen::Unix(_) | Listen::Fd(_)) => {
                Ok(Self::Tcp(bound.try_clone()?))
            }
            (Self::Unix(bound), _) => Ok(Self::Unix(bound.try_clone()?)),
        }
    }

    /// The address, with the port that was chosen for port 0.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Tcp(bound) => bound
                .local_addr()
                .map_or_else(|_| String::new(), |address| address.to_string()),
            Self::Unix(bound) => bound
                .local_addr()
                .ok()
                .and_then(|address| {
                    address
                        .as_pathname()
                        .map(|path| format!("unix:{}", path.display()))
                })
                .unwrap_or_default(),
        }
    }

    /// Makes it part of this thread's runtime.
    pub(super) fn listen(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(bound) => Ok(Listener::Tcp(TcpListener::from_std(bound)?)),
            Self::Unix(bound) => Ok(Listener::Unix(UnixListener::from_std(bound)?)),
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // `[::]` also takes IPv4, as operators expect.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_unix(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    // A socket that a killed process left behind; a live one answers, and then bind must fail.
    let left_behind = std::fs::symlink_metadata(path)
        .is_ok_and(|file| file.file_type().is_socket())
        && std::os::unix::net::UnixStream::connect(path).is_err();
    if left_behind {
        std::fs::remove_file(path)?;
    }
    let bound = std::os::unix::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    bound.set_nonblocking(true)?;
    Ok(bound)
}

/// A listening socket handed over by the service manager (`LISTEN_FDS`, as `sd_listen_fds(3)` has it); the first is 3.
fn inherited(number: i32) -> io::Result<Bound> {
    let missing = || {
        let why =
            format!("no listening socket was handed over as descriptor {number} (LISTEN_FDS)");
        io::Error::new(io::ErrorKind::NotFound, why)
    };
    let index = number
        .checked_sub(3)
        .and_then(|index| usize::try_from(index).ok());
    let index = index.ok_or_else(missing)?;
    let mut handed_over = ListenFd::from_env();
    if let Ok(Some(bound)) = handed_over.take_tcp_listener(index) {
        bound.set_nonblocking(true)?;
        return Ok(Bound::Tcp(bound));
    }
    match handed_over.take_unix_listener(index)? {
        Some(bound) => {
            bound.set_nonblocking(true)?;
            Ok(Bound::Unix(bound))
        }
        None => Err(missing()),
    }
}

/// A socket that accepts.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection just accepted.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream, peer))
            }
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}
