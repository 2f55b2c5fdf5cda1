//! `sidegate demo`: a demo app behind a real server in a temporary folder, two people, and what to try.

mod app;
mod guide;
mod page;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::output::Output;
use super::temporary::Folder;
use crate::config::Settings;
use crate::crypto::random_token;
use crate::identity::TenantSlug;
use crate::secret::Secret;
use crate::server::LogWriter;
use crate::server::control::{ChangedUser, Create, CreateToken, NewTokenRow, Operation, ask};
use app::App;

/// Where to answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  sidegate demo --port 9000

Everything is kept in a temporary folder that goes with the demo. Nothing outside this machine is
reached, and nothing outside this machine reaches it.")]
pub(super) struct Args {
    /// Port of this machine for the browser; without it 8090, or another that is free.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Also print one line for each request: what was asked, what was decided, and why.
    #[arg(long)]
    log: bool,
}

/// One of the two people.
struct Person {
    name: &'static str,
    display_name: &'static str,
    role: &'static str,
    password: String,
}

pub(super) fn run(args: &Args, output: &mut Output) -> anyhow::Result<ExitCode> {
    let folder = Folder::new("demo")?;
    let app = App::start().context("the demo app cannot start")?;
    let port = match args.port {
        Some(port) => port,
        None => free_port(8090)?,
    };
    let ops = free_port(port.checked_add(1).unwrap_or(8091))?;
    let file = folder.path().join("sidegate.toml");
    let text = settings(folder.path(), port, ops, app.port(), args.log);
    write_private(&file, &text)?;
    let settings = Settings::load(&file)?;
    let log = LogWriter::to_stdout()?;
    if args.log {
        super::logs::start(&settings.log, log.clone());
    }
    let control = settings.server.control.clone();
    let running = crate::server::start(settings, Some(file.clone()), log.clone())?;
    let people = [
        person("alice", "Alice Archer", "ADMIN"),
        person("bob", "Bob Baker", "MEMBER"),
    ];
    for person in &people {
        let _made: ChangedUser = ask(&control, &create(person))?;
    }
    let token: NewTokenRow = ask(&control, &token())?;
    let guide = guide::Guide {
        port,
        ops,
        config: &file,
        people: &people,
        token: &token,
    };
    output.line(&guide.to_string());
    running.until_stopped()?;
    log.flush();
    output.line("The demo has ended, and its folder is gone.");
    Ok(ExitCode::SUCCESS)
}

fn person(name: &'static str, display_name: &'static str, role: &'static str) -> Person {
    let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let random: String = random_token().chars().filter(plain).take(6).collect();
    Person {
        name,
        display_name,
        role,
        password: format!("{name}-{random:0<6}"),
    }
}

fn create(person: &Person) -> Operation {
    Operation::UserCreate(Create {
        tenant: TenantSlug::default(),
        user_name: person.name.to_owned(),
        email: Some(format!("{}@example.com", person.name)),
        display_name: Some(person.display_name.to_owned()),
        roles: vec![person.role.to_owned()],
        password: Some(Secret::new(person.password.clone())),
        must_change: false,
    })
}

fn token() -> Operation {
    Operation::TokenCreate(CreateToken {
        tenant: TenantSlug::default(),
        name: Some("demo".to_owned()),
        expires_seconds: None,
        roles: None,
    })
}

fn settings(folder: &Path, port: u16, ops: u16, app: u16, log: bool) -> String {
    let folder = folder.display();
    format!(
        "# The demo's configuration; a real one begins with config.example.toml.
public_url = \"http://localhost:{port}\"

[server]
listen = \"127.0.0.1:{port}\"
drain_timeout = \"2s\"
[server.ops]
listen = \"127.0.0.1:{ops}\"
[server.control]
socket = \"{folder}/control.sock\"

[upstream]
url = \"http://127.0.0.1:{app}\"

[storage]
url = \"redb://{folder}/sidegate.redb\"

[headers.set]
\"X-Demo-Greeting\" = \"Hello {{{{ user.displayName }}}}\"
[headers.assertion]

[local]
enabled = true
bcrypt_cost = 10

[roles]
allowed = [\"ADMIN\", \"MEMBER\"]

[[rule]]
path = \"/public\"
access = \"public\"
[[rule]]
path = \"/admin/**\"
roles = [\"ADMIN\"]
[[rule]]
path = \"/api/**\"
anonymous = \"401\"

[pages]
name = \"Demo\"
contact = \"the operator of this demo\"

[log]
format = \"text\"
access = {log}
"
    )
}

/// This port of this machine, or another when somebody has it.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_taken| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    opened?.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_settings_are_settings() {
        let text = settings(Path::new("/tmp/x"), 8090, 8091, 9000, false);
        let settings = Settings::parse(&text).unwrap();
        assert_eq!(settings.public_url.origin(), "http://localhost:8090");
        assert_eq!(settings.rules.len(), 3);
        let greeting = &settings.headers.set[0];
        assert_eq!(greeting.1, "Hello {{ user.displayName }}");
    }

    #[test]
    fn passwords_are_long_enough_and_never_the_same() {
        let (one, other) = (
            person("bob", "Bob", "MEMBER"),
            person("bob", "Bob", "MEMBER"),
        );
        assert!(one.password.len() >= 10, "{}", one.password);
        assert_ne!(one.password, other.password);
    }
}
