//! Where a document comes from: an address, or a file.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::{Source, SourceError};
use crate::config::MetadataSource;
use crate::saml::metadata::MAX_BYTES;

impl Source {
    pub(super) async fn document(&self) -> Result<Bytes, SourceError> {
        match &self.from {
            MetadataSource::File(file) => {
                let file = file.clone();
                let read = tokio::task::spawn_blocking(move || bounded(&file)).await;
                let read = read.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
                Ok(read.map_err(SourceError::File)?.into())
            }
            MetadataSource::Url(url) => {
                let request = Request::get(url.0.as_str()).body(Bytes::new())?;
                let answer = self.outbound.call(request).await?;
                // A redirect is an answer like any other: who may speak for the idp is not for it to say.
                match answer.status() {
                    StatusCode::OK => Ok(answer.into_body()),
                    other => Err(SourceError::Status(other)),
                }
            }
        }
    }
}

/// The file, or as much of it as metadata may have and a byte more.
pub(in crate::saml::service) fn bounded(file: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut read = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    std::fs::File::open(file)?
        .take(most.saturating_add(1))
        .read_to_end(&mut read)?;
    Ok(read)
}
