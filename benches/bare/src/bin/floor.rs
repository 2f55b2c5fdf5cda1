//! The least that a durable SCIM server on hyper and redb can be: the limit that `benches/run scim` holds Sidegate against.
//!
//! One record and one index row a person, and writes that wait for a commit share the next. There are no tokens,
//! schemas, rules, events, pages or errors. A measuring tool, not for use.
//!
//! ```text
//! floor fill STORE PEOPLE PERSON                 PERSON: a user in JSON with {n} and {h}, as `load ask` fills them
//! floor serve LISTEN STORE                       POST …/Users, GET …/Users?filter=userName%20eq%20%22NAME%22
//! floor commits STORE FIRST SECONDS ROWS PERSON  redb alone, ROWS people a commit, numbered from FIRST on; prints
//!                                                people, commits and what number comes next
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use redb::{Database, ReadableDatabase as _, TableDefinition, WriteTransaction};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

const PEOPLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("people");
const NAMES: TableDefinition<'_, &str, &str> = TableDefinition::new("names");
/// People of one transaction while a store is filled.
const FILL: usize = 20_000;
/// Most writes in one commit.
const GROUP: usize = 256;

struct Write {
    id: String,
    name: String,
    json: Vec<u8>,
    done: oneshot::Sender<()>,
}

struct Floor {
    store: Arc<Database>,
    writes: mpsc::Sender<Write>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["fill", store, people, person] => fill(&open(store), number(people), person),
        ["serve", listen, store] => serve(listen.parse().expect("an address"), open(store)),
        ["commits", store, first, seconds, rows, person] => {
            let end = Instant::now() + Duration::from_secs(number(seconds) as u64);
            commits(&open(store), number(first), number(rows), person, end);
        }
        _ => panic!("see the comment at the beginning of floor.rs"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn open(path: &str) -> Database {
    Database::create(path).expect("a store")
}

/// Scattered as an UUID is.
fn id(number: usize) -> String {
    let scattered = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (high, low) = (scattered >> 32, scattered >> 16 & 0xFFFF);
    format!("{high:08x}-{low:04x}-4000-8000-{number:012x}")
}

/// Id, name and JSON of one more person.
fn person(number: usize, template: &str) -> (String, String, String) {
    let id = id(number);
    let json = template
        .replace("{n}", &number.to_string())
        .replace("{h}", &id[..8]);
    let (_, name) = json.split_once("\"userName\":\"").expect("a user name");
    let (name, _) = name.split_once('"').expect("a user name");
    (id, name.to_owned(), json)
}

fn insert(transaction: &WriteTransaction, id: &str, name: &str, json: &[u8]) {
    let mut people = transaction.open_table(PEOPLE).expect("a table");
    people.insert(id, json).expect("a row");
    let mut names = transaction.open_table(NAMES).expect("a table");
    names.insert(name, id).expect("a row");
}

fn fill(store: &Database, people: usize, template: &str) {
    let mut all: Vec<_> = (0..people).map(|number| (id(number), number)).collect();
    // In the order of their ids, so that it is quick.
    all.sort_unstable();
    for some in all.chunks(FILL) {
        let transaction = store.begin_write().expect("a transaction");
        for (_, number) in some {
            let (id, name, json) = person(*number, template);
            insert(&transaction, &id, &name, json.as_bytes());
        }
        transaction.commit().expect("a commit");
    }
}

fn commits(store: &Database, first: usize, rows: usize, template: &str, end: Instant) {
    let (mut next, mut commits) = (first, 0);
    while Instant::now() < end {
        let transaction = store.begin_write().expect("a transaction");
        for number in next..next + rows {
            let (id, name, json) = person(number, template);
            insert(&transaction, &id, &name, json.as_bytes());
        }
        transaction.commit().expect("a commit");
        commits += 1;
        next += rows;
    }
    println!("{} {commits} {next}", next - first);
}

fn serve(listen: SocketAddr, store: Database) {
    let store = Arc::new(store);
    let (writes, waiting) = mpsc::channel(1024);
    let writer = Arc::clone(&store);
    std::thread::spawn(move || write(&writer, waiting));
    let floor = Arc::new(Floor { store, writes });
    bare::per_core(listen, |stream, _peer| {
        connection(Arc::clone(&floor), stream)
    });
}

fn write(store: &Database, mut waiting: mpsc::Receiver<Write>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let transaction = store.begin_write().expect("a transaction");
        for write in &group {
            insert(&transaction, &write.id, &write.name, &write.json);
        }
        transaction.commit().expect("a commit");
        for write in group.drain(..) {
            let _gone = write.done.send(());
        }
    }
}

async fn connection(floor: Arc<Floor>, stream: TcpStream) {
    let _kept_as_it_is = stream.set_nodelay(true);
    let service = service_fn(|request| floor.answer(request));
    let _ended = hyper::server::conn::http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Floor {
    async fn answer(&self, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
        if request.method() == Method::POST {
            let body = request.into_body().collect().await?.to_bytes();
            return Ok(Response::new(self.create(&body).await.into()));
        }
        let query = request.uri().query().unwrap_or_default();
        let name = query.split("%22").nth(1).unwrap_or_default();
        Ok(Response::new(self.find(name).into()))
    }

    async fn create(&self, body: &[u8]) -> Vec<u8> {
        let mut person: Value = serde_json::from_slice(body).expect("JSON");
        let name = person["userName"].as_str().expect("a user name").to_owned();
        // The name begins with eight digits that scatter it.
        let id = format!("{name}-0000-4000-8000");
        person["id"] = id.as_str().into();
        let json = serde_json::to_vec(&person).expect("JSON");
        let (done, durable) = oneshot::channel();
        let answer = json.clone();
        let write = Write {
            id,
            name,
            json,
            done,
        };
        assert!(self.writes.send(write).await.is_ok(), "a writer");
        durable.await.expect("a commit");
        answer
    }

    fn find(&self, name: &str) -> Vec<u8> {
        let snapshot = self.store.begin_read().expect("a snapshot");
        let names = snapshot.open_table(NAMES).expect("a table");
        let id = names.get(name).expect("a row").expect("a person");
        let people = snapshot.open_table(PEOPLE).expect("a table");
        let json = people.get(id.value()).expect("a row").expect("a person");
        let person: Value = serde_json::from_slice(json.value()).expect("JSON");
        let list = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [person],
        });
        serde_json::to_vec(&list).expect("JSON")
    }
}
