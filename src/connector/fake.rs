//! For tests: an API that answers what it was told to, and connectors pointed at it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::{Attributes, Connector};
use crate::config;

type Reply = Response<Full<bytes::Bytes>>;

/// What it knows of users, as most APIs have it.
pub(super) const USERS: &str = r#"
[api]
base = "{url}/api"
[users]
active = "none"
[users.fields]
login = "userName"
mail = "emails.value"
[users.list]
call = "GET /users"
[users.get]
call = "GET /users/{id}"
"#;

/// A status, headers and a body.
#[derive(Clone, Debug)]
pub(super) struct Said(
    pub(super) u16,
    pub(super) Vec<(&'static str, String)>,
    pub(super) String,
);

#[derive(Debug, Default)]
struct Plan {
    answers: BTreeMap<String, Said>,
    seen: Vec<String>,
}

/// The API.
pub(super) struct FakeApi {
    pub(super) url: String,
    plan: Arc<Mutex<Plan>>,
}

impl FakeApi {
    /// Listens; whatever it was not told is 404.
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(Plan::default()));
        let served = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let plan = Arc::clone(&served);
                let service = service_fn(move |request| answer(Arc::clone(&plan), request));
                let stream = TokioIo::new(stream);
                tokio::spawn(http1::Builder::new().serve_connection(stream, service));
            }
        });
        Self { url, plan }
    }

    /// `METHOD /path?query` is answered so; `{url}` is where it is.
    pub(super) fn says(&self, call: &str, body: &str) {
        self.says_all(call, Said(200, Vec::new(), body.to_owned()));
    }

    /// The same with status and headers.
    pub(super) fn says_all(&self, call: &str, said: Said) {
        let Said(status, headers, body) = said;
        let here = |text: &str| text.replace("{url}", &self.url);
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name, here(&value)));
        let said = Said(status, headers.collect(), here(&body));
        let mut plan = self.plan.lock().unwrap();
        plan.answers.insert(call.to_owned(), said);
    }

    /// Calls so far: `METHOD /path?query body`.
    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.plan.lock().unwrap().seen)
    }

    /// A connector to it; `{url}` is where it is.
    pub(super) fn connector(&self, text: &str) -> Connector {
        connector(&text.replace("{url}", &self.url))
    }
}

/// A connector of this text, for requests that are not sent where it has `{url}`.
pub(super) fn connector(text: &str) -> Connector {
    let text = text.replace("{url}", "http://127.0.0.1:9");
    let settings = config::Connector::from_text(&text, None, None);
    Connector::new(settings.unwrap_or_else(|error| panic!("{error}\n{text}"))).unwrap()
}

/// Attributes of texts.
pub(super) fn given(pairs: &[(&str, &str)]) -> Attributes {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
    pairs.iter().map(own).collect()
}

async fn answer(plan: Arc<Mutex<Plan>>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let call = format!("{} {}", request.method(), request.uri());
    let body = crate::web::read(request.into_body(), 65_536, Duration::from_secs(5)).await;
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    let mut plan = plan.lock().unwrap();
    plan.seen
        .push(format!("{call} {body}").trim_end().to_owned());
    let Said(status, headers, body) = match plan.answers.get(&call) {
        Some(said) => said.clone(),
        None => Said(404, Vec::new(), "{}".to_owned()),
    };
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        reply.headers_mut().append(name, value.parse().unwrap());
    }
    Ok(reply)
}
