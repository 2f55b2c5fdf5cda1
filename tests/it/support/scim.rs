//! A SCIM client: what an identity provider sends when it is pointed at us.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, Method};
use serde_json::{Value, json};

use super::{Answer, Client, Sidegate};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A client with a token, pointed at one tenant.
pub struct ScimClient {
    client: Client,
    base: String,
    token: String,
}

impl ScimClient {
    /// Of the tenant `default`, with a token that an operator has just made.
    pub async fn new(gate: &Sidegate) -> Self {
        Self::of(gate, "default").await
    }

    /// Of this tenant.
    pub async fn of(gate: &Sidegate, tenant: &str) -> Self {
        let line = format!("token create --tenant {tenant} --name idp");
        let token = Self::make_token(gate, &line).await;
        Self::with(gate, tenant, &token)
    }

    /// With this token.
    pub fn with(gate: &Sidegate, tenant: &str, token: &str) -> Self {
        Self::at(gate.program(), tenant, token)
    }

    /// By this client.
    pub fn at(mut client: Client, tenant: &str, token: &str) -> Self {
        client.headers = vec![
            (ACCEPT, "application/scim+json".to_owned()),
            (AUTHORIZATION, format!("Bearer {token}")),
        ];
        let base = match tenant {
            "default" => "/scim/v2".to_owned(),
            tenant => format!("/scim/v2/{tenant}"),
        };
        Self {
            client,
            base,
            token: token.to_owned(),
        }
    }

    /// Makes a token by this command line.
    pub async fn make_token(gate: &Sidegate, line: &str) -> String {
        Self::read_token(&gate.operator(line).await)
    }

    /// The token in what a command printed.
    pub fn read_token(shown: &str) -> String {
        let mut words = shown.split_whitespace();
        let token = words.find(|word| word.starts_with("sgt_"));
        token
            .unwrap_or_else(|| panic!("no token: {shown}"))
            .to_owned()
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Id and secret, as an OAuth client or for Basic.
    pub fn id_and_secret(&self) -> (&str, &str) {
        let parts = self.token.trim_start_matches("sgt_");
        parts.split_once('_').unwrap()
    }

    /// Another `Authorization`; none sends none.
    pub fn authorize(&mut self, value: Option<&str>) {
        self.client
            .headers
            .retain(|(name, _)| *name != AUTHORIZATION);
        let value = value.map(|value| (AUTHORIZATION, value.to_owned()));
        self.client.headers.extend(value);
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.write(Method::POST, path, body).await
    }

    pub async fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.write(Method::PUT, path, body).await
    }

    /// These operations in one PATCH.
    pub async fn patch(&mut self, path: &str, operations: Value) -> Answer {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        self.write(Method::PATCH, path, &body).await
    }

    async fn write(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let kind = [(CONTENT_TYPE, "application/scim+json")];
        self.send(method, path, &kind, &body.to_string()).await
    }

    /// The same against a server that may be killed meanwhile.
    pub async fn try_send(&mut self, method: Method, path: &str, body: &Value) -> Option<Answer> {
        let target = format!("{}{path}", self.base);
        let kind = [(CONTENT_TYPE, "application/scim+json")];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.client.try_send(method, &target, &kind, &body).await
    }

    /// Anything, below the base.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Answer {
        let target = format!("{}{path}", self.base);
        self.client.send(method, &target, headers, body).await
    }

    /// Makes a person and gives the id.
    pub async fn person(&mut self, name: &str) -> String {
        self.made("/Users", &user(name)).await
    }

    /// Makes a group of these people and gives its id.
    pub async fn group(&mut self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        let group = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        self.made("/Groups", &group).await
    }

    /// Makes a resource and gives its id.
    pub async fn made(&mut self, path: &str, body: &Value) -> String {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let resource: Value = answer.json();
        resource["id"].as_str().unwrap().to_owned()
    }

    /// Lets a person in or shuts them out, as Entra ID says it by default: the flag is a text.
    pub async fn set_active(&mut self, id: &str, active: &str) {
        let operation = json!([{ "op": "Replace", "path": "active", "value": active }]);
        let answer = self.patch(&format!("/Users/{id}"), operation).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Adds a member to a group, or removes one.
    pub async fn member(&mut self, op: &str, group: &str, person: &str) {
        let operation = json!([{ "op": op, "path": "members", "value": [{ "value": person }] }]);
        let answer = self.patch(&format!("/Groups/{group}"), operation).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// What a list with this filter holds.
    pub async fn find(&mut self, path: &str, filter: &str) -> Vec<Value> {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let answer = self.get(&format!("{path}?filter={filter}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let list: Value = answer.json();
        let found = list["Resources"].as_array().cloned().unwrap_or_default();
        assert_eq!(list["totalResults"], found.len(), "{list}");
        found
    }
}

/// A person as Entra ID makes one.
pub fn user(name: &str) -> Value {
    let email = if name.contains('@') {
        name.to_owned()
    } else {
        format!("{name}@example.com")
    };
    json!({
        "schemas": [USER],
        "userName": name,
        "externalId": format!("ext-{name}"),
        "displayName": format!("Display of {name}"),
        "active": true,
        "emails": [{ "type": "work", "primary": true, "value": email }],
        "meta": { "resourceType": "User" },
        "roles": [],
    })
}
