//! Changes that are posted to a receiver: signed, in order, kept until somebody takes them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sidegate::crypto::hmac_sha256;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::support::{SOON, ScimClient, Sidegate};

const SECRET: &[u8] = b"twenty-four bytes or more";

/// A post as it arrived.
struct Post {
    headers: HeaderMap,
    body: Bytes,
}

/// Takes posts, and answers what it was told to, else 204.
struct Receiver {
    url: String,
    answers: Arc<Mutex<VecDeque<u16>>>,
    posts: UnboundedReceiver<Post>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let (arrived, posts) = unbounded_channel();
        let given = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (given, arrived) = (Arc::clone(&given), arrived.clone());
                let service =
                    service_fn(move |post| take(post, Arc::clone(&given), arrived.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            url,
            answers,
            posts,
        }
    }

    fn will_answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    async fn next(&mut self) -> Post {
        timeout(SOON * 2, self.posts.recv())
            .await
            .expect("no post")
            .unwrap()
    }

    fn settings(&self) -> String {
        let secret = STANDARD.encode(SECRET);
        format!(
            "[webhook]\nurl = \"{}\"\nsecret = \"whsec_{secret}\"\nattempts = 2\n",
            self.url
        )
    }
}

async fn take(
    post: Request<Incoming>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    arrived: UnboundedSender<Post>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = post.into_parts();
    let body = sidegate::web::read(body, 64 * 1024, SOON).await.unwrap();
    let status = answers.lock().unwrap().pop_front().unwrap_or(204);
    arrived
        .send(Post {
            headers: head.headers,
            body,
        })
        .unwrap();
    let answer = Response::builder()
        .status(status)
        .header("retry-after", "0");
    Ok(answer.body(Full::default()).unwrap())
}

impl Post {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Checks the signature as Standard Webhooks 1.0 says, and gives kind and data.
    fn read(&self) -> (String, Value) {
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let body = std::str::from_utf8(&self.body).unwrap();
        let signed = format!("{id}.{at}.{body}");
        let signature = STANDARD.encode(hmac_sha256(SECRET, signed.as_bytes()));
        assert_eq!(self.header("webhook-signature"), format!("v1,{signature}"));
        let message: Value = serde_json::from_str(body).unwrap();
        assert!(message["timestamp"].is_string());
        let kind = message["type"].as_str().unwrap();
        let row = format!("`{kind}`");
        assert!(
            include_str!("../../docs/WEBHOOKS.md").contains(&row),
            "{kind} is told nowhere"
        );
        (kind.to_owned(), message["data"].clone())
    }

    fn sequence(&self) -> u64 {
        let message: Value = serde_json::from_slice(&self.body).unwrap();
        message["sequence"].as_u64().unwrap()
    }
}

async fn gate(receiver: &Receiver) -> Sidegate {
    let settings = format!(
        "local.enabled = true\nlocal.bcrypt_cost = 4\n{}",
        receiver.settings()
    );
    Sidegate::start("http://127.0.0.1:9", &settings).await
}

fn person(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": true,
        "password": "canary-1234-canary", "displayName": name,
    })
}

fn replace(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

#[tokio::test]
async fn changes_are_told_signed_and_in_order() {
    let mut receiver = Receiver::start().await;
    let gate = gate(&receiver).await;
    let mut scim = ScimClient::new(&gate).await;
    // The first try is refused: what comes later of the same person waits behind it.
    receiver.will_answer(&[503]);
    let ada = scim.post("/Users", &person("ada")).await;
    assert_eq!(ada.status, 201, "{}", ada.text());
    let ada: Value = ada.json();
    let address = format!("/Users/{}", ada["id"].as_str().unwrap());
    assert_eq!(
        scim.patch(&address, replace("title", &json!("Countess")))
            .await
            .status,
        200
    );
    assert_eq!(
        scim.patch(&address, replace("active", &json!(false)))
            .await
            .status,
        200
    );
    assert_eq!(scim.delete(&address).await.status, 204);

    let (first, again) = (receiver.next().await, receiver.next().await);
    assert_eq!(
        first.header("webhook-id"),
        again.header("webhook-id"),
        "the same message"
    );
    assert_eq!(first.body, again.body);
    let (kind, data) = again.read();
    assert_eq!(
        (kind.as_str(), &data["userName"], &data["active"]),
        ("user.created", &json!("ada"), &json!(true))
    );
    let text = String::from_utf8_lossy(&first.body).into_owned();
    assert!(
        !text.contains("canary") && !text.contains("$2"),
        "R41: {text}"
    );
    let mut told = Vec::new();
    // Whoever is told something older later knows it by this; also when all before was taken.
    let mut last = first.sequence();
    for _ in 0..3 {
        let post = receiver.next().await;
        assert!(post.sequence() > last, "{} after {last}", post.sequence());
        last = post.sequence();
        let (kind, data) = post.read();
        assert_eq!(data["id"], ada["id"]);
        told.push((kind, data["title"].clone(), data["active"].clone()));
    }
    let told: Vec<_> = told
        .iter()
        .map(|(kind, title, active)| (kind.as_str(), title, active))
        .collect();
    let title = json!("Countess");
    assert_eq!(
        told,
        [
            ("user.changed", &title, &json!(true)),
            ("user.changed", &title, &json!(false)),
            ("user.deleted", &Value::Null, &Value::Null),
        ]
    );
}

#[tokio::test]
async fn what_nobody_takes_is_put_aside_and_can_be_posted_again() {
    let mut receiver = Receiver::start().await;
    let gate = gate(&receiver).await;
    let mut scim = ScimClient::new(&gate).await;
    receiver.will_answer(&[500, 500]);
    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "staff" });
    assert_eq!(scim.post("/Groups", &group).await.status, 201);
    let (_, _) = (receiver.next().await, receiver.next().await);
    // The receiver has answered; the note of it is on its way.
    let dead = async {
        loop {
            let dead = gate.operator("webhook dead --json").await;
            let dead: Vec<Value> = serde_json::from_str(&dead).unwrap();
            if !dead.is_empty() {
                break dead;
            }
        }
    };
    let dead = timeout(SOON, dead).await.expect("put aside");
    assert_eq!(dead[0]["why"], "answers 500");
    assert!(gate.operator("webhook queue").await.contains("nothing"));
    // Posted again, also after a restart.
    let gate = Sidegate::start_in(
        gate.stop(),
        "http://127.0.0.1:9",
        &format!("local.enabled = true\n{}", receiver.settings()),
    )
    .await;
    assert!(
        gate.operator("webhook retry")
            .await
            .contains("1 posted again")
    );
    let (kind, data) = receiver.next().await.read();
    assert_eq!(
        (kind.as_str(), &data["displayName"]),
        ("group.created", &json!("staff"))
    );
    assert!(gate.operator("webhook dead").await.contains("nothing"));
}
