//! TLS 1.2 and 1.3 on our listener; the certificate is read again when it changes.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{file}: cannot be read as PEM")]
    Pem {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// No certificate in the file.
    #[error("{0}: holds no certificate")]
    Empty(String),
    /// Key and certificate do not belong together, or the key is of an unknown kind.
    #[error("{certificate_file} and {key_file}: cannot be used together")]
    Pair {
        /// The certificate's file.
        certificate_file: String,
        /// The key's file.
        key_file: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// Reads certificate and key. HTTP/2 and HTTP/1.1 are offered (RFC 7301).
///
/// # Errors
///
/// See [`TlsError`].
pub fn server_config(settings: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates = certificates(&settings.certificate_file)?;
    let key_file = settings.key_file.display().to_string();
    let key = PrivateKeyDer::from_pem_file(&settings.key_file).map_err(|source| TlsError::Pem {
        file: key_file.clone(),
        source,
    })?;
    let pair = |source| TlsError::Pair {
        certificate_file: settings.certificate_file.display().to_string(),
        key_file: key_file.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Two are the default; one saves a write and is enough for a browser.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let name = file.display().to_string();
    let pem = |source| TlsError::Pem {
        file: name.clone(),
        source,
    };
    let all: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(pem)?
        .collect::<Result<_, _>>()
        .map_err(pem)?;
    if all.is_empty() {
        return Err(TlsError::Empty(name));
    }
    Ok(all)
}
