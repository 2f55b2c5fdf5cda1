//! The way of proxied requests, put together from the settings.

use std::sync::Arc;

use bytes::Bytes;

use super::app_login::{self, AppLogin};
use super::dial::DialError;
use super::gate::Gate;
use super::{
    AppSessions, AssertionKeys, Cors, HeaderPlan, KeysError, Prepare, Proxy, Sanitizer, Upstream,
};
use crate::clock::Clock;
use crate::config::{Mistake, Mistakes, Settings};
use crate::login::{Login, SESSION_COOKIE};
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::provision::Provision;
use crate::storage::Embedded;
use crate::web::{OwnCookies, SetCookie};

/// Why settings cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Rules, header names or templates.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// Certificates of `[upstream]`.
    #[error("upstream")]
    Upstream(#[from] DialError),
    /// Keys of `[headers.assertion]`.
    #[error("headers.assertion")]
    Keys(#[from] KeysError),
}

impl Prepare {
    /// Plans the headers and loads the keys that sign the assertion.
    ///
    /// # Errors
    ///
    /// All mistakes of `[headers]` at once; keys that cannot be read or stored.
    pub async fn build(
        settings: &Settings,
        provision: &Arc<Provision>,
        storage: &Embedded,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, BuildError> {
        let keys = match &settings.headers.assertion {
            Some(assertion) => {
                let keys = AssertionKeys::load(storage.clone(), assertion.algorithm, clock.now());
                Some(Arc::new(keys.await?))
            }
            None => None,
        };
        let plan = HeaderPlan::new(
            &settings.headers,
            &settings.public_url,
            keys.clone(),
            Arc::clone(metrics),
        )
        .map_err(Mistakes)?;
        Ok(Self::new(Arc::clone(provision), plan, keys, settings))
    }
}

impl Proxy {
    /// Puts everything together.
    ///
    /// # Errors
    ///
    /// Rules that cannot match, certificates that cannot be read.
    pub fn new(
        login: &Arc<Login>,
        prepare: Arc<Prepare>,
        cors: Arc<Cors>,
    ) -> Result<Self, BuildError> {
        let settings = Arc::clone(&login.settings);
        let policy = Policy::new(&settings.rules).map_err(|(number, error)| {
            Mistakes(vec![Mistake {
                key: format!("rule[{number}].path"),
                why: error.to_string(),
            }])
        })?;
        let cookie = SetCookie {
            name: SESSION_COOKIE,
            ..login.browser_cookie("")
        };
        let gate = Gate {
            policy,
            login: Arc::clone(login),
            cookie: cookie.wire_name(),
            prepare: Arc::clone(&prepare),
        };
        let app_sessions =
            Arc::new(AppSessions::new(&settings.upstream.app_session).map_err(Mistakes)?);
        let wrong = app_login::mistakes(&settings, prepare.plan().names());
        if !wrong.is_empty() {
            return Err(Mistakes(wrong).into());
        }
        let signs = app_login::names(&settings);
        let sanitizer = Sanitizer::new(
            prepare.plan().names().chain(&signs),
            OwnCookies::new(SESSION_COOKIE),
            Arc::clone(&app_sessions),
            settings.server.trusted_proxies.clone(),
            Arc::clone(&login.metrics),
        );
        let upstream = Upstream::new(&settings.upstream)?;
        let app_login = AppLogin::new(&settings, upstream.authority(), &login.provision);
        Ok(Self {
            gate,
            upstream: Arc::new(upstream),
            app_login: app_login.map(Arc::new),
            login: Arc::clone(login),
            cors,
            app_sessions,
            sanitizer,
            metrics: Arc::clone(&login.metrics),
            prepare,
            settings,
        })
    }

    /// The JWK set of the assertion's keys (RFC 7517 5).
    pub fn jwks(&self) -> Bytes {
        let keys = self.prepare.keys();
        keys.map_or_else(
            || Bytes::from_static(b"{\"keys\":[]}"),
            AssertionKeys::document,
        )
    }

    /// Makes and drops keys of the assertion when it is time; to be called about once an hour.
    ///
    /// # Errors
    ///
    /// The store failed; what was there goes on.
    pub async fn refresh_keys(&self) -> Result<(), KeysError> {
        match self.prepare.keys() {
            Some(keys) => keys.refresh(self.login.clock.now()).await,
            None => Ok(()),
        }
    }
}
