//! Calls that we start: to idps, and later to the app's user API. Bounded in time, size, number and redirects (none).

mod cache;
#[cfg(test)]
pub(crate) mod fake;

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;

pub use cache::Cache;

use crate::config::SafeUrl;
use crate::web::{BodyError, read};

/// Calls in flight at once; more wait for their turn inside their time limit.
const AT_ONCE: usize = 32;
/// How long a connection may wait for its next call.
const IDLE: Duration = Duration::from_secs(30);

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Trusted certificates cannot be read.
    #[error("trusted certificates cannot be read: {0}")]
    Roots(String),
    /// Neither https nor this machine (R21).
    #[error("{0} is neither https nor this machine")]
    Address(String),
    /// No connection, TLS refused, or it broke off.
    #[error("cannot reach {host}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// No complete answer in time.
    #[error("no answer from {0} in time")]
    Slow(String),
    /// The answer is larger than the limit.
    #[error("answer of {0} is too large")]
    TooLarge(String),
}

impl OutboundError {
    /// Whether nothing can have reached the other side.
    pub fn is_unconnected(&self) -> bool {
        match self {
            Self::Roots(_) | Self::Address(_) => true,
            Self::Unreachable { source, .. } => {
                let error = source.downcast_ref::<hyper_util::client::legacy::Error>();
                error.is_some_and(hyper_util::client::legacy::Error::is_connect)
            }
            Self::Slow(_) | Self::TooLarge(_) => false,
        }
    }
}

/// An HTTPS client; plain HTTP is for loopback hosts only.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
    slots: Arc<Semaphore>,
    max_answer: usize,
    /// May be called without TLS.
    plain: Option<String>,
}

impl Outbound {
    /// Longest answer that is read, bytes.
    pub const MAX_ANSWER: usize = 2 * 1024 * 1024;

    /// With the machine's trusted certificates and those of `ca_file`. `timeout` is for a whole call:
    /// name look-up, connection, TLS, request and the last byte of the answer.
    ///
    /// # Errors
    ///
    /// The file cannot be read or holds no certificate.
    pub fn new(ca_file: Option<&Path>, timeout: Duration) -> Result<Self, OutboundError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OutboundError::Roots(error.to_string()))?
            .with_root_certificates(roots(ca_file)?)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(4)
            .build(connector);
        Ok(Self {
            client,
            timeout,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            max_answer: Self::MAX_ANSWER,
            plain: None,
        })
    }

    /// With another limit on answers, bytes.
    #[must_use]
    pub const fn answers_up_to(mut self, most: usize) -> Self {
        self.max_answer = most;
        self
    }

    /// With another number of calls at once.
    #[must_use]
    pub fn at_once(mut self, most: usize) -> Self {
        self.slots = Arc::new(Semaphore::new(most));
        self
    }

    /// Calls this origin also where it is plain http: the app's own, where its traffic goes that way, too.
    #[must_use]
    pub fn trusting(mut self, app: &url::Url) -> Self {
        self.plain = Some(app.origin().ascii_serialization());
        self
    }

    /// One call; redirects are not followed.
    ///
    /// # Errors
    ///
    /// No answer, whatever its status, could be had.
    pub async fn call(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, OutboundError> {
        let host = host_of(request.uri());
        // R21: secrets and keys travel by https; plain http never leaves this machine.
        let address = request.uri().to_string();
        let origin = || {
            Some(
                url::Url::parse(&address)
                    .ok()?
                    .origin()
                    .ascii_serialization(),
            )
        };
        if address.parse::<SafeUrl>().is_err() && (self.plain.is_none() || origin() != self.plain) {
            return Err(OutboundError::Address(host));
        }
        request
            .headers_mut()
            .insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let answer = tokio::time::timeout(self.timeout, self.exchange(request, &host)).await;
        answer.unwrap_or(Err(OutboundError::Slow(host)))
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        host: &str,
    ) -> Result<Response<Bytes>, OutboundError> {
        let unreachable = |source: Box<dyn StdError + Send + Sync>| OutboundError::Unreachable {
            host: host.to_owned(),
            source,
        };
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|closed| unreachable(closed.into()))?;
        let answer = self
            .client
            .request(request.map(Full::new))
            .await
            .map_err(|error| unreachable(error.into()))?;
        let (head, body) = answer.into_parts();
        let body =
            read(body, self.max_answer, self.timeout)
                .await
                .map_err(|error| match error {
                    BodyError::TooLarge(_) => OutboundError::TooLarge(host.to_owned()),
                    BodyError::Slow(_) => OutboundError::Slow(host.to_owned()),
                    BodyError::Broken(source) => unreachable(source),
                })?;
        Ok(Response::from_parts(head, body))
    }
}

