//! `config.example.toml` tells every key there is, and the defaults it tells are the code's.

use std::collections::BTreeSet;

use super::*;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Its tables stand in docs/CONNECTORS.md; `[upstream.login]` needs one.
const CONNECTOR: &str = "[connector.api]\nbase = '{upstream}'\n[connector.users]\nactive = 'none'\nlist.call = 'GET /users'\n\
    [connector.users.fields]\nname = 'userName'\npassword = { scim = 'userName', write = '{password}' }\n";

/// A line that sets something, or would if its `#` were taken away.
fn setting(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#').unwrap_or(line);
    let starts = |c: char| c.is_ascii_alphabetic() || c == '[' || c == '"';
    rest.starts_with(starts).then_some(rest)
}

/// Every key of the example with the values it is told with: `idp[].issuer`.
fn told() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut told = Vec::new();
    let arrays = [
        "rule",
        "idp",
        "tenant",
        "tenant.scim.attribute",
        "scim.attribute",
        "scim.federation",
        "scim.extension",
        "scim.extension.attributes",
    ];
    for line in EXAMPLE.lines() {
        if let Some(key) = line.strip_prefix("# Or: ") {
            let key = key.split(' ').next().unwrap();
            told.push((format!("{section}.{key}"), String::new()));
        }
        let Some(line) = setting(line) else {
            continue;
        };
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            let mut before = String::new();
            section.clear();
            for part in name.split('.') {
                let dot = if before.is_empty() { "" } else { "." };
                before = format!("{before}{dot}{part}");
                let is_array = arrays.contains(&before.as_str());
                let item = if is_array { "[]" } else { "" };
                section = format!("{section}{dot}{part}{item}");
            }
        } else {
            let (key, value) = line.split_once(" = ").unwrap();
            let dot = if section.is_empty() { "" } else { "." };
            told.push((format!("{section}{dot}{key}"), value.to_owned()));
        }
    }
    told
}

/// Tables whose keys are free, and tables as such: their keys are told, not they.
fn is_told_by_its_keys(known: &KnownKey, all: &[KnownKey]) -> bool {
    let below = [format!("{}.", known.name), format!("{}[].", known.name)];
    let has_keys = |key: &KnownKey| below.iter().any(|start| key.name.starts_with(start));
    known.default.is_none() && all.iter().any(has_keys)
}

#[test]
fn the_example_tells_every_key_and_no_other() {
    let known = known_keys();
    let free = [
        "headers.set",
        "roles.groups",
        "tenant[].roles.groups",
        "upstream.login.fields",
        "upstream.login.headers",
    ];
    let mut want: BTreeSet<String> = known
        .iter()
        .filter(|key| !is_told_by_its_keys(key, &known))
        .map(|key| key.name.clone())
        .collect();
    let mut got = BTreeSet::new();
    for (name, _) in told() {
        match free
            .iter()
            .find(|free| name.starts_with(&format!("{free}.\"")))
        {
            Some(free) => got.insert((*free).to_owned()),
            None => got.insert(name),
        };
    }
    assert!(free.iter().all(|free| want.contains(*free)));
    let missing: Vec<_> = want.difference(&got).cloned().collect();
    let invented: Vec<_> = got.difference(&want).cloned().collect();
    assert!(
        missing.is_empty(),
        "config.example.toml does not tell {missing:?}"
    );
    assert!(
        invented.is_empty(),
        "config.example.toml tells {invented:?}, which nobody reads"
    );
    want.clear();
}

#[test]
fn the_example_tells_the_defaults_of_the_code() {
    let told = told();
    for known in known_keys() {
        let Some(default) = &known.default else {
            continue;
        };
        let values: Vec<_> = told
            .iter()
            .filter(|(name, _)| *name == known.name)
            .map(|(_, value)| value)
            .collect();
        assert_eq!(values, [default], "{}", known.name);
    }
}

#[test]
fn the_example_is_a_configuration() {
    // As it stands nobody could sign in; with one idp or local accounts it is complete.
    let text = EXAMPLE.replace("#[local]\n#enabled = false", "[local]\nenabled = true");
    let settings = Settings::parse(&text).unwrap();
    let short = "public_url = 'https://app.example.com'\n[upstream]\nurl = 'http://127.0.0.1:8080'\n\
                 [local]\nenabled = true";
    let short = Settings::parse(short).unwrap();
    assert_eq!(format!("{settings:?}"), format!("{short:?}"));
}

#[test]
fn the_example_with_everything_taken_in_is_a_configuration() {
    let folder = std::env::temp_dir().join(format!("sidegate-{}", crate::crypto::random_token()));
    std::fs::create_dir(&folder).unwrap();
    let files = [
        "oidc",
        "logo.svg",
        "federation.crt",
        "saml.key",
        "saml.crt",
        "saml-old.key",
        "saml-old.crt",
    ];
    for file in files {
        std::fs::write(folder.join(file), "x").unwrap();
    }
    let key = crate::crypto::SealKey::random().to_text();
    for file in ["seal.key", "seal-old.key"] {
        std::fs::write(folder.join(file), key.expose()).unwrap();
    }
    let there = folder.display().to_string();
    let text: Vec<String> = EXAMPLE
        .lines()
        .filter_map(setting)
        .map(|line| {
            line.replace("/run/secrets", &there)
                .replace("/etc/sidegate", &there)
                // The example's only tenant.
                .replace("tenant = \"default\"", "tenant = \"acme\"")
        })
        .collect();
    let text = format!("{}\n{CONNECTOR}", text.join("\n"));
    let read = Settings::parse(&text);
    std::fs::remove_dir_all(&folder).unwrap();
    let settings = read.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(settings.idps.len(), 2);
    assert_eq!(settings.tenants[0].roles.groups[0].1, "ADMIN");
    assert_eq!(settings.scim.federations[0].name, "entra");
    assert_eq!(settings.files.len(), 16);
}
