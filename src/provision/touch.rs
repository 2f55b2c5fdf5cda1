//! A change and what it does to live sessions: ends come in memory first, then in the store; whoever's
//! groups or roles changed is looked at anew on the next request (R27).

use std::future::Future;

use super::webhook::messages;
use super::{People, Refused};
use crate::audit::Event;
use crate::directory::Change;
use crate::identity::{TenantSlug, UserId};
use crate::session::End;
use crate::storage::{Along, StorageError};

/// More people than this are not refreshed one by one.
const FEW: usize = 256;

/// What a change does to live sessions.
#[derive(Debug, Default)]
pub(super) struct Touch {
    /// Sessions that end, and why.
    pub(super) ends: Vec<End>,
    pub(super) why: &'static str,
    pub(super) refresh: Refresh,
    /// Who loses a role and keeps another: [`super::desk::Desk::end_without_roles`] looks again behind the commit.
    pub(super) watched: Vec<UserId>,
}

/// Whose prepared identity the change makes untrue.
#[derive(Debug, Default)]
pub(super) enum Refresh {
    #[default]
    Nobody,
    People(TenantSlug, Vec<UserId>),
    Tenant(TenantSlug),
}

impl Touch {
    /// One person is looked at anew.
    pub(super) fn person(tenant: &TenantSlug, id: &UserId) -> Self {
        Self {
            refresh: Refresh::People(tenant.clone(), vec![id.clone()]),
            ..Self::default()
        }
    }

    /// Their sessions end, too.
    pub(super) fn ending(mut self, which: End, why: &'static str) -> Self {
        self.ends.push(which);
        self.why = why;
        self
    }
}

impl People {
    /// As [`Self::commit_with`], and nothing else goes along.
    pub(super) async fn commit(
        &self,
        changes: Vec<Change>,
        events: Vec<Event>,
        touch: &Touch,
    ) -> Result<(), Refused> {
        self.commit_with(changes, events, touch, Along::default())
            .await
    }

    /// Writes changes and what the audit is told of them in one commit: neither is there without the other. Ends
    /// sessions in memory before the store is asked, and once more behind the commit: what started in between
    /// read the record as it was.
    pub(super) async fn commit_with(
        &self,
        changes: Vec<Change>,
        events: Vec<Event>,
        touch: &Touch,
        along: Along,
    ) -> Result<(), Refused> {
        let (mut along, mut posts) = (along, None);
        if let Some(webhook) = &self.webhook {
            let messages = messages(&changes);
            posts = Some(webhook).filter(|_| !messages.is_empty());
            along = along.and(webhook.queue(messages, self.clock.now()));
        }
        let apply = |entries: Along| self.directory.apply_with(changes, along.and(entries));
        let apply = self.audit.with(events, apply);
        // Polled in this order; both writes share a commit.
        let (ended, applied) = tokio::join!(biased; self.end(touch), apply);
        applied?;
        if let Some(webhook) = posts {
            webhook.committed();
        }
        match &touch.refresh {
            Refresh::Nobody => {}
            Refresh::People(tenant, people) if people.len() <= FEW => {
                for id in people {
                    self.sessions.refresh(tenant, id);
                }
            }
            Refresh::People(tenant, _) | Refresh::Tenant(tenant) => {
                self.sessions.refresh_tenant(tenant);
            }
        }
        ended.and(self.end(touch).await)
    }

    pub(super) async fn end(&self, touch: &Touch) -> Result<(), Refused> {
        if !touch.ends.is_empty() {
            self.sessions.end_all(&touch.ends, touch.why).await?;
        }
        Ok(())
    }
}

/// Runs on when whoever waits for it goes away.
pub(super) async fn to_its_end<T, E>(
    change: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Refused> + Send + 'static,
{
    let done = tokio::spawn(change).await;
    done.map_err(|_panicked| E::from(StorageError::BrokenOff.into()))?
}
