//! Room for large bodies: what is small never waits for what is large, and no tenant takes all the room there is.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::identity::TenantSlug;
use crate::web::BodyError;

/// Larger bodies than this wait for room, bytes.
pub(super) const SMALL: usize = 64 * 1024;
/// Large bodies in memory at once.
const ALL: usize = 2;
/// Of them, one tenant's: who sends slowly holds up themselves alone.
const OF_ONE: usize = 1;

/// Room for large bodies.
pub(super) struct Rooms {
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantSlug, Arc<Semaphore>>>,
}

/// It is ours until this goes.
#[derive(Debug)]
pub(super) struct Room(#[expect(dead_code, reason = "held, not read")] Vec<OwnedSemaphorePermit>);

impl Default for Rooms {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(ALL)),
            tenants: Mutex::default(),
        }
    }
}

impl Rooms {
    /// Reads a body of whatever announced length; what is over [`SMALL`] waits for room first.
    ///
    /// # Errors
    ///
    /// Too large, too slow, or broken off.
    pub(super) async fn read<B>(
        &self,
        tenant: &TenantSlug,
        body: B,
        limit: usize,
        time: Duration,
    ) -> Result<(Bytes, Option<Room>), BodyError>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut body = pin!(body);
        let mut bytes = BytesMut::new();
        if more(body.as_mut(), &mut bytes, SMALL, limit, time).await? {
            return Ok((bytes.freeze(), None));
        }
        let room = self.take(tenant).await;
        more(body, &mut bytes, usize::MAX, limit, time).await?;
        Ok((bytes.freeze(), Some(room)))
    }

    async fn take(&self, tenant: &TenantSlug) -> Room {
        let own = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            let own = tenants.entry(tenant.clone());
            Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(OF_ONE))))
        };
        // Its own first: who waits there keeps no room of others.
        let mut held = Vec::new();
        for semaphore in [own, Arc::clone(&self.all)] {
            // Nobody closes them.
            held.extend(semaphore.acquire_owned().await);
        }
        Room(held)
    }
}

/// Reads on until there is more than `enough`; whether that was all.
async fn more<B>(
    mut body: Pin<&mut B>,
    bytes: &mut BytesMut,
    enough: usize,
    limit: usize,
    time: Duration,
) -> Result<bool, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let read = async {
        while bytes.len() <= enough {
            let Some(frame) = body.frame().await else {
                return Ok(true);
            };
            let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len().saturating_add(data.len()) > limit {
                    return Err(BodyError::TooLarge(limit));
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(false)
    };
    tokio::time::timeout(time, read)
        .await
        .unwrap_or(Err(BodyError::Slow(time)))
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::{Full, StreamBody};

    use super::*;

    const TIME: Duration = Duration::from_mins(1);
    const LIMIT: usize = 4 * SMALL;

    /// Sends so much and then nothing more.
    fn stuck(size: usize) -> impl Body<Data = Bytes, Error = std::io::Error> {
        let sent = http_body::Frame::data(Bytes::from(vec![b' '; size]));
        let sent = stream::iter(std::iter::once(Ok(sent)));
        StreamBody::new(sent.chain(stream::pending()))
    }

    #[tokio::test]
    async fn nobody_waits_for_the_slow_bodies_of_another_tenant() {
        let rooms = Rooms::default();
        let (own, acme) = (TenantSlug::default(), TenantSlug::try_from("acme").unwrap());
        let body = |size: usize| Full::new(Bytes::from(vec![b' '; size]));
        let mut slow: Vec<_> = (0..3)
            .map(|_| Box::pin(rooms.read(&acme, stuck(SMALL + 1), LIMIT, TIME)))
            .collect();
        for slow in &mut slow {
            assert!(slow.as_mut().now_or_never().is_none());
        }
        let (_, room) = rooms.read(&acme, body(SMALL), LIMIT, TIME).await.unwrap();
        assert!(room.is_none(), "what is small waits for nobody");
        let (bytes, room) = rooms.read(&own, body(LIMIT), LIMIT, TIME).await.unwrap();
        assert_eq!((bytes.len(), room.is_some()), (LIMIT, true));
        let large = rooms.read(&own, body(LIMIT + 1), LIMIT, TIME).await;
        assert!(matches!(large, Err(BodyError::TooLarge(LIMIT))));
    }
}
