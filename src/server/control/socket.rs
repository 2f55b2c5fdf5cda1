//! The listening half: who may connect, how much they may say, and for how long.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Answer, MAX_QUESTION, Operation};
use crate::server::App;

const AT_ONCE: usize = 16;
const TO_ASK: Duration = Duration::from_secs(5);
const TO_DO: Duration = Duration::from_mins(1);
const TO_TELL: Duration = Duration::from_secs(10);

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another server answers on it.
    #[error("another sidegate already serves {}", .0.display())]
    Taken(PathBuf),
    /// Something that is not a socket stands there; it is left alone.
    #[error("{} exists and is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// The folder or the socket cannot be made.
    #[error("{}: cannot be made", path.display())]
    Make {
        /// Folder or socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// What answers a question. Only the running server does; tests put something simpler behind a socket.
#[async_trait]
pub(super) trait Execute: Send + Sync + 'static {
    /// Does it, for this user of the machine.
    async fn execute(&self, uid: u32, operation: Operation) -> Answer;
}

/// A bound control socket; its file goes when this does.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
    inode: u64,
}

impl ControlSocket {
    /// Binds with mode 0600. Makes a missing folder with mode 0700, and replaces a socket on which
    /// nobody answers. Needs a runtime.
    ///
    /// # Errors
    ///
    /// Another server has it, something else stands there, or it cannot be made.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ControlError::Make { path, source }
        };
        if let Some(folder) = path.parent() {
            let mut builder = std::fs::DirBuilder::new();
            let made = builder.recursive(true).mode(0o700).create(folder);
            made.map_err(failed(folder))?;
        }
        match std::fs::symlink_metadata(path) {
            Ok(its) if !its.file_type().is_socket() => {
                return Err(ControlError::NotASocket(path.to_owned()));
            }
            Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
                return Err(ControlError::Taken(path.to_owned()));
            }
            Ok(_) | Err(_) => {}
        }
        // Bound aside and moved into place, so that nobody meets it before its mode is 0600.
        let aside = path.with_extension("new");
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&aside)(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&aside).map_err(failed(&aside))?;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&aside, mode).map_err(failed(&aside))?;
        let its = std::fs::metadata(&aside).map_err(failed(&aside))?;
        std::fs::rename(&aside, path).map_err(failed(path))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            owner: its.uid(),
            inode: its.ino(),
        })
    }

    /// Answers until told to stop; each question meets the settings in force at that moment.
    pub async fn serve(self, app: Arc<ArcSwap<App>>, stop: CancellationToken) {
        self.serve_with(Arc::new(super::execute::Desk(app)), stop)
            .await;
    }

    pub(super) async fn serve_with(self, desk: Arc<dyn Execute>, stop: CancellationToken) {
        let seats = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let next = async {
                let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
                Some((seat, self.listener.accept().await))
            };
            let (seat, accepted) = tokio::select! {
                () = stop.cancelled() => return,
                next = next => match next {
                    Some(next) => next,
                    None => return,
                },
            };
            match accepted {
                Ok((stream, _nameless)) => {
                    let (desk, owner) = (Arc::clone(&desk), self.owner);
                    tokio::spawn(async move {
                        attend(stream, owner, desk.as_ref()).await;
                        drop(seat);
                    });
                }
                // Out of descriptors, most likely: wait, do not spin.
                Err(error) => {
                    tracing::warn!(%error, "a command could not be accepted");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|its| its.ino() == self.inode);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

/// Root, and the user that the server runs as.
pub(super) const fn may_ask(peer: u32, owner: u32) -> bool {
    peer == 0 || peer == owner
}

async fn attend(stream: UnixStream, owner: u32, desk: &dyn Execute) {
    if let Err(error) = converse(stream, owner, desk).await {
        tracing::debug!(%error, "a command broke off");
    }
}

async fn converse(mut stream: UnixStream, owner: u32, desk: &dyn Execute) -> std::io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (read, mut write) = stream.split();
    // The file's mode says the same; this holds also where a folder or a mount does not keep modes.
    let answer = if may_ask(uid, owner) {
        match timeout(TO_ASK, question(read)).await {
            Ok(Ok(operation)) => timeout(TO_DO, desk.execute(uid, operation))
                .await
                .unwrap_or_else(|_late| Answer::error("slow", "the server took too long")),
            Ok(Err(refused)) => refused,
            Err(_late) => Answer::error("slow", "the question did not arrive in time"),
        }
    } else {
        Answer::error(
            "not_yours",
            "only root and the user that sidegate runs as may ask",
        )
    };
    let mut line = serde_json::to_vec(&answer).map_err(std::io::Error::other)?;
    line.push(b'\n');
    timeout(TO_TELL, write.write_all(&line)).await??;
    write.shutdown().await
}

async fn question(read: impl tokio::io::AsyncRead + Unpin) -> Result<Operation, Answer> {
    let limit = u64::try_from(MAX_QUESTION).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let read = BufReader::new(read.take(limit))
        .read_until(b'\n', &mut line)
        .await;
    match read {
        Ok(_) if line.ends_with(b"\n") => serde_json::from_slice(&line).map_err(|_unknown| {
            Answer::error(
                "unknown",
                "this server does not know that question; is it of another version?",
            )
        }),
        Ok(_) if line.len() >= MAX_QUESTION => {
            Err(Answer::error("too_long", "the question is too long"))
        }
        _ => Err(Answer::error("broken", "the question broke off")),
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
