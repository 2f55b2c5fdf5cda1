//! Where a password comes from: a prompt without echo, a line of stdin, or a file. Never an argument.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::secret::Secret;

/// Longest file or line that is read, bytes; far over what bcrypt takes.
const MOST: u64 = 1024;

/// How the password is given.
#[derive(Debug, clap::Args)]
pub(super) struct From {
    /// Read the password from this file's first line; `-` is standard input. Else it is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl From {
    /// Whether a file was named.
    pub(super) const fn is_given(&self) -> bool {
        self.password_file.is_some()
    }

    /// Reads it.
    pub(super) fn read(&self, who: &str) -> anyhow::Result<Secret> {
        let stdin = std::io::stdin();
        match &self.password_file {
            Some(path) if path.as_os_str() != "-" => {
                let file = std::fs::File::open(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                first_line(std::io::BufReader::new(file))
            }
            None if stdin.is_terminal() => ask(who),
            Some(_) | None => first_line(stdin.lock()),
        }
    }
}

fn ask(who: &str) -> anyhow::Result<Secret> {
    let first = Secret::new(rpassword::prompt_password(format!(
        "New password for {who}: "
    ))?);
    let second = Secret::new(rpassword::prompt_password("The same again: ")?);
    if !first.matches(second.expose()) {
        bail!("the two passwords are not the same; nothing was changed");
    }
    if first.expose().is_empty() {
        bail!("the password is empty; nothing was changed");
    }
    Ok(first)
}

fn first_line(reader: impl BufRead) -> anyhow::Result<Secret> {
    let mut line = String::new();
    let read = reader.take(MOST).read_line(&mut line);
    read.context("the password cannot be read")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        bail!("no password on standard input or in the file; nothing was changed");
    }
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_without_its_end() {
        for (text, want) in [
            ("secret one\n", Some("secret one")),
            ("secret\r\nmore\n", Some("secret")),
            ("no end", Some("no end")),
            (" spaces stay ", Some(" spaces stay ")),
            ("\n", None),
            ("", None),
        ] {
            let got = first_line(text.as_bytes()).ok();
            assert_eq!(got.as_ref().map(Secret::expose), want, "{text:?}");
        }
    }
}
