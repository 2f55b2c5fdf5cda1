//! One connection to the app: TCP, TLS or a Unix socket.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{self, UpstreamUrl};

/// Why there is no connection to the app.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Certificates or keys of `[upstream]` cannot be used.
    #[error("{file}: cannot be used for TLS to the upstream")]
    Certificates {
        /// The file, or what stands for it.
        file: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Refused, unreachable, no such name, or TLS failed.
    #[error("cannot connect to upstream {address}")]
    Connect {
        /// Host and port, or the socket's path.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not within `upstream.connect_timeout`.
    #[error("no connection to upstream {address} within {} ms", .waited.as_millis())]
    Slow {
        /// Host and port, or the socket's path.
        address: String,
        /// The timeout.
        waited: Duration,
    },
}

/// How to connect to the app.
pub(super) struct Dial {
    url: UpstreamUrl,
    authority: String,
    connect_timeout: Duration,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dial {
    pub(super) fn new(settings: &config::Upstream) -> Result<Self, DialError> {
        let authority = match &settings.url {
            UpstreamUrl::Http { host, port } if *port == 80 => host.clone(),
            UpstreamUrl::Https { host, port } if *port == 443 => host.clone(),
            UpstreamUrl::Http { host, port } | UpstreamUrl::Https { host, port } => {
                format!("{host}:{port}")
            }
            UpstreamUrl::Unix(_) => "localhost".to_owned(),
        };
        let tls = match &settings.url {
            UpstreamUrl::Https { host, .. } => {
                let bare = host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned();
                let name = ServerName::try_from(bare).map_err(|error| unusable(host, error))?;
                Some((TlsConnector::from(Arc::new(client_config(settings)?)), name))
            }
            UpstreamUrl::Http { .. } | UpstreamUrl::Unix(_) => None,
        };
        Ok(Self {
            url: settings.url.clone(),
            authority,
            connect_timeout: settings.connect_timeout,
            tls,
        })
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) async fn connect(&self) -> Result<Io, DialError> {
        let address = || match &self.url {
            UpstreamUrl::Http { host, port } | UpstreamUrl::Https { host, port } => {
                format!("{host}:{port}")
            }
            UpstreamUrl::Unix(path) => path.display().to_string(),
        };
        match timeout(self.connect_timeout, self.open()).await {
            Ok(Ok(io)) => Ok(io),
            Ok(Err(source)) => Err(DialError::Connect {
                address: address(),
                source,
            }),
            Err(_elapsed) => Err(DialError::Slow {
                address: address(),
                waited: self.connect_timeout,
            }),
        }
    }

    async fn open(&self) -> io::Result<Io> {
        match &self.url {
            UpstreamUrl::Unix(path) => Ok(Io::Unix(UnixStream::connect(path).await?)),
            UpstreamUrl::Http { host, port } | UpstreamUrl::Https { host, port } => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                let stream = TcpStream::connect((bare, *port)).await?;
                stream.set_nodelay(true)?;
                match &self.tls {
                    None => Ok(Io::Tcp(stream)),
                    Some((connector, name)) => {
                        let stream = connector.connect(name.clone(), stream).await?;
                        Ok(Io::Tls(Box::new(stream)))
                    }
                }
            }
        }
    }
}

fn unusable(file: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DialError {
    DialError::Certificates {
        file: file.to_owned(),
        source: source.into(),
    }
}

fn client_config(settings: &config::Upstream) -> Result<ClientConfig, DialError> {
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        Some(file) => {
            for certificate in certificates(file)? {
                roots
                    .add(certificate)
                    .map_err(|error| unusable(&file.display().to_string(), error))?;
            }
        }
        None => {
            let (_added, _ignored) =
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| unusable("TLS", error))?
    .with_root_certificates(roots);
    match (&settings.client_certificate_file, &settings.client_key_file) {
        (Some(certificate_file), Some(key_file)) => {
            let name = key_file.display().to_string();
            let key =
                PrivateKeyDer::from_pem_file(key_file).map_err(|error| unusable(&name, error))?;
            builder
                .with_client_auth_cert(certificates(certificate_file)?, key)
                .map_err(|error| unusable(&name, error))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, DialError> {
    let name = file.display().to_string();
    let all = CertificateDer::pem_file_iter(file).map_err(|error| unusable(&name, error))?;
    let all: Vec<_> = all
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(&name, error))?;
    if all.is_empty() {
        return Err(unusable(&name, "holds no certificate"));
    }
    Ok(all)
}

/// A connection to the app.
#[derive(Debug)]
pub(super) enum Io {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Unix(io) => Pin::new(io).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_write(cx, bytes),
            Self::Tls(io) => Pin::new(io).poll_write(cx, bytes),
            Self::Unix(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Self::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Self::Unix(io) => Pin::new(io).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(io) => io.is_write_vectored(),
            Self::Tls(io) => io.is_write_vectored(),
            Self::Unix(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
            Self::Unix(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
            Self::Unix(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
