//! Everything that is put together from the settings; a reload makes a new one around the same stores.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::audit::Audit;
use crate::clock::{Clock, SystemClock};
use crate::config::{Logo, Mistakes, Settings, StorageUrl};
use crate::connector::{Connector, Ledger, LedgerError, Webhook};
use crate::crypto::{Passwords, SealKeys};
use crate::directory::EmbeddedDirectory;
use crate::identity::IdpName;
use crate::login::{Idp, KeptBodies, Login, PasswordSteps, Pendings, Throttle};
use crate::metrics::Metrics;
use crate::oidc;
use crate::outbound::OutboundError;
use crate::provision::{self, AppSide, Provision};
use crate::proxy::{Cors, Prepare, Proxy};
use crate::saml;
use crate::scim::{self, Exchanges, Pause, Scim, ScimState, Tokens};
use crate::session::{EmbeddedSessions, Sessions};
use crate::storage::{Embedded, StorageError, seal_key};
use crate::web::page::Look;

/// Why settings cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The store.
    #[error("storage.url")]
    Storage(#[from] StorageError),
    /// Rules, headers, upstream.
    #[error(transparent)]
    Proxy(#[from] crate::proxy::BuildError),
    /// Idps.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// SAML idps.
    #[error("idp")]
    Saml(#[from] saml::BuildError),
    /// Accounts of another app.
    #[error("connector")]
    Ledger(#[from] LedgerError),
    /// Attributes that the settings name.
    #[error(transparent)]
    Attributes(Mistakes),
}

/// What outlives a reload.
pub(super) struct Stores {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    storage: Embedded,
    seal_keys: SealKeys,
    idp_cache: PathBuf,
    sessions: Arc<Sessions>,
    pending: Arc<Pendings>,
    kept: Arc<KeptBodies>,
    throttle: Arc<Throttle>,
    steps: Arc<PasswordSteps>,
    cors: Arc<Cors>,
    scim: ScimState,
    used_tokens: oidc::UsedTokens,
    saml: Arc<saml::Memory>,
    provision: Arc<provision::State>,
}

impl Stores {
    /// Opens the store and loads the sessions.
    pub(super) async fn open(settings: &Settings) -> Result<Self, BuildError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Arc::new(Metrics::new());
        let StorageUrl::Redb(file) = &settings.storage.url;
        let storage = Embedded::open(file, Arc::clone(&metrics))?;
        let seal_key = match &settings.storage.seal_key {
            Some(key) => key.clone(),
            None => seal_key(file)?,
        };
        let seal_keys = SealKeys::new(seal_key, settings.storage.previous_seal_key.clone());
        Ledger::new(storage.clone(), seal_keys.clone())
            .reseal()
            .await?;
        let store = Arc::new(EmbeddedSessions::new(storage.clone()));
        let idle = settings.session.idle;
        let sessions =
            Sessions::load(store, Arc::clone(&clock), Arc::clone(&metrics), idle).await?;
        let pending = usize::try_from(settings.limits.pending_sign_ins).unwrap_or(usize::MAX);
        let tokens =
            Tokens::load(storage.clone(), Arc::clone(&clock), Arc::clone(&metrics)).await?;
        let saml = saml::Memory::load(storage.clone(), clock.now()).await?;
        let scim = ScimState {
            tokens: Arc::new(tokens),
            failures: Arc::default(),
            exchanges: Arc::<Exchanges>::default(),
            pause: Arc::new(Pause::load(storage.clone()).await?),
        };
        let provision = provision::State::load(&storage, Arc::clone(&metrics)).await?;
        Ok(Self {
            provision: Arc::new(provision),
            clock,
            metrics,
            storage,
            seal_keys,
            idp_cache: idp_cache(settings),
            sessions: Arc::new(sessions),
            pending: Arc::new(Pendings::new(pending)),
            kept: Arc::default(),
            throttle: Arc::default(),
            steps: Arc::default(),
            cors: Arc::default(),
            scim,
            used_tokens: oidc::UsedTokens::default(),
            saml: Arc::new(saml),
        })
    }

    fn audit(&self, settings: &Settings, before: Option<&App>) -> Result<Audit, StorageError> {
        let (file, retention) = (settings.audit.file.clone(), settings.audit.retention);
        if let Some(app) = before {
            return app.audit.renewed(file, retention);
        }
        Audit::new(
            self.storage.clone(),
            Arc::clone(&self.clock),
            file,
            retention,
        )
    }

    /// All idps, as they stand in the file: the chooser shows them so.
    fn idps(&self, settings: &Settings, look: &Arc<Look>) -> Result<Vec<Arc<dyn Idp>>, BuildError> {
        let (cache, clock, metrics) = (&self.idp_cache, &self.clock, &self.metrics);
        let mut idps = oidc::build(settings, cache, clock, metrics, &self.used_tokens)?;
        idps.extend(saml::build(
            settings, cache, clock, metrics, &self.saml, look,
        )?);
        let place = |name: &IdpName| settings.idps.iter().position(|its| its.name == *name);
        idps.sort_by_key(|idp| place(idp.name()));
        Ok(idps)
    }

    /// The app's own user API.
    async fn app_side(&self, settings: &Settings) -> Result<Option<AppSide>, BuildError> {
        let Some(connector) = settings.connector.clone() else {
            return Ok(None);
        };
        let ledger = Ledger::new(self.storage.clone(), self.seal_keys.clone());
        let forget = connector.forget.clone();
        let connector = Connector::counting(connector, Arc::clone(&self.metrics))?;
        ledger.belong(connector.name(), &forget).await?;
        Ok(Some(AppSide::new(Arc::new(connector), ledger)))
    }

    fn webhook(&self, settings: &Settings) -> Result<Option<Arc<Webhook>>, OutboundError> {
        let Some(webhook) = settings.webhook.clone() else {
            return Ok(None);
        };
        let metrics = Arc::clone(&self.metrics);
        let webhook = Webhook::new(webhook, self.storage.clone(), metrics)?;
        Ok(Some(Arc::new(webhook)))
    }

    /// Puts everything together; `before` is what it takes the place of.
    #[expect(clippy::too_many_lines, reason = "a list: one entry for each part")]
    pub(super) async fn build(
        &self,
        settings: Settings,
        before: Option<&App>,
    ) -> Result<App, BuildError> {
        let wrong = scim::mistakes(&settings);
        if !wrong.is_empty() {
            return Err(BuildError::Attributes(Mistakes(wrong)));
        }
        let settings = Arc::new(settings);
        let audit = Arc::new(self.audit(&settings, before)?);
        let provision = Provision::new(
            Arc::new(EmbeddedDirectory::new(self.storage.clone())),
            Arc::clone(&self.sessions),
            Arc::clone(&audit),
            Arc::clone(&self.clock),
            settings.tenants.clone(),
            settings.groups.clone(),
        );
        let provision = provision
            .remembering(Arc::clone(&self.provision))
            .reaching(self.app_side(&settings).await?)
            .telling(self.webhook(&settings)?);
        let provision = Arc::new(provision);
        let look = Arc::new(look(&settings));
        let idps = self.idps(&settings, &look)?;
        let prepare = Prepare::build(
            &settings,
            &provision,
            &self.storage,
            &self.clock,
            &self.metrics,
        );
        let prepare = Arc::new(prepare.await?);
        let login = Arc::new(Login {
            settings: Arc::clone(&settings),
            idps,
            pending: Arc::clone(&self.pending),
            kept: Arc::clone(&self.kept),
            throttle: Arc::clone(&self.throttle),
            steps: Arc::clone(&self.steps),
            provision: Arc::clone(&provision),
            sessions: Arc::clone(&self.sessions),
            audit: Arc::clone(&audit),
            passwords: Arc::new(Passwords::new(
                settings.local.bcrypt_cost,
                settings.local.min_length,
                2,
            )),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            look: Arc::clone(&look),
            prepare: Arc::<Prepare>::clone(&prepare),
        });
        let proxy = Proxy::new(&login, prepare, Arc::clone(&self.cors))?;
        let scim = Scim::new(&login, &self.scim)?;
        Ok(App {
            settings,
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            storage: self.storage.clone(),
            sessions: Arc::clone(&self.sessions),
            audit,
            provision,
            login,
            proxy,
            scim,
            saml: Arc::clone(&self.saml),
            tokens: Arc::clone(&self.scim.tokens),
            look,
        })
    }
}

/// What a request needs. Stores, sessions and counters outlive a reload, the rest is made anew.
pub struct App {
    /// Settings in force.
    pub settings: Arc<Settings>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The store.
    pub storage: Embedded,
    /// Live sessions.
    pub sessions: Arc<Sessions>,
    /// The chain.
    pub audit: Arc<Audit>,
    /// The one way to people.
    pub provision: Arc<Provision>,
    /// Signing in.
    pub login: Arc<Login>,
    /// The way of proxied requests.
    pub proxy: Proxy,
    /// Provisioning.
    pub scim: Scim,
    /// What SAML idps' answers left behind.
    pub saml: Arc<saml::Memory>,
    /// Tokens of SCIM clients.
    pub tokens: Arc<Tokens>,
    /// How pages look.
    pub look: Arc<Look>,
}

/// The folder where idps' metadata is kept between runs: beside the store.
pub fn idp_cache(settings: &Settings) -> PathBuf {
    let StorageUrl::Redb(file) = &settings.storage.url;
    file.with_file_name("idp-cache")
}

fn look(settings: &Settings) -> Look {
    let pages = &settings.pages;
    let data = |logo: &Logo| {
        format!(
            "data:{};base64,{}",
            logo.media_type,
            STANDARD.encode(&logo.bytes)
        )
    };
    Look {
        name: pages.name.clone(),
        logo: pages.logo.as_ref().map(data),
        colour: pages.colour.clone(),
        contact: pages.contact.clone(),
        own: settings.paths.own.clone(),
    }
}
