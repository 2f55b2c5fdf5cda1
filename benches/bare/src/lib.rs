//! One single-threaded runtime per core, each with its own `SO_REUSEPORT` listener.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// Serves connections until the process ends.
///
/// # Panics
///
/// The address is not free.
pub fn per_core<F>(listen: SocketAddr, serve: impl Fn(TcpStream, SocketAddr) -> F + Sync)
where
    F: Future<Output = ()> + Send + 'static,
{
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _core in 0..cores {
            let socket = reuse_port(listen).expect("an address that is free");
            scope.spawn(|| run(socket, &serve));
        }
    });
}

fn reuse_port(listen: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(listen), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

fn run<F>(socket: std::net::TcpListener, serve: &impl Fn(TcpStream, SocketAddr) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(socket).expect("a listener");
        loop {
            if let Ok((stream, peer)) = listener.accept().await {
                tokio::spawn(serve(stream, peer));
            }
        }
    });
}
