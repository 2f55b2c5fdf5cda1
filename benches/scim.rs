//! Fills a store for `benches/run scim`, as a long time of provisioning would: `scim fill STORE PEOPLE MEMBERS PERSON`.
//!
//! PERSON is a user in JSON with `{n}` and `{h}`, as `load ask` fills them; the first MEMBERS people are in one group.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "measures by hand; a failure is a panic"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};
use sidegate::clock::Timestamp;
use sidegate::directory::{Change, Directory as _, EmbeddedDirectory, Expected};
use sidegate::identity::{Group, GroupId, ManagedBy, SignInMethod, TenantSlug, User, UserId};
use sidegate::metrics::Metrics;
use sidegate::storage::Embedded;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// People of one commit.
const FILL: usize = 10_000;

fn main() {
    // `cargo test --all-targets` starts this too.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let &["fill", store, people, members, person, ..] = arguments.as_slice() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (people, members) = (people.parse().unwrap(), members.parse().unwrap());
    let start = Instant::now();
    runtime.block_on(fill(Path::new(store), people, members, person));
    println!("{people} people in {:.1?}", start.elapsed());
}

async fn fill(path: &Path, people: usize, members: usize, person: &str) {
    let store = Embedded::open(path, Arc::new(Metrics::new())).unwrap();
    let directory = EmbeddedDirectory::new(store.clone());
    let group = group();
    let make = Change::PutGroup(Box::new(group.clone()), Expected::New);
    directory.apply(vec![make]).await.unwrap();
    let mut all: Vec<_> = (0..people).map(|number| (id(number), number)).collect();
    // Near each other in the store go into one commit, so that it is quick; among themselves in no order.
    all.sort_unstable();
    for some in all.chunks_mut(FILL) {
        some.sort_unstable_by_key(|(_, number)| *number);
        let mut changes = Vec::new();
        for (id, number) in some {
            let user = user(id, *number, person);
            let joins = Change::AddMember(user.tenant.clone(), group.id.clone(), user.id.clone());
            changes.push(Change::PutUser(Box::new(user), Expected::New));
            if *number < members {
                changes.push(joins);
            }
        }
        directory.apply(changes).await.unwrap();
    }
    store.close().await;
}

fn id(number: usize) -> String {
    let scattered = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (high, low) = (scattered >> 32, scattered >> 16 & 0xFFFF);
    format!("{high:08x}-{low:04x}-4000-8000-{number:012x}")
}

fn user(id: &str, number: usize, person: &str) -> User {
    let json = person
        .replace("{n}", &number.to_string())
        .replace("{h}", &id[..8]);
    let mut attributes: Map<String, Value> = serde_json::from_str(&json).unwrap();
    let mut own = |name: &str| match attributes.remove(name) {
        Some(Value::String(text)) => text,
        other => panic!("{name} is {other:?}"),
    };
    let (user_name, external_id) = (own("userName"), own("externalId"));
    attributes.retain(|name, _| name != "schemas" && name != "active");
    User {
        id: UserId::from(id),
        tenant: TenantSlug::default(),
        user_name,
        external_id: Some(external_id),
        active: true,
        attributes,
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::Scim,
        created: NOW,
        modified: NOW,
        version: 1,
    }
}

fn group() -> Group {
    Group {
        id: GroupId::from("everybody"),
        tenant: TenantSlug::default(),
        display_name: "Everybody".to_owned(),
        external_id: None,
        attributes: Map::new(),
        created: NOW,
        modified: NOW,
        version: 1,
    }
}
