//! Our server as a process of its own, for what kills it and for what it writes.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdout, Command};

use super::{Client, run, sidegate};

/// A running `sidegate serve`.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    pub host: String,
    pub ops: SocketAddr,
    pub folder: PathBuf,
}

impl Process {
    /// In a new folder, with these further settings.
    pub async fn start(upstream: &str, further: &str) -> Self {
        Self::start_in(sidegate::new_folder(), upstream, further).await
    }

    /// With a pipe for its lines, which the test reads when it likes.
    pub async fn start_piped(upstream: &str, further: &str) -> (Self, ChildStdout) {
        let folder = sidegate::new_folder();
        let how = (Stdio::piped(), "");
        let mut started = Self::start_with(folder, upstream, further, how).await;
        let lines = started.child.stdout.take().unwrap();
        (started, lines)
    }

    /// In the folder of an earlier one.
    pub async fn start_in(folder: PathBuf, upstream: &str, further: &str) -> Self {
        let log = log_file(&folder).into();
        Self::start_with(folder, upstream, further, (log, "")).await
    }

    /// Behind this command of a shell, such as `ulimit -n 64`.
    pub async fn start_behind(before: &str, upstream: &str, further: &str) -> Self {
        let folder = sidegate::new_folder();
        let log = log_file(&folder).into();
        Self::start_with(folder, upstream, further, (log, before)).await
    }

    /// In this folder, with these variables of its environment.
    pub async fn start_knowing(
        folder: PathBuf,
        upstream: &str,
        further: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let export = |(name, value): &(&str, &str)| format!("export {name}='{value}'\n");
        let before: String = variables.iter().map(export).collect();
        let log = log_file(&folder).into();
        Self::start_with(folder, upstream, further, (log, &before)).await
    }

    async fn start_with(
        folder: PathBuf,
        upstream: &str,
        further: &str,
        (stdout, before): (Stdio, &str),
    ) -> Self {
        let (port, ops) = (sidegate::free_port(), sidegate::free_port());
        let host = format!("localhost:{port}");
        let state = folder.display();
        let text = format!(
            "public_url = \"http://{host}\"\nserver.listen = \"127.0.0.1:{port}\"\nserver.ops.listen = \"127.0.0.1:{ops}\"\n\
             server.control.socket = \"{state}/control.sock\"\nstorage.url = \"redb://{state}/sidegate.redb\"\n\
             upstream.url = \"{upstream}\"\n{further}\n"
        );
        let config = folder.join("sidegate.toml");
        std::fs::write(&config, text).unwrap();
        let child = Command::new("sh")
            .arg("-c")
            .arg(format!("{before}\nexec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_sidegate"))
            .arg("--config")
            .arg(&config)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log_file(&folder))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            host,
            ops: SocketAddr::from(([127, 0, 0, 1], ops)),
            folder,
        };
        let up = async {
            while tokio::net::TcpStream::connect(started.address)
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let up = tokio::time::timeout(Duration::from_secs(30), up).await;
        assert!(up.is_ok(), "it does not answer:\n{}", started.log());
        started
    }

    /// A browser with an empty jar.
    pub fn browser(&self) -> Client {
        Client::new(self.address, &self.host)
    }

    /// A program with an empty jar.
    pub fn program(&self) -> Client {
        Client::program(self.address, &self.host)
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub async fn operator(&self, line: &str) -> String {
        let ran = run(&self.folder.join("sidegate.toml"), line, "").await;
        assert_eq!(ran.0, 0, "{line}: {} {}", ran.1, ran.2);
        ran.1
    }

    /// Everything that it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// As the machine does it when it runs out of memory; gives the folder.
    pub async fn kill(mut self) -> PathBuf {
        self.child.kill().await.unwrap();
        self.child.wait().await.unwrap();
        std::mem::take(&mut self.folder)
    }

    /// Has the settings read again, once it listens for that: before, the signal would end it.
    pub async fn hang_up(&self) {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let listens = || {
            let status = std::fs::read_to_string(&status).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & 1 == 1
        };
        let caught = async {
            while !listens() {
                tokio::task::yield_now().await;
            }
        };
        let caught = tokio::time::timeout(Duration::from_secs(20), caught).await;
        assert!(caught.is_ok(), "it does not listen for SIGHUP");
        self.signal("-HUP").await;
    }

    async fn signal(&self, which: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args([which, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// As a service manager does it; gives the folder.
    pub async fn terminate(mut self) -> PathBuf {
        self.signal("-TERM").await;
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.expect("still running").unwrap();
        assert!(status.success(), "{status}:\n{}", self.log());
        std::mem::take(&mut self.folder)
    }
}

fn log_file(folder: &Path) -> File {
    let mut options = File::options();
    let log = options.create(true).append(true).open(folder.join("log"));
    log.unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _gone = std::fs::remove_dir_all(&self.folder);
        }
    }
}
