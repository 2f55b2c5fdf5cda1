//! Posting.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Request;
use http::header::CONTENT_TYPE;

use super::Webhook;
use super::queue::Queued;
use crate::clock::Timestamp;
use crate::connector::later::retry_after;
use crate::crypto::hmac_sha256;
use crate::storage::StorageError;

/// Calls at once.
const AT_ONCE: usize = 8;

impl Webhook {
    /// Posts what is due, for each person or group one after the other. Gives how much is left.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn deliver(&self, now: Timestamp) -> Result<usize, StorageError> {
        let (due, count) = self.due(now).await?;
        let mut calls = stream::iter(due.into_iter().map(|queued| self.post(queued, now)))
            .buffer_unordered(AT_ONCE);
        let mut taken: usize = 0;
        while let Some(done) = calls.next().await {
            taken = taken.saturating_add(usize::from(done?));
        }
        let left = count.saturating_sub(taken);
        self.metrics
            .webhook_waiting
            .set(i64::try_from(left).unwrap_or(i64::MAX));
        if taken > 0 && left > 0 {
            // Behind each that was taken the next may wait.
            self.woken.notify_one();
        }
        Ok(left)
    }

    async fn post(&self, queued: Queued, now: Timestamp) -> Result<bool, StorageError> {
        let answer = match self.request(&queued, now) {
            Ok(request) => self
                .outbound
                .call(request)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match answer {
            Ok(answer) if answer.status().is_success() => {
                self.metrics.webhook_posts.inc("taken");
                self.taken(queued.number).await?;
                Ok(true)
            }
            answer => {
                self.metrics.webhook_posts.inc("refused");
                let wait = answer.as_ref().ok();
                let wait = wait.and_then(|answer| retry_after(answer.headers()));
                let why = answer.map_or_else(
                    |error| error,
                    |answer| format!("answers {}", answer.status().as_u16()),
                );
                self.refused(queued, wait, now, why).await?;
                Ok(false)
            }
        }
    }

    fn request(&self, queued: &Queued, now: Timestamp) -> Result<Request<Bytes>, http::Error> {
        let at = now.as_secs();
        let signed = format!("{}.{at}.{}", queued.id, queued.body);
        let signature = STANDARD.encode(hmac_sha256(&self.settings.key(), signed.as_bytes()));
        Request::post(self.settings.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &queued.id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", format!("v1,{signature}"))
            .body(Bytes::from(queued.body.clone()))
    }
}
