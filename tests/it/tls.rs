//! TLS on our listener: both versions of HTTP, secure cookies, and a certificate that is changed while we run.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Sidegate, UpstreamApp, new_folder};

const OPEN: &str = "[[rule]]\npath = \"/**\"\naccess = \"public\"\n";

/// Writes a new self-signed certificate for localhost and gives it.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

async fn connect(
    gate: &Sidegate,
    trusted: &CertificateDer<'static>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(gate.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn start(folder: &Path, app: &UpstreamApp) -> Sidegate {
    let tls = format!(
        "server.tls.certificate_file = \"{0}/tls.crt\"\nserver.tls.key_file = \"{0}/tls.key\"\n{OPEN}",
        folder.display()
    );
    Sidegate::start_in(folder.to_owned(), &app.url(), &tls).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_of_http_are_agreed_on() {
    let folder = new_folder();
    let certificate = write_certificate(&folder);
    let app = UpstreamApp::start().await;
    let gate = start(&folder, &app).await;
    let request = |uri: String| {
        Request::builder()
            .uri(uri)
            .header("host", &gate.host)
            .body(Empty::<Bytes>::new())
            .unwrap()
    };

    let stream = connect(&gate, &certificate, b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    assert_eq!(
        sender
            .send_request(request("/one".to_owned()))
            .await
            .unwrap()
            .status(),
        200
    );

    let stream = connect(&gate, &certificate, b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let answer = sender
        .send_request(request(format!("https://{}/two", gate.host)))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    for seen in app.seen() {
        assert_eq!(
            seen.header("x-forwarded-proto"),
            Some("https"),
            "{}",
            seen.target
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_taken_without_a_restart() {
    let folder = new_folder();
    let old = write_certificate(&folder);
    let app = UpstreamApp::start().await;
    let gate = start(&folder, &app).await;
    assert!(connect(&gate, &old, b"http/1.1").await.is_ok());
    let new = write_certificate(&folder);
    assert!(gate.reload().await, "the new pair is fine");
    assert!(connect(&gate, &new, b"http/1.1").await.is_ok());
    assert!(connect(&gate, &old, b"http/1.1").await.is_err());

    // Half a change, as when only one of the files has been copied: the pair in force stays.
    std::fs::write(
        folder.join("tls.key"),
        rcgen::KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    assert!(!gate.reload().await, "a pair that does not fit is no pair");
    assert!(connect(&gate, &new, b"http/1.1").await.is_ok());
}
