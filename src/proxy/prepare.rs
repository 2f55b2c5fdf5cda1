//! What the app is told of a person: made once per session, made anew when the person changes (R27).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::{AssertionKeys, HeaderPlan};
use crate::clock::Timestamp;
use crate::config::{Protocol, Settings};
use crate::identity::IdpName;
use crate::login::PrepareHeaders;
use crate::problem::Problem;
use crate::provision::Provision;
use crate::session::{Live, Prepared};

/// Makes what is kept with a session.
pub struct Prepare {
    provision: Arc<Provision>,
    plan: HeaderPlan,
    keys: Option<Arc<AssertionKeys>>,
    ways: Ways,
    number: u64,
}

/// By whom people may be signed in.
struct Ways {
    local: bool,
    idps: Vec<(IdpName, bool)>,
}

impl Ways {
    fn of(settings: &Settings) -> Self {
        let idps = settings.idps.iter().map(|idp| {
            let bearer = match &idp.protocol {
                Protocol::Oidc(oidc) => !oidc.bearer_audiences.is_empty(),
                Protocol::Saml(_) => false,
            };
            (idp.name.clone(), bearer)
        });
        Self {
            local: settings.local.enabled,
            idps: idps.collect(),
        }
    }

    /// R26: what an idp began that an operator took away is over, whatever cookie or token comes.
    fn know(&self, live: &Live) -> bool {
        let idp = &live.record.idp;
        let known = |(its, bearer): &(IdpName, bool)| its == idp && (*bearer || !live.bearer);
        self.idps.iter().any(known) || (self.local && *idp == IdpName::local())
    }
}

impl Prepare {
    /// From the directory, as the plan and the settings say.
    pub fn new(
        provision: Arc<Provision>,
        plan: HeaderPlan,
        keys: Option<Arc<AssertionKeys>>,
        settings: &Settings,
    ) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self {
            provision,
            plan,
            keys,
            ways: Ways::of(settings),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The keys that sign the assertion, when there is one.
    pub fn keys(&self) -> Option<&AssertionKeys> {
        self.keys.as_deref()
    }

    /// The names it may set.
    pub const fn plan(&self) -> &HeaderPlan {
        &self.plan
    }

    /// What policy and the app are told; none when the person is gone or inactive, or was signed in in a way that
    /// there is no more.
    ///
    /// # Errors
    ///
    /// The directory failed, or a value cannot be sent to the app.
    pub async fn of(
        &self,
        live: &Arc<Live>,
        now: Timestamp,
    ) -> Result<Option<Arc<Prepared>>, Problem> {
        // R27: what earlier settings made is not true any more: roles, header names, tenants.
        if let Some(prepared) = live.prepared(now)
            && prepared.settings == self.number
        {
            return Ok(Some(prepared));
        }
        if !self.ways.know(live) {
            return Ok(None);
        }
        // Read before the directory: a change meanwhile makes what is made here stale at once.
        let stamp = live.stamp();
        let record = &live.record;
        let identity = self
            .provision
            .identity(&record.tenant, &record.user, &record.groups)
            .await
            .map_err(Problem::internal)?;
        let Some(identity) = identity else {
            return Ok(None);
        };
        let rendered = self.plan.render(&identity, record, now)?;
        let prepared = Arc::new(Prepared {
            stamp,
            settings: self.number,
            renew_at: rendered.renew_at,
            identity: Arc::new(identity),
            headers: rendered.headers,
        });
        live.keep(Arc::clone(&prepared));
        Ok(Some(prepared))
    }
}

#[async_trait]
impl PrepareHeaders for Prepare {
    async fn prepare(
        &self,
        live: &Arc<Live>,
        now: Timestamp,
    ) -> Result<Option<Arc<Prepared>>, Problem> {
        self.of(live, now).await
    }
}
