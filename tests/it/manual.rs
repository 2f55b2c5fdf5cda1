//! `docs/LOG.md` tells every code and every audit action there is, and none that is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const MANUAL: &str = include_str!("../../docs/LOG.md");
/// Areas whose texts with a dot are something else: keys, files, attributes, operations.
const OTHERS: [&str; 7] = [
    "src/cli",
    "src/config",
    "src/connector",
    "src/provision/app/leave.rs",
    "src/provision/app/lookup.rs",
    "src/provision/app/view.rs",
    "src/server/control/socket.rs",
];

/// Codes and actions in the code: texts such as `"sign_in.wrong"`.
fn in_code() -> BTreeSet<String> {
    let keys: BTreeSet<String> = sidegate::config::known_keys()
        .into_iter()
        .map(|key| key.name)
        .collect();
    let mut found = BTreeSet::new();
    for text in sources(Path::new("src"), &OTHERS) {
        for literal in text.split('"').skip(1).step_by(2) {
            let (area, rest) = literal.split_once('.').unwrap_or_default();
            let word = |text: &str| {
                let letters = text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                !text.is_empty() && letters
            };
            let file = ["rs", "css", "json", "new", "test", "net"].contains(&rest);
            if word(area) && word(rest) && !file && !keys.contains(literal) {
                found.insert(literal.to_owned());
            }
        }
    }
    found
}

/// What tests are made of; compiled for them alone.
const FOR_TESTS: [&str; 5] = ["tests.rs", "_tests.rs", "fake.rs", "sample.rs", "world.rs"];

/// Everything but comments, tests and these others, file by file.
fn sources(folder: &Path, others: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if others.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path, others));
        } else if name.ends_with("rs") && !FOR_TESTS.iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            found.push(code.collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

/// What stands between backticks in the first cells of tables.
fn told() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in MANUAL.lines().filter(|line| line.starts_with("| `")) {
        for word in line.split('`').skip(1).step_by(2) {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            if word.contains('.') && word.chars().all(plain) {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_manual_tells_every_code_and_action() {
    let (code, told) = (in_code(), told());
    let missing: Vec<_> = code.difference(&told).collect();
    assert!(missing.is_empty(), "docs/LOG.md does not tell {missing:?}");
    let settings = ["headers.encoding", "upstream.response_timeout"];
    let invented: Vec<_> = told
        .difference(&code)
        .filter(|word| !settings.contains(&word.as_str()))
        .collect();
    assert!(
        invented.is_empty(),
        "docs/LOG.md tells {invented:?}, which is nowhere"
    );
}

#[test]
fn events_worth_an_alert_exist() {
    let code = sources(Path::new("src"), &[]).join("\n");
    let (_, events) = MANUAL.split_once("| event | fields |").unwrap();
    let (events, _) = events.split_once("## Audit").unwrap();
    for line in events.lines().filter(|line| line.starts_with("| `")) {
        let event = line.split('`').nth(1).unwrap();
        assert!(code.contains(&format!("\"{event}\"")), "{event:?}");
    }
}
