//! How we read what a client sent, and what can be done about a refusal: for the operator.

use serde_json::Value;

use super::exchanges::Exchange;
use super::patch::{self, Operation};
use super::route::{Kind, Route, route};
use super::{Scim, query::Query};

/// Lines of one reading, at most.
const MAX_LINES: usize = 50;
/// Longest value in a line, bytes.
const MAX_VALUE: usize = 200;

impl Scim {
    /// One line for each operation of a PATCH, for the filter of a list, for what a POST or PUT sets.
    pub fn reading(&self, exchange: &Exchange) -> Vec<String> {
        let (path, query) = exchange
            .target
            .split_once('?')
            .unwrap_or((&exchange.target, ""));
        let (_tenant, route) = route(path);
        let mut lines = match (&route, exchange.method.as_str(), &exchange.body) {
            (Route::One(kind, _), "PATCH", Some(body)) => self.operations(*kind, body),
            (_, "POST" | "PUT", Some(Value::Object(body))) => body
                .iter()
                .map(|(name, value)| format!("{name} = {}", short(value)))
                .collect(),
            (Route::All(_), "GET", _) => filter(query).into_iter().collect(),
            _ => Vec::new(),
        };
        lines.truncate(MAX_LINES);
        lines
    }

    fn operations(&self, kind: Kind, body: &Value) -> Vec<String> {
        match patch::parse(body, kind.of(&self.schemas)) {
            Ok(operations) => operations.iter().map(line).collect(),
            Err(_told_already) => Vec::new(),
        }
    }
}

impl Exchange {
    /// What can be done about it, where experience knows (`docs/LOG.md`).
    pub fn hint(&self) -> Option<&'static str> {
        let refusal = self.refusal.as_deref()?;
        let doubled = self.target.to_ascii_lowercase();
        match self.status {
            401 | 404 if doubled.contains("/scim/") || doubled.matches("/users").count() > 1 => {
                Some(
                    "the Tenant URL ends in /scim/v2 or /scim/v2/{tenant}: without /Users, and with /scim/v2 once",
                )
            }
            401 if refusal.ends_with("is revoked") => Some(
                "the idp still has a revoked token: `sidegate token create` makes another to paste as Secret Token",
            ),
            401 if refusal.ends_with(" has expired") && !refusal.ends_with("nor has expired") => {
                Some(
                    "the token has expired: `sidegate token create` makes another to paste as Secret Token",
                )
            }
            401 => Some(
                "the Secret Token is not one of this tenant: paste all of it; `sidegate token list` shows which were used when",
            ),
            403 if refusal.contains("max_deactivations") => Some(
                "the fuse has blown: look whether the idp means it, then `sidegate scim reset-fuse`",
            ),
            403 => Some("scim.allowed_networks does not hold the client's network"),
            400 if refusal.contains("is not a role here") => Some(
                "the value is not in roles.allowed (or not in the token's list): change the mapping in the idp, or add the role",
            ),
            400 if refusal.contains("its domain is not") => Some(
                "the domain is not in tenant.domains: add it, or take the person out of the assignment",
            ),
            400 if refusal.contains("gives no role here") => Some(
                "groups.accept = \"mapped\": map the group in [roles.groups], or do not assign it",
            ),
            400 if refusal.starts_with("tooMany") => Some(
                "the filter has no index: match by userName, externalId, id or emails in the idp",
            ),
            400 => Some(
                "what the idp sends does not fit: see the attribute that is named, in the idp's mapping",
            ),
            409 => Some(
                "another record has this name: `sidegate user show NAME` says who manages it; provisioning.adopt says what happens",
            ),
            429 => Some("more requests than scim.rate, or too many with a wrong token"),
            503 if refusal.contains("paused") => {
                Some("provisioning is paused: `sidegate scim resume`")
            }
            _ => None,
        }
    }
}

fn line(operation: &Operation) -> String {
    match operation {
        Operation::Add(target, value) => format!("add {target} = {}", short(value)),
        Operation::Replace(target, value) => format!("replace {target} = {}", short(value)),
        Operation::Remove(target, None) => format!("remove {target}"),
        Operation::Remove(target, Some(values)) => {
            let values = short(&Value::from(values.clone()));
            format!("remove from {target}: {values}")
        }
    }
}

fn filter(query: &str) -> Option<String> {
    let text = Query::of_url(query).ok()?.filter?;
    let filter: super::filter::Filter = text.parse().ok()?;
    Some(format!("filter {filter}"))
}

fn short(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > MAX_VALUE {
        text.truncate(text.floor_char_boundary(MAX_VALUE));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_doubled_address_is_told_before_the_token_is_blamed() {
        for (status, target, url) in [
            (401, "/scim/v2/Users", true),
            (404, "/Users/Users", true),
            (401, "/Users", false),
        ] {
            let exchange = Exchange {
                at: Timestamp::from_secs(0),
                token: None,
                client: None,
                tenant: None,
                method: "GET".to_owned(),
                target: target.to_owned(),
                status,
                body: None,
                subject: None,
                refusal: Some("the token is not valid".to_owned()),
                request_id: String::new(),
                activity_id: None,
            };
            let hint = exchange.hint().unwrap();
            assert_eq!(hint.starts_with("the Tenant URL"), url, "{status} {target}");
        }
    }
}
