//! Counters and gauges in Prometheus' text format; names are part of our versioned surface (docs/METRICS.md).

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

/// One label with a small, fixed set of values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// The value.
    pub kind: &'static str,
}

/// Counters that every request needs, looked up once: the kinds are told with 0 from the start.
#[derive(Debug, Default)]
pub struct Kinds {
    family: Family<Kind, Counter>,
    known: Vec<(&'static str, Counter)>,
}

impl Kinds {
    fn new(kinds: &[&'static str]) -> Self {
        let family = Family::<Kind, Counter>::default();
        let counter = |kind| (kind, family.get_or_create_owned(&Kind { kind }));
        Self {
            known: kinds.iter().copied().map(counter).collect(),
            family,
        }
    }

    /// One more of this kind.
    pub fn inc(&self, kind: &'static str) {
        match self.known.iter().find(|(its, _)| *its == kind) {
            Some((_, counter)) => counter.inc(),
            None => self.family.get_or_create(&Kind { kind }).inc(),
        };
    }
}

/// Which idp and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SignIn {
    /// Name of the idp, `local` for local accounts.
    pub idp: String,
    /// `ok`, or the problem's code.
    pub outcome: &'static str,
}

/// Which idp.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Idp {
    /// Its name.
    pub idp: String,
}

/// Which token of a SCIM client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabels {
    /// Whose directory it opens.
    pub tenant: String,
    /// Its public id.
    pub token: String,
    /// What the operator calls it.
    pub name: String,
}

/// Registers; the metric that is kept and the one that is told share their numbers.
struct Book(Registry);

impl Book {
    fn add(&mut self, name: &str, help: &str, metric: &(impl Metric + Clone)) {
        self.0.register(name, help, metric.clone());
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    registry: Registry,
    /// `sidegate_requests_total{kind}`: requests by status class: `2xx`, `3xx`, `4xx`, `5xx`, `101`.
    pub requests: Kinds,
    /// `sidegate_decisions_total{kind}`: `allow`, `sign_in`, `refuse`, `own`, `bad_request`.
    pub decisions: Kinds,
    /// `sidegate_sign_ins_total{idp,outcome}`.
    pub sign_ins: Family<SignIn, Counter>,
    /// `sidegate_sessions`: live sessions in memory.
    pub sessions: Gauge,
    /// `sidegate_sessions_ended_total{kind}`: `logout`, `idle`, `absolute`, `revoked`, `deactivated`, `idp_logout`, `replaced`.
    pub sessions_ended: Family<Kind, Counter>,
    /// `sidegate_connections`: open client connections.
    pub connections: Gauge,
    /// `sidegate_connections_refused_total`: closed at once because `limits.connections` was reached.
    pub connections_refused: Counter,
    /// `sidegate_upstream_errors_total{kind}`: `connect`, `timeout`, `broken`, `revoked`.
    pub upstream_errors: Family<Kind, Counter>,
    /// `sidegate_identity_headers_dropped_total{kind}`: `too_long`, `control_character`, `separator` (a group
    /// that an app would take for two), `encoding` (a display name or group that does not fit it), `template` (it failed), `inbound` (spoofed), `set_cookie` (the app set one of ours).
    pub headers_dropped: Family<Kind, Counter>,
    /// `sidegate_idp_refresh_total{idp,outcome}`: discovery and key fetches.
    pub idp_refreshes: Family<SignIn, Counter>,
    /// `sidegate_idp_certificate_expiry_seconds{idp}`: until the last signing certificate of a SAML idp ends.
    pub idp_certificate_expiry: Family<Idp, Gauge>,
    /// `sidegate_reloads_total{kind}`: `ok`, `refused` (mistakes: the settings in force stay).
    pub reloads: Family<Kind, Counter>,
    /// `sidegate_log_lines_dropped_total{kind}`: `access`, `event`: standard output was not read fast enough.
    pub log_lines_dropped: Family<Kind, Counter>,
    /// `sidegate_scim_fuse_refusals_total`: deactivations that `max_deactivations_per_hour` refused.
    pub fuse_refusals: Counter,
    /// `sidegate_store_commits_total` and `sidegate_store_writes_total`: group commits and the writes in them.
    pub store_commits: Counter,
    /// See [`Self::store_commits`].
    pub store_writes: Counter,
    /// `sidegate_scim_token_expiry_seconds{tenant,token,name}`: until a token ends; 0 when it has.
    pub scim_token_expiry: Family<TokenLabels, Gauge>,
    /// `sidegate_scim_refused_total{kind}`: SCIM clients that were not let in: `missing`, `unknown`, `revoked`,
    /// `expired`, `tenant`, `assertion`, `network`, `throttled`, `rate`, `busy`.
    pub scim_refused: Family<Kind, Counter>,
    /// `sidegate_connector_calls_total{kind}`: `answered`, `refused` (4xx), `failed` (5xx), `unreachable`.
    pub connector_calls: Kinds,
    /// `sidegate_connector_owed`: records that the app has yet to follow.
    pub connector_owed: Gauge,
    /// `sidegate_connector_drift{kind}`: accounts and groups that were not as the directory says: `changed`, `missing`, `added`.
    pub connector_drift: Family<Kind, Gauge>,
    /// `sidegate_webhook_posts_total{kind}`: `taken`, `refused`.
    pub webhook_posts: Kinds,
    /// `sidegate_webhook_waiting`: messages that wait.
    pub webhook_waiting: Gauge,
}

impl Metrics {
    /// All of them, registered under their names.
    #[expect(clippy::too_many_lines, reason = "a list: one entry for each metric")]
    pub fn new() -> Self {
        let mut m = Self {
            requests: Kinds::new(&["2xx", "3xx", "4xx", "5xx", "101"]),
            decisions: Kinds::new(&["allow", "sign_in", "refuse", "own", "bad_request"]),
            connector_calls: Kinds::new(&["answered", "refused", "failed", "unreachable"]),
            webhook_posts: Kinds::new(&["taken", "refused"]),
            ..Self::default()
        };
        let mut book = Book(Registry::with_prefix("sidegate"));
        book.add("requests", "Requests by status class", &m.requests.family);
        book.add("decisions", "Decisions of the gate", &m.decisions.family);
        book.add(
            "sign_ins",
            "Finished sign-ins by idp and outcome",
            &m.sign_ins,
        );
        book.add("sessions", "Live sessions", &m.sessions);
        book.add(
            "sessions_ended",
            "Ended sessions by reason",
            &m.sessions_ended,
        );
        book.add("connections", "Open client connections", &m.connections);
        book.add(
            "connections_refused",
            "Connections over the limit",
            &m.connections_refused,
        );
        book.add(
            "upstream_errors",
            "Failed calls of the upstream",
            &m.upstream_errors,
        );
        book.add(
            "identity_headers_dropped",
            "Identity headers left out or stripped",
            &m.headers_dropped,
        );
        book.add(
            "idp_refresh",
            "Fetches of idp metadata and keys",
            &m.idp_refreshes,
        );
        book.add(
            "idp_certificate_expiry_seconds",
            "Seconds until the last signing certificate of a SAML idp ends",
            &m.idp_certificate_expiry,
        );
        book.add("reloads", "Readings of the settings", &m.reloads);
        book.add(
            "log_lines_dropped",
            "Log lines that nobody read fast enough",
            &m.log_lines_dropped,
        );
        book.add(
            "scim_fuse_refusals",
            "Deactivations that the fuse refused",
            &m.fuse_refusals,
        );
        book.add(
            "store_commits",
            "Commits of the embedded store",
            &m.store_commits,
        );
        book.add("store_writes", "Writes in those commits", &m.store_writes);
        book.add(
            "scim_token_expiry_seconds",
            "Seconds until a token of a SCIM client ends",
            &m.scim_token_expiry,
        );
        book.add(
            "scim_refused",
            "SCIM clients that were not let in",
            &m.scim_refused,
        );
        book.add(
            "connector_calls",
            "Calls of the app's own user API",
            &m.connector_calls.family,
        );
        book.add(
            "connector_owed",
            "Records that the app has yet to follow",
            &m.connector_owed,
        );
        book.add(
            "connector_drift",
            "Accounts and groups of the app that are not as the directory says",
            &m.connector_drift,
        );
        book.add(
            "webhook_posts",
            "Webhook messages posted",
            &m.webhook_posts.family,
        );
        book.add(
            "webhook_waiting",
            "Webhook messages that wait",
            &m.webhook_waiting,
        );
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        book.0
            .register("build", "Version that runs", Info::new(version.to_vec()));
        m.registry = book.0;
        m
    }

