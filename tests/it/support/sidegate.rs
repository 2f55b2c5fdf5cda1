//! Our server, started in this process on free ports, with its state in a folder of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use sidegate::config::Settings;
use sidegate::server::{self, LogWriter, Running};

use super::Client;

/// A running server.
pub struct Sidegate {
    pub running: Option<Running>,
    pub address: SocketAddr,
    pub ops: SocketAddr,
    pub folder: PathBuf,
    pub host: String,
    config: PathBuf,
}

impl Sidegate {
    /// Before this app, with further settings. The public URL is `http://localhost:PORT`, unless they have one.
    pub async fn start(upstream: &str, further: &str) -> Self {
        Self::start_in(new_folder(), upstream, further).await
    }

    /// The same in a folder that holds the state of an earlier one.
    pub async fn start_in(folder: PathBuf, upstream: &str, further: &str) -> Self {
        // The port must be known before, because the public URL names it.
        let port = free_port();
        let host = format!("localhost:{port}");
        let public_url = if further.contains("public_url") {
            String::new()
        } else {
            format!("public_url = \"http://{host}\"")
        };
        let state = folder.display();
        // Dotted keys, so that a test may add to any of these tables.
        let text = format!(
            "{public_url}\nserver.listen = \"127.0.0.1:{port}\"\nserver.workers = 2\nserver.ops.listen = \"127.0.0.1:0\"\n\
             server.control.socket = \"{state}/control.sock\"\nstorage.url = \"redb://{state}/sidegate.redb\"\n\
             log.access = false\nupstream.url = \"{upstream}\"\n{further}\n"
        );
        let config = folder.join("sidegate.toml");
        std::fs::write(&config, &text).unwrap();
        let settings = Settings::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let file = config.clone();
        // The server has threads and runtimes of its own, and may not be started from within one.
        let log = LogWriter::to_stdout().unwrap();
        let running = std::thread::spawn(move || server::start(settings, Some(file), log))
            .join()
            .unwrap()
            .unwrap();
        Self {
            address: running.address().parse().unwrap(),
            ops: running.ops_address().parse().unwrap(),
            running: Some(running),
            folder,
            host,
            config,
        }
    }

    /// A browser with an empty jar.
    pub fn browser(&self) -> Client {
        Client::new(self.address, &self.host)
    }

    /// A program with an empty jar.
    pub fn program(&self) -> Client {
        Client::program(self.address, &self.host)
    }

    /// The public URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// The configuration file.
    pub fn config(&self) -> &PathBuf {
        &self.config
    }

    /// Reads the configuration file again, as SIGHUP does.
    pub async fn reload(&self) -> bool {
        // The server's runtime may not be waited for from within another.
        let running = self.running.as_ref().unwrap();
        std::thread::scope(|scope| scope.spawn(|| running.reload()).join().unwrap())
    }

    /// Ends it in order and keeps the folder.
    pub fn stop(mut self) -> PathBuf {
        let running = self.running.take().unwrap();
        std::thread::spawn(move || running.drain()).join().unwrap();
        std::mem::take(&mut self.folder)
    }
}

impl Drop for Sidegate {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ended = std::thread::spawn(move || drop(running)).join();
        }
        if !self.folder.as_os_str().is_empty() {
            let _gone = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A new empty folder.
pub fn new_folder() -> PathBuf {
    let name = format!("sidegate-test-{}", ::sidegate::crypto::random_token());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
