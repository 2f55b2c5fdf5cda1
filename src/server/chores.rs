//! What is due now and then: sessions that ended, idp keys, certificates that changed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::reload::Reload;
use super::shared::Shared;
use crate::connector::Kind;

const MINUTE: Duration = Duration::from_mins(1);
/// How often what the app owes is looked at.
const OWED: Duration = Duration::from_secs(2);
/// How soon a changed certificate or secret is noticed.
const LOOK_AT_FILES: Duration = Duration::from_secs(5);

/// Runs until `over`.
pub(super) async fn run(shared: Arc<Shared>, reload: Arc<Reload>, over: CancellationToken) {
    let all = async {
        tokio::join!(
            every_minute(&shared),
            watch_files(&reload),
            follow(&shared),
            compare(&shared),
            post(&shared)
        );
    };
    tokio::select! {
        () = all => {}
        () = over.cancelled() => {}
    }
}

async fn every_minute(shared: &Arc<Shared>) {
    loop {
        let app = shared.app.load_full();
        if let Err(error) = app.sessions.sweep().await {
            tracing::error!(%error, "ended sessions could not be written");
        }
        if let Err(error) = app.tokens.sweep().await {
            tracing::error!(%error, "last uses of SCIM tokens could not be written");
        }
        if let Err(error) = app.audit.prune().await {
            tracing::error!(%error, "old audit entries could not be removed");
        }
        if let Err(error) = app.proxy.refresh_keys().await {
            tracing::error!(%error, "keys of the assertion could not be renewed");
        }
        for idp in &app.login.idps {
            let idp = Arc::clone(idp);
            tokio::spawn(async move { idp.refresh().await });
        }
        drop(app);
        tokio::time::sleep(MINUTE).await;
    }
}

/// What the app has yet to follow.
async fn follow(shared: &Arc<Shared>) {
    // What a process that ended had begun is due at once.
    let mut at_once = true;
    loop {
        let app = shared.app.load_full();
        if app.provision.app().is_some()
            && let Err(error) = app.provision.pay(at_once).await
        {
            tracing::error!(%error, "what the app has yet to follow cannot be read");
        }
        at_once = false;
        drop(app);
        tokio::time::sleep(OWED).await;
    }
}

/// Webhooks.
async fn post(shared: &Arc<Shared>) {
    loop {
        let app = shared.app.load_full();
        let Some(webhook) = app.provision.webhook().cloned() else {
            drop(app);
            tokio::time::sleep(OWED).await;
            continue;
        };
        if let Err(error) = webhook.deliver(app.clock.now()).await {
            tracing::error!(%error, "webhook messages cannot be read or written");
        }
        drop(app);
        // What is tried again is due some time later; a reload may bring another receiver.
        let _new = tokio::time::timeout(OWED, webhook.woken()).await;
    }
}

/// Accounts of the app against the directory.
async fn compare(shared: &Arc<Shared>) {
    let mut last = shared.app.load().clock.now();
    loop {
        tokio::time::sleep(MINUTE).await;
        let app = shared.app.load_full();
        let Some(connector) = &app.settings.connector else {
            continue;
        };
        let every = connector.drift_every;
        let now = app.clock.now();
        if every.is_zero() || now < last.plus(every) {
            continue;
        }
        last = now;
        match app.provision.drift(&[]).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                let groups = found.iter().filter(|drift| drift.of == Kind::Group).count();
                tracing::warn!(
                    accounts = found.len().saturating_sub(groups),
                    groups,
                    "accounts of the app are not as the directory says; see sidegate connector drift"
                );
            }
            Err(error) => tracing::warn!(%error, "the app's accounts cannot be compared"),
        }
    }
}

async fn watch_files(reload: &Reload) {
    loop {
        tokio::time::sleep(LOOK_AT_FILES).await;
        reload.changed_files().await;
    }
}
