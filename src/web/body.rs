//! Bodies of requests to our own endpoints, and of answers that we asked for: never unbounded (R50).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More than the limit.
    #[error("body is larger than {0} bytes")]
    TooLarge(usize),
    /// Not complete in time.
    #[error("body did not arrive within {} s", .0.as_secs())]
    Slow(Duration),
    /// The connection failed.
    #[error("body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads a whole body of at most `limit` bytes within `time`.
///
/// # Errors
///
/// Too large, too slow, or broken off.
pub async fn read<B>(body: B, limit: usize, time: Duration) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let all = async {
        let mut body = std::pin::pin!(body);
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len().saturating_add(data.len()) > limit {
                    return Err(BodyError::TooLarge(limit));
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes.freeze())
    };
    tokio::time::timeout(time, all)
        .await
        .unwrap_or(Err(BodyError::Slow(time)))
}
