//! Listeners, TLS, connections, the router, the access log, the control socket.
//!
//! Refuses what is over a limit, what is not one HTTP request, and whoever may not command.

mod access_log;
mod app;
mod chores;
mod connection;
pub mod control;
mod descriptors;
mod framing;
mod listener;
mod log_writer;
mod ops_listener;
mod reload;
mod router;
mod run;
mod shared;
mod stalled;
mod stop;
mod tls;
mod worker;

pub use app::{App, BuildError, idp_cache};
pub use descriptors::raise_open_files;
pub use log_writer::LogWriter;
pub use run::{Running, StartError, start};
pub use tls::{TlsError, server_config};