const AGENT: &str = concat!("sidegate/", env!("CARGO_PKG_VERSION"));

fn host_of(uri: &Uri) -> String {
    uri.authority()
        .map_or_else(|| "nobody".to_owned(), ToString::to_string)
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, OutboundError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the machine's trusted certificates cannot be read");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(file) = ca_file {
        let unreadable = |why: String| OutboundError::Roots(format!("{}: {why}", file.display()));
        let own: Vec<_> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| unreadable(error.to_string()))?;
        let (added, _) = roots.add_parsable_certificates(own);
        if added == 0 {
            return Err(unreadable("holds no certificate".to_owned()));
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers every connection with these bytes and then says nothing more.
    async fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let read = stream.read(&mut head).await.unwrap();
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let answer = answer.replace("{HEAD}", &head.replace("\r\n", "|"));
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    std::future::pending::<()>().await;
                });
            }
        });
        format!("http://{address}/")
    }

    #[test]
    fn as_many_at_once_as_is_said() {
        for (outbound, want) in [
            (Outbound::new(None, IDLE).unwrap(), AT_ONCE),
            (Outbound::new(None, IDLE).unwrap().at_once(64), 64),
        ] {
            assert_eq!(outbound.slots.available_permits(), want);
        }
    }

    async fn call(address: &str) -> Result<Response<Bytes>, OutboundError> {
        let outbound = Outbound::new(None, Duration::from_millis(400)).unwrap();
        let request = Request::builder().method(Method::GET).uri(address);
        outbound.call(request.body(Bytes::new()).unwrap()).await
    }

    #[tokio::test]
    async fn r21_plain_http_never_leaves_this_machine() {
        for address in [
            "http://idp.test/x",
            "http://127.0.0.1.evil.test/x",
            "http://localhost.evil.test/x",
            "http://10.0.0.1/x",
            "ftp://127.0.0.1/x",
            "/x",
        ] {
            let got = call(address).await;
            assert!(
                matches!(got, Err(OutboundError::Address(_))),
                "{address}: {got:?}"
            );
        }
    }

    #[tokio::test]
    async fn calls_are_bounded_and_honest() {
        let echo = server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{HEAD}").await;
        let got = call(&echo).await;
        assert!(
            matches!(got, Err(OutboundError::Slow(_))),
            "a body that never ends: {got:?}"
        );
        let mute = server("").await;
        let got = call(&mute).await;
        assert!(
            matches!(got, Err(OutboundError::Slow(_))),
            "no answer: {got:?}"
        );
        let large =
            server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\nx").await;
        let got = call(&large).await;
        assert!(got.is_err(), "{got:?}");
        let away = server(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
        assert_eq!(
            call(&away).await.unwrap().status(),
            302,
            "redirects are not followed"
        );
        let nobody = call("http://127.0.0.1:1/").await;
        assert!(
            matches!(nobody, Err(OutboundError::Unreachable { .. })),
            "{nobody:?}"
        );
        let head = server("HTTP/1.1 200 {HEAD}\r\nContent-Length: 0\r\n\r\n").await;
        assert!(call(&head).await.is_ok());
    }

    async fn greet<S: tokio::io::AsyncWrite + Unpin>(stream: std::io::Result<S>) {
        if let Ok(mut stream) = stream {
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
        }
    }

    #[tokio::test]
    async fn only_trusted_certificates_of_the_right_name_are_spoken_to() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust us breaks off here.
                let stream = acceptor.accept(stream).await;
                greet(stream).await;
            }
        });
        let file = std::env::temp_dir().join(format!("sidegate-ca-{port}.pem"));
        std::fs::write(&file, made.cert.pem()).unwrap();
        for (name, ca_file, host, ok) in [
            ("its own authority", Some(file.as_path()), "localhost", true),
            ("nobody's certificate", None, "localhost", false),
            ("another name", Some(file.as_path()), "127.0.0.1", false),
        ] {
            let outbound = Outbound::new(ca_file, Duration::from_secs(5)).unwrap();
            let request = Request::get(format!("https://{host}:{port}/"));
            let got = outbound.call(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(got.is_ok(), ok, "{name}: {got:?}");
        }
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn roots_are_read_or_told() {
        let missing = Outbound::new(Some(Path::new("/nonexistent")), IDLE).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent"));
        let empty =
            std::env::temp_dir().join(format!("sidegate-roots-{}", crate::crypto::random_token()));
        std::fs::write(&empty, "no certificate").unwrap();
        assert!(
            Outbound::new(Some(&empty), IDLE)
                .unwrap_err()
                .to_string()
                .contains("no certificate")
        );
        std::fs::remove_file(empty).unwrap();
    }
}
