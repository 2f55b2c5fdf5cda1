//! An app with a user API, in memory, for `benches/run connector`: what calls of it cost at least.
//!
//! ```text
//! users ADDR      POST /users, GET /users?name=NAME, GET, PATCH and DELETE /users/ID
//! ```

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};

#[derive(Default)]
struct Users {
    by_id: papaya::HashMap<u64, Value>,
    by_name: papaya::HashMap<String, u64>,
    last: AtomicU64,
}

fn main() {
    let address = std::env::args().nth(1).expect("usage: users ADDR");
    let users = Arc::<Users>::default();
    bare::per_core(
        address.parse().expect("an address"),
        move |stream, _peer| {
            let users = Arc::clone(&users);
            async move {
                let _small = stream.set_nodelay(true);
                let service = service_fn(move |request| answer(Arc::clone(&users), request));
                let _gone = Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        },
    );
}

async fn answer(
    users: Arc<Users>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|it| it.to_bytes())
        .unwrap_or_default();
    let given: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let id = head
        .uri
        .path()
        .strip_prefix("/users/")
        .and_then(|id| id.parse().ok());
    let (status, document) = users.does(&head.method, id, head.uri.query(), given);
    let mut response = Response::new(Full::new(Bytes::from(document.to_string())));
    *response.status_mut() = status;
    Ok(response)
}

impl Users {
    fn does(
        &self,
        method: &Method,
        id: Option<u64>,
        query: Option<&str>,
        given: Map<String, Value>,
    ) -> (StatusCode, Value) {
        let (by_id, by_name) = (self.by_id.pin(), self.by_name.pin());
        let missing = || (StatusCode::NOT_FOUND, json!({ "error": "no such user" }));
        match (method.as_str(), id) {
            ("POST", _) => {
                let name = given["name"].as_str().unwrap_or_default().to_owned();
                if by_name.contains_key(&name) {
                    return (StatusCode::CONFLICT, json!({ "error": "name is taken" }));
                }
                let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
                let mut user = given;
                user.insert("id".to_owned(), id.into());
                by_name.insert(name, id);
                by_id.insert(id, Value::Object(user.clone()));
                (StatusCode::CREATED, user.into())
            }
            ("GET", None) => {
                let name = query
                    .and_then(|query| query.strip_prefix("name="))
                    .unwrap_or_default();
                let name = name.replace("%40", "@");
                let found = by_name.get(&name).and_then(|id| by_id.get(id)).cloned();
                (StatusCode::OK, Value::Array(found.into_iter().collect()))
            }
            ("GET", Some(id)) => by_id
                .get(&id)
                .map_or_else(missing, |user| (StatusCode::OK, user.clone())),
            ("PATCH", Some(id)) => {
                let Some(user) = by_id.get(&id) else {
                    return missing();
                };
                let mut user = user.clone();
                for (key, value) in given {
                    user[key.as_str()] = value;
                }
                by_id.insert(id, user.clone());
                (StatusCode::OK, user)
            }
            ("DELETE", Some(id)) => match by_id.remove(&id) {
                Some(user) => {
                    by_name.remove(user["name"].as_str().unwrap_or_default());
                    (StatusCode::NO_CONTENT, Value::Null)
                }
                None => missing(),
            },
            _ => missing(),
        }
    }
}
