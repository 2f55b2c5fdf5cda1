//! The end of a token.

use std::sync::Arc;

use super::live::Live;
use super::{PREFIX, TokenInfo, Tokens, store};
use crate::identity::{TenantSlug, fold};
use crate::storage::StorageError;

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// None has this id or name.
    #[error("there is no such token")]
    Unknown,
    /// Several have this name.
    #[error("several tokens have this name; say the id: {0}")]
    Several(String),
    /// The store failed; the token is revoked until the next start.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Tokens {
    /// Revokes the token of this id, or, in this tenant, of this name. Nothing is let in with it from now on, access
    /// tokens included; durable when it returns.
    ///
    /// # Errors
    ///
    /// There is none, there are several of this name, or the store failed.
    pub async fn revoke(
        &self,
        tenant: Option<&TenantSlug>,
        id_or_name: &str,
    ) -> Result<TokenInfo, RevokeError> {
        let live = self.one(tenant, id_or_name)?;
        // In memory first: from here on every check says no.
        if live.revoked().is_none() {
            live.revoke(self.clock.now());
        }
        let mut record = live.record.clone();
        record.revoked = live.revoked();
        let id = record.id.as_str();
        self.remembered
            .pin()
            .retain(|_, its| its.token.record.id != id);
        store::put(&self.store, &record).await?;
        self.measure();
        self.drop_access().await?;
        Ok(live.info())
    }

    fn one(&self, tenant: Option<&TenantSlug>, id_or_name: &str) -> Result<Arc<Live>, RevokeError> {
        let all = self.all.pin();
        let in_tenant =
            |live: &&Arc<Live>| tenant.is_none_or(|tenant| live.record.tenant == *tenant);
        let id = id_or_name.strip_prefix(PREFIX).unwrap_or(id_or_name);
        if let Some(live) = all.get(id).filter(in_tenant) {
            return Ok(Arc::clone(live));
        }
        let name = fold(id_or_name);
        let mut named: Vec<_> = all
            .values()
            .filter(in_tenant)
            .filter(|live| live.revoked().is_none() && fold(&live.record.name) == name)
            .collect();
        named.sort_by_key(|live| live.record.created);
        match named.as_slice() {
            [] => Err(RevokeError::Unknown),
            [live] => Ok(Arc::clone(live)),
            several => {
                let ids: Vec<_> = several.iter().map(|it| it.record.id.as_str()).collect();
                Err(RevokeError::Several(ids.join(", ")))
            }
        }
    }
}
