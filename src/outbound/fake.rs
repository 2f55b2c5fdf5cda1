//! For tests: a server on a real socket that answers what it was told to.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::crypto::fake::Signer;

/// What one path answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(Value),
    JsonAs(u16, Value),
    Status(u16),
    RedirectTo(String),
    Bytes(usize),
}

/// The server.
pub(crate) struct FakeServer {
    pub(crate) url: String,
    pub(crate) plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) answers: HashMap<String, Answer>,
    pub(crate) hits: HashMap<String, usize>,
    pub(crate) token_form: String,
    pub(crate) authorization: Option<String>,
}

impl FakeServer {
    /// Listens.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(Plan::default()));
        let served = plan.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = served.clone();
                let service = service_fn(move |request| answer(plan.clone(), request));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { url, plan }
    }

    pub(crate) fn set(&self, path: &str, answer: Answer) {
        let mut plan = self.plan.lock().unwrap();
        plan.answers.insert(path.to_owned(), answer);
    }

    pub(crate) fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        self.set("/jwks", Answer::Json(json!({ "keys": keys })));
    }

    pub(crate) fn hits(&self, path: &str) -> usize {
        let plan = self.plan.lock().unwrap();
        plan.hits.get(path).copied().unwrap_or_default()
    }
}

async fn answer(
    plan: Arc<Mutex<Plan>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get("authorization").cloned();
    let body = crate::web::read(request.into_body(), 65_536, Duration::from_secs(5)).await;
    let chosen = {
        let mut plan = plan.lock().unwrap();
        let hits = plan.hits.entry(path.clone()).or_default();
        *hits = hits.saturating_add(1);
        if path == "/token" {
            plan.token_form = String::from_utf8(body.unwrap().to_vec()).unwrap();
            plan.authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        }
        plan.answers.get(&path).cloned()
    };
    let mut response = Response::new(Full::default());
    match chosen.unwrap_or(Answer::Status(404)) {
        Answer::Json(value) => fill(&mut response, &value),
        Answer::JsonAs(status, value) => {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            fill(&mut response, &value);
        }
        Answer::Status(status) => *response.status_mut() = StatusCode::from_u16(status).unwrap(),
        Answer::RedirectTo(location) => {
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert("location", location.parse().unwrap());
        }
        Answer::Bytes(size) => *response.body_mut() = Full::new(vec![b'['; size].into()),
    }
    Ok(response)
}

fn fill(response: &mut Response<Full<Bytes>>, value: &Value) {
    *response.body_mut() = Full::new(value.to_string().into());
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
}
