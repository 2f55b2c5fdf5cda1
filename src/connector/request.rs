//! What is sent.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::Value;
use url::Url;

use super::AppFailure;
use super::render::{Context, Escapes, Within, written};
use super::wire::Wire;
use crate::config::{Body, BodyEncoding, Called, Template};
use crate::secret::Secret;

impl Wire {
    pub(super) fn address(
        &self,
        path: &Template,
        query: Option<&Template>,
        context: &Context<'_>,
    ) -> Result<Url, AppFailure> {
        let invalid = |why: Escapes| AppFailure::Invalid(why.to_string());
        let path = context.text(path, Within::Path).map_err(invalid)?;
        let base = self.api.base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{path}"))
            .map_err(|error| AppFailure::unreached(error.to_string()))?;
        if let Some(query) = query {
            let query = context.text(query, Within::Query).map_err(invalid)?;
            url.set_query(Some(&query));
        }
        Ok(url)
    }

    /// What would be sent.
    pub(super) fn request(
        &self,
        called: &Called,
        body: Option<&Body>,
        token: Option<&Secret>,
        context: &Context<'_>,
    ) -> Result<Request<Bytes>, AppFailure> {
        match (called, &self.api.endpoint) {
            (
                Called::Http {
                    method,
                    path,
                    query,
                },
                _,
            ) => {
                let url = self.address(path, query.as_ref(), context)?;
                let context = with_token(context, token);
                let body = body.and_then(|body| context.body(body));
                self.bare(method, &url, (body, self.api.encoding), token, &context)
            }
            (Called::Procedure(name), Some(endpoint)) => {
                let Called::Http {
                    method,
                    path,
                    query,
                } = &endpoint.called
                else {
                    return Err(AppFailure::Cannot("call procedures"));
                };
                let url = self.address(path, query.as_ref(), context)?;
                let context = with_token(context, token);
                let params = body.and_then(|body| context.body(body));
                let params = params.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
                let context = context.with("call", name.as_str()).with("body", params);
                let body = context.body(&endpoint.envelope);
                self.bare(method, &url, (body, self.api.encoding), token, &context)
            }
            (Called::Procedure(_), None) => Err(AppFailure::Cannot("call procedures")),
        }
    }

    /// With the headers of every call; without a token those that hold one are left out.
    pub(super) fn bare(
        &self,
        method: &Method,
        url: &Url,
        (body, encoding): (Option<Value>, BodyEncoding),
        token: Option<&Secret>,
        context: &Context<'_>,
    ) -> Result<Request<Bytes>, AppFailure> {
        let unreached = |error: http::Error| AppFailure::unreached(error.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Bytes::new())
            .map_err(unreached)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let context = with_token(context, token);
        for (name, template) in &self.api.headers {
            if token.is_none() && template.has("token") {
                continue;
            }
            let text = context.text(template, Within::Text).unwrap_or_default();
            let value = HeaderValue::from_str(&text);
            headers.insert(
                name,
                value.map_err(|error| AppFailure::unreached(format!("{name}: {error}")))?,
            );
        }
        if let Some(body) = body {
            let own = self.api.content_type.clone();
            let own = own.filter(|_| encoding == self.api.encoding);
            headers.insert(CONTENT_TYPE, own.unwrap_or_else(|| content_type(encoding)));
            *request.body_mut() = encoded(&body, encoding);
        }
        Ok(request)
    }
}

fn with_token<'a>(context: &Context<'a>, token: Option<&Secret>) -> Context<'a> {
    match token {
        Some(token) => context.clone().with("token", token.expose()),
        None => context.clone(),
    }
}

fn content_type(encoding: BodyEncoding) -> HeaderValue {
    HeaderValue::from_static(match encoding {
        BodyEncoding::Json => "application/json",
        BodyEncoding::Form => "application/x-www-form-urlencoded",
    })
}

fn encoded(body: &Value, encoding: BodyEncoding) -> Bytes {
    match (encoding, body) {
        (BodyEncoding::Form, Value::Object(members)) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in members {
                let one = std::slice::from_ref(value);
                for item in value.as_array().map_or(one, Vec::as_slice) {
                    form.append_pair(name, &written(item));
                }
            }
            form.finish().into()
        }
        (BodyEncoding::Json | BodyEncoding::Form, body) => body.to_string().into(),
    }
}
