//! Connectors that are shipped.

/// Every preset: its name and its text.
pub const PRESETS: [(&str, &str); 17] = [
    ("airflow", include_str!("presets/airflow.toml")),
    ("gitea", include_str!("presets/gitea.toml")),
    ("gitlab", include_str!("presets/gitlab.toml")),
    ("grafana", include_str!("presets/grafana.toml")),
    ("jupyterhub", include_str!("presets/jupyterhub.toml")),
    ("kanboard", include_str!("presets/kanboard.toml")),
    ("keystone", include_str!("presets/keystone.toml")),
    ("mattermost", include_str!("presets/mattermost.toml")),
    ("miniflux", include_str!("presets/miniflux.toml")),
    ("nautobot", include_str!("presets/nautobot.toml")),
    ("nextcloud", include_str!("presets/nextcloud.toml")),
    ("nexus", include_str!("presets/nexus.toml")),
    ("redmine", include_str!("presets/redmine.toml")),
    ("rt", include_str!("presets/rt.toml")),
    ("superset", include_str!("presets/superset.toml")),
    ("wordpress", include_str!("presets/wordpress.toml")),
    ("zabbix", include_str!("presets/zabbix.toml")),
];

/// The text of a preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS
        .iter()
        .find(|(its, _)| *its == name)
        .map(|(_, text)| *text)
}
