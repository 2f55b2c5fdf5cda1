//! The command line as an operator types it: the real binary against a running server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::Sidegate;

/// Exit code, standard output, standard error.
pub struct Ran(pub i32, pub String, pub String);

/// Runs `sidegate` with this on its standard input.
pub async fn run(config: &Path, line: &str, input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidegate"));
    command.args(line.split(' ')).arg("--config").arg(config);
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || ran(&mut command, &input))
        .await
        .unwrap()
}

impl Sidegate {
    /// Runs a command that must succeed, and gives what it printed.
    pub async fn operator(&self, line: &str) -> String {
        let ran = run(self.config(), line, "").await;
        assert_eq!(ran.0, 0, "{line}: {} {}", ran.1, ran.2);
        ran.1
    }
}

fn ran(command: &mut Command, input: &str) -> Ran {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A command that does not read its input may be gone already.
    let _written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran(status.code().unwrap(), text(stdout), text(stderr))
}
