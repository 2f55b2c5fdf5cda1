use super::*;
use crate::secret::Secret;
use crate::server::control::{AskError, ask};

/// Answers with what it was asked and by whom.
struct Echo;

#[async_trait]
impl Execute for Echo {
    async fn execute(&self, uid: u32, operation: Operation) -> Answer {
        Answer::Ok(serde_json::json!({ "uid": uid, "asked": operation }))
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("sidegate-test-{}", crate::crypto::random_token());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

async fn exchange(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    // A refusal may close the connection before everything was taken.
    let _sent = stream.write_all(bytes).await;
    let mut text = String::new();
    let _read = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn one_line_asks_and_one_line_answers() {
    let folder = Folder::new();
    let path = folder.0.join("deep/control.sock");
    let socket = ControlSocket::bind(&path).unwrap();
    let (mode, folder_mode) = (
        std::fs::metadata(&path).unwrap().mode() & 0o777,
        std::fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777,
    );
    assert_eq!((mode, folder_mode), (0o600, 0o700));
    let stop = CancellationToken::new();
    let served = tokio::spawn(socket.serve_with(Arc::new(Echo), stop.clone()));
    for (name, sent, want) in [
        (
            "whole",
            "{\"do\":\"ping\"}\n",
            "\"asked\":{\"do\":\"ping\"}",
        ),
        ("not known", "{\"do\":\"reboot\"}\n", "\"code\":\"unknown\""),
        (
            "a key too many",
            "{\"do\":\"group_show\",\"tenant\":\"default\",\"group\":\"g\",\"x\":1}\n",
            "\"code\":\"unknown\"",
        ),
        ("not json", "GET / HTTP/1.1\r\n\r\n", "\"code\":\"unknown\""),
        (
            "too long",
            &"x".repeat(MAX_QUESTION),
            "\"code\":\"too_long\"",
        ),
    ] {
        let got = exchange(&path, sent.as_bytes()).await;
        assert!(got.contains(want), "{name}: {got}");
    }
    let asked = Operation::UserSetPassword {
        tenant: crate::identity::TenantSlug::default(),
        user: "alice".to_owned(),
        password: Secret::new("canary-secret"),
        must_change: false,
    };
    assert!(!format!("{asked:?}").contains("canary"));
    let at = path.clone();
    let answer = tokio::task::spawn_blocking(move || ask::<serde_json::Value>(&at, &asked));
    let answer = answer.await.unwrap().unwrap();
    assert_eq!(answer["asked"]["password"], "canary-secret");
    stop.cancel();
    served.await.unwrap();
    assert!(!path.exists(), "the socket goes with the server");
    let gone = tokio::task::spawn_blocking(move || ask::<()>(&path, &Operation::Ping));
    assert!(matches!(gone.await.unwrap(), Err(AskError::Nobody(_))));
}

#[tokio::test]
async fn only_a_dead_socket_is_replaced() {
    let folder = Folder::new();
    let path = folder.0.join("control.sock");
    let first = ControlSocket::bind(&path).unwrap();
    assert!(matches!(
        ControlSocket::bind(&path),
        Err(ControlError::Taken(_))
    ));
    // As kill -9 leaves it: the file without a listener.
    let left = folder.0.join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    let taken_over = ControlSocket::bind(&left).unwrap();
    drop(first);
    assert!(!path.exists());
    drop(taken_over);
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(
        ControlSocket::bind(&path),
        Err(ControlError::NotASocket(_))
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn only_root_and_the_servers_user_may_ask() {
    for (peer, owner, want) in [
        (0, 1000, true),
        (1000, 1000, true),
        (1001, 1000, false),
        (1000, 0, false),
    ] {
        assert_eq!(may_ask(peer, owner), want, "{peer} asks {owner}");
    }
}
