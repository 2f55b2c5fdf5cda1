//! How a failure is told: what, why, and with which exit code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::{Output, plain};
use crate::config::SourceError;
use crate::server::{BuildError, StartError};

/// `EX_CONFIG` of sysexits.h.
const CONFIGURATION: u8 = 78;

/// Another file than `sidegate.toml` is the one that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.display())]
pub(super) struct InFile(pub(super) PathBuf);

/// Writes the failure to stderr and gives the exit code.
pub(super) fn tell(error: &anyhow::Error, config: &Path) -> ExitCode {
    let mut stderr = Output::stderr();
    match error.downcast_ref::<SourceError>() {
        Some(SourceError::Mistakes(mistakes)) => {
            let many = if mistakes.0.len() == 1 {
                "mistake"
            } else {
                "mistakes"
            };
            let file = file_of(error, config);
            stderr.line(&format!("{}: {} {many}", file.display(), mistakes.0.len()));
            for mistake in &mistakes.0 {
                stderr.line(&format!("  {}: {}", mistake.key, plain(&mistake.why)));
            }
            ExitCode::from(CONFIGURATION)
        }
        Some(SourceError::Read { .. } | SourceError::Toml { .. }) => {
            stderr.line(&format!("sidegate: {}", chain(error)));
            ExitCode::from(CONFIGURATION)
        }
        None if is_configuration(error) => {
            stderr.line(&format!("sidegate: {}", chain(error)));
            ExitCode::from(CONFIGURATION)
        }
        None => {
            stderr.line(&format!("sidegate: {}", chain(error)));
            ExitCode::FAILURE
        }
    }
}

/// The file whose mistakes they are.
fn file_of<'a>(error: &'a anyhow::Error, config: &'a Path) -> &'a Path {
    let file = error.downcast_ref::<InFile>();
    file.map_or(config, |InFile(file)| file)
}

/// What the settings ask for cannot be made; another start would fail the same way.
fn is_configuration(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<StartError>() {
        Some(StartError::Tls(_)) => true,
        Some(StartError::Build(error)) => match error {
            BuildError::Proxy(_)
            | BuildError::Outbound(_)
            | BuildError::Saml(_)
            | BuildError::Ledger(_)
            | BuildError::Attributes(_) => true,
            BuildError::Storage(_) => false,
        },
        Some(StartError::Bind { .. } | StartError::Control(_) | StartError::Thread(_)) | None => {
            false
        }
    }
}

/// The failure and its causes, in one line each where they are long.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = plain(&cause.to_string());
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::config::{Mistake, Mistakes};

    #[test]
    fn mistakes_stand_under_the_file_that_has_them() {
        let mistakes = || {
            let one = Mistake {
                key: "line 1: api".to_owned(),
                why: "is required".to_owned(),
            };
            SourceError::from(Mistakes(vec![one]))
        };
        let config = Path::new("sidegate.toml");
        let own = anyhow::Error::from(mistakes());
        assert_eq!(file_of(&own, config), config);
        let file = || InFile("larder.toml".into());
        let its = Err::<(), _>(mistakes()).with_context(file).unwrap_err();
        assert_eq!(file_of(&its, config), Path::new("larder.toml"));
        assert!(its.downcast_ref::<SourceError>().is_some());
    }
}