    /// The text that `/metrics` answers.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TABLE: &str = include_str!("../docs/METRICS.md");

    /// One of each, so that every name has a line.
    fn all() -> Metrics {
        let metrics = Metrics::new();
        let kind = Kind { kind: "k" };
        for family in [
            &metrics.sessions_ended,
            &metrics.upstream_errors,
            &metrics.headers_dropped,
            &metrics.reloads,
            &metrics.scim_refused,
            &metrics.log_lines_dropped,
        ] {
            family.get_or_create(&kind).inc();
        }
        for family in [&metrics.sign_ins, &metrics.idp_refreshes] {
            let idp = "i".to_owned();
            family.get_or_create(&SignIn { idp, outcome: "o" }).inc();
        }
        metrics.connector_drift.get_or_create(&kind).set(1);
        let idp = Idp {
            idp: "i".to_owned(),
        };
        metrics.idp_certificate_expiry.get_or_create(&idp).set(1);
        let token = TokenLabels {
            tenant: "t".to_owned(),
            token: "i".to_owned(),
            name: "n".to_owned(),
        };
        metrics.scim_token_expiry.get_or_create(&token).set(1);
        metrics
    }

    /// Name to kind and labels, as scraped.
    fn scraped(text: &str) -> BTreeMap<String, (String, String)> {
        let mut found = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                kinds.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (sample, _value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
                let labels: Vec<_> = labels
                    .split(',')
                    .filter_map(|label| label.split_once('=').map(|(name, _)| name))
                    .collect();
                let base = name.trim_end_matches("_total").trim_end_matches("_info");
                let kind = kinds[base].clone();
                found.insert(name.to_owned(), (kind, labels.join(", ")));
            }
        }
        found
    }

    #[test]
    fn the_manual_tells_every_metric_and_no_other() {
        let mut told = BTreeMap::new();
        for line in TABLE.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let plain = |cell: &str| cell.replace('`', "");
            let told_one = (plain(cells[2]), plain(cells[3]));
            told.insert(plain(cells[1]), told_one);
        }
        assert_eq!(told, scraped(&all().to_text()));
    }
}
