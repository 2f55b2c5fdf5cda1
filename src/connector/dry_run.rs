//! What would be sent, without sending it.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::map::{self, When};
use super::render::{Attributes, Context};
use super::{AppFailure, Connector};
use crate::config::{Find, Kind, Members, Mode, Operation};
use crate::secret::Secret;

/// Why there is no request to show.
#[derive(Debug, thiserror::Error)]
pub enum Unshown {
    /// The connector has no operation of this name.
    #[error("there is no operation {name:?}; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The request cannot be built of these values.
    #[error(transparent)]
    Unbuilt(#[from] AppFailure),
}

impl Connector {
    /// Names of the operations that this connector has.
    pub fn operations(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .all_operations()
            .into_iter()
            .map(|operation| operation.name.clone())
            .collect();
        names.dedup();
        names
    }

    /// The requests of an operation for these values, line by line; secrets are shown as dots. `id`, `value`, `user`,
    /// `group` and attributes are taken from `given`.
    ///
    /// # Errors
    ///
    /// There is no such operation, or its request cannot be built of these values.
    pub fn dry_run(&self, name: &str, given: &Attributes) -> Result<Vec<String>, Unshown> {
        let found = self.named(name);
        if found.is_empty() {
            return Err(Unshown::Unknown {
                name: name.to_owned(),
                known: self.operations().join(", "),
            });
        }
        let mut lines = Vec::new();
        let when = if name.ends_with(".create") {
            When::Create
        } else {
            When::Update
        };
        let kind = match (&self.groups, name.starts_with("groups.")) {
            (Some(groups), true) => &groups.kind,
            _ => &self.users.kind,
        };
        let mut context = Context::default()
            .masked()
            .of(given)
            .with("limit", 100)
            .with("offset", 0)
            .with("page", 1);
        for word in [
            "id", "value", "user", "group", "users", "groups", "field", "changed", "password",
        ] {
            if let Some(value) = given.get(word) {
                context = context.with(word, value.clone());
            }
        }
        let fields = map::to_app(kind, given, when, &context);
        let context = context.fields(&fields);
        let token = self.wire.api.login.is_some().then(|| Secret::new("…"));
        for operation in found {
            for called in &operation.calls {
                let request =
                    self.wire
                        .request(called, operation.body.as_ref(), token.as_ref(), &context)?;
                lines.extend(shown(&request));
            }
        }
        Ok(lines)
    }

    /// Operations of this name; `users.find.userName` is one of those called `users.find`.
    fn named(&self, name: &str) -> Vec<&Operation> {
        for kind in self.kinds() {
            let rest = name.strip_prefix(kind.name);
            let attribute = rest.and_then(|rest| rest.strip_prefix(".find."));
            if let Some(find) = attribute.and_then(|attribute| kind.find.get(attribute)) {
                return vec![operation_of(find)];
            }
        }
        let mut all = self.all_operations();
        all.retain(|operation| operation.name == name);
        all
    }

    fn kinds(&self) -> impl Iterator<Item = &Kind> {
        let groups = self.groups.iter().map(|groups| &groups.kind);
        std::iter::once(&self.users.kind).chain(groups)
    }

    fn all_operations(&self) -> Vec<&Operation> {
        let mut all = Vec::new();
        if let Some(login) = &self.wire.api.login {
            all.push(&login.operation);
        }
        for kind in self.kinds() {
            all.push(&kind.list.operation);
            all.extend(kind.find.values().map(operation_of));
            all.extend(kind.get.iter().map(|(operation, _)| operation));
            all.extend(kind.create.iter().map(|(operation, _)| operation));
            all.extend(kind.update.iter().map(|update| &update.operation));
            all.extend(&kind.delete);
        }
        if let crate::config::Active::Calls(activate, deactivate) = &self.users.active {
            all.extend([activate, deactivate]);
        }
        let members = self
            .groups
            .as_ref()
            .and_then(|groups| groups.members.as_ref());
        all.extend(members.into_iter().flat_map(of_members));
        all
    }
}

const fn operation_of(find: &Find) -> &Operation {
    match find {
        Find::One(operation, _) => operation,
        Find::Many(listing) => &listing.operation,
    }
}

fn of_members(members: &Members) -> Vec<&Operation> {
    match &members.mode {
        Mode::Calls { list, add, remove } => list
            .iter()
            .map(|listing| &listing.operation)
            .chain([add, remove])
            .collect(),
        Mode::GroupField(set) | Mode::UserField(set) => vec![set],
    }
}

fn shown(request: &Request<Bytes>) -> Vec<String> {
    let mut lines = vec![format!("{} {}", request.method(), request.uri())];
    for (name, value) in request.headers() {
        lines.push(format!(
            "{name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        ));
    }
    if !request.body().is_empty() {
        let text = String::from_utf8_lossy(request.body()).into_owned();
        let pretty = serde_json::from_str::<Value>(&text)
            .and_then(|body| serde_json::to_string_pretty(&body));
        lines.push(String::new());
        lines.extend(pretty.unwrap_or(text).lines().map(str::to_owned));
    }
    lines
}
