//! The command line's end of the control socket. Blocking: a command asks once and ends.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Answer, MAX_ANSWER, MAX_QUESTION, Operation};

const TIME: Duration = Duration::from_secs(90);

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no socket, or nobody listens on it.
    #[error("no server answers at {}; is `sidegate serve` running with this configuration?", .0.display())]
    Nobody(PathBuf),
    /// The socket is another user's.
    #[error("{} is not for you: run as root, or as the user that sidegate runs as", .0.display())]
    NotYours(PathBuf),
    /// The connection failed or took too long.
    #[error("the server at {} did not answer", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// More than the server reads.
    #[error("the question is longer than {MAX_QUESTION} bytes")]
    TooLong,
    /// Not what this version understands.
    #[error("the server's answer cannot be read; is it of another version?")]
    Answer(#[from] serde_json::Error),
    /// The server refused or failed.
    #[error("{text}")]
    Refused {
        /// Stable word.
        code: String,
        /// Why.
        text: String,
    },
}

/// Asks the server behind this socket, and waits for its answer.
///
/// # Errors
///
/// Nobody is there, the connection failed, or the server refused.
pub fn ask<T: DeserializeOwned>(socket: &Path, operation: &Operation) -> Result<T, AskError> {
    let mut question = serde_json::to_vec(operation)?;
    if question.len() >= MAX_QUESTION {
        return Err(AskError::TooLong);
    }
    question.push(b'\n');
    let answer = exchange(socket, &question).map_err(|source| {
        let path = socket.to_owned();
        let kind = source.kind();
        if kind == ErrorKind::NotFound || kind == ErrorKind::ConnectionRefused {
            AskError::Nobody(path)
        } else if kind == ErrorKind::PermissionDenied {
            AskError::NotYours(path)
        } else {
            AskError::Broken { path, source }
        }
    })?;
    match serde_json::from_slice(&answer)? {
        Answer::Ok(value) => Ok(serde_json::from_value(value)?),
        Answer::Error { code, text } => Err(AskError::Refused { code, text }),
    }
}

fn exchange(socket: &Path, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    stream.write_all(question)?;
    let mut answer = Vec::new();
    let limit = u64::try_from(MAX_ANSWER).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut answer)?;
    if answer.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}
