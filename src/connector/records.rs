//! People, or groups, of the app: read, found, made, changed, removed. Every look-up is checked again here, and what
//! was written is read back: apps ignore filters, search for pieces, and say yes to what they do not do.

use serde_json::{Map, Value};

use super::AppFailure;
use super::map::{self, When};
use super::pages;
use super::render::{Attributes, Context};
use super::wire::Wire;
use crate::config::{Active, Kind, Listing, NewId, Operation, Pointer, Send};
use crate::identity::fold;
use crate::secret::Secret;

/// A record of the app.
#[derive(Clone, Debug)]
pub struct Found {
    /// What the app calls it.
    pub id: String,
    /// What it holds, as far as it is mapped.
    pub attributes: Attributes,
    /// All of it; stays in here.
    pub(super) record: Value,
}

/// All records of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'a> {
    pub(super) wire: &'a Wire,
    pub(super) kind: &'a Kind,
    /// Of users: how they are active.
    pub(super) active: Option<&'a Active>,
}

impl Records<'_> {
    /// A record with its id, or an error: without one nothing can be done with it.
    pub(super) fn found(&self, record: Value) -> Result<Found, AppFailure> {
        let id = self.kind.id.of(&record).and_then(id_of);
        let name = self.kind.name;
        let id = id
            .ok_or_else(|| AppFailure::odd(format!("one of its {name} has no id where id says")))?;
        let attributes = map::to_scim(self.kind, self.active, &record);
        Ok(Found {
            id,
            attributes,
            record,
        })
    }

    /// One by the app's id; none when there is none.
    pub(super) async fn get(&self, id: &str) -> Result<Option<Found>, AppFailure> {
        let Some((operation, item)) = &self.kind.get else {
            // A list whose records are thin would ask here again.
            let all = Box::pin(self.list()).await?;
            return Ok(all.into_iter().find(|found| found.id == id));
        };
        let reply = match self
            .wire
            .run(operation, &Context::default().with("id", id))
            .await
        {
            Err(AppFailure::Missing) => return Ok(None),
            reply => reply?,
        };
        let Some(record) = one(operation, item, &reply.document)? else {
            return Ok(None);
        };
        let mut record = record.clone();
        // APIs that leave the id out of the record were asked for this one.
        let told = self.kind.id.of(&record);
        if !told.is_some_and(|id| id.is_string() || id.is_number()) {
            let attributes = map::to_scim(self.kind, self.active, &record);
            return Ok(Some(Found {
                id: id.to_owned(),
                attributes,
                record: record.take(),
            }));
        }
        let found = self.found(record)?;
        // Where the id is a name, some answer a name in other letters with the one they hold.
        if fold(&found.id) == fold(id) {
            return Ok(Some(found));
        }
        let other = found.id;
        Err(AppFailure::odd(format!("asked for {id}, it gives {other}")))
    }

    /// Everybody.
    pub(super) async fn list(&self) -> Result<Vec<Found>, AppFailure> {
        match self.all(&self.kind.list, &Context::default()).await {
            // A list is never missing: its API is not where it was.
            Err(AppFailure::Missing) => Err(AppFailure::odd(pages::NO_LIST)),
            listed => listed,
        }
    }

    pub(super) async fn all(
        &self,
        listing: &Listing,
        context: &Context<'_>,
    ) -> Result<Vec<Found>, AppFailure> {
        let mut all = Vec::new();
        for item in pages::items(self.wire, listing, context).await? {
            all.extend(self.whole(&item, listing.thin).await?);
        }
        Ok(all)
    }

    async fn whole(&self, item: &Value, thin: bool) -> Result<Option<Found>, AppFailure> {
        let found = self.found(item.clone())?;
        if thin {
            // Who is gone between the list and this is no error.
            return self.get(&found.id).await;
        }
        Ok(Some(found))
    }

    /// Makes one. Gives what the app calls it, as soon as the app has said so, or has it.
    pub(super) async fn create(
        &self,
        attributes: &Attributes,
        password: Option<&Secret>,
    ) -> Result<String, AppFailure> {
        let (operation, new_id) = self
            .kind
            .create
            .as_ref()
            .ok_or(AppFailure::Cannot("make this"))?;
        let mut context = Context::default().of(attributes);
        if let Some(password) = password {
            context = context.with("password", password.expose());
        }
        let fields = map::to_app(self.kind, attributes, When::Create, &context);
        let reply = self.wire.run(operation, &context.fields(&fields)).await?;
        let id = match new_id {
            None => return self.just_made(attributes).await,
            Some(NewId::At(at)) => at.of(&reply.document).and_then(id_of),
            Some(NewId::Header(name)) => reply.headers.get(name).and_then(|value| {
                let path = value.to_str().ok()?.trim_end_matches('/');
                let last = path.rsplit('/').next()?;
                Some(
                    percent_encoding::percent_decode_str(last)
                        .decode_utf8_lossy()
                        .into_owned(),
                )
            }),
        };
        let id = id.filter(|id| !id.is_empty());
        id.ok_or_else(|| AppFailure::odd(super::known::NO_ID))
    }

    /// Makes the app's record hold these attributes, by as few calls as there are differences. Others stay.
    pub(super) async fn update(
        &self,
        found: &Found,
        wanted: &Attributes,
    ) -> Result<(), AppFailure> {
        let changed = self.differences(found, wanted);
        if changed.is_empty() {
            return Ok(());
        }
        let update = self
            .kind
            .update
            .as_ref()
            .ok_or(AppFailure::Cannot("change this"))?;
        let mut all = found.attributes.clone();
        all.extend(wanted.clone());
        let context = Context::default().of(&all).with("id", found.id.as_str());
        if update.each {
            for field in map::fields_of(self.kind, &changed) {
                let fields = map::to_app(self.kind, &changed, When::Update, &context);
                let Some(value) = super::render::within(&fields, &field.name).cloned() else {
                    continue;
                };
                let context = context
                    .clone()
                    .with("field", field.name.as_str())
                    .with("value", value);
                self.wire.run(&update.operation, &context).await?;
            }
            return Ok(());
        }
        let sent = match &update.send {
            Send::Changed => &changed,
            Send::All | Send::Current(_) => &all,
        };
        let mut fields = map::to_app(self.kind, sent, When::Update, &context);
        keep_current(&update.send, found, &mut fields);
        let names: Vec<_> = map::fields_of(self.kind, &changed)
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        let context = context.with("changed", names.join(",")).fields(&fields);
        self.wire.run(&update.operation, &context).await.map(drop)
    }

    /// Writes these fields, which need a password; with them what an update of the app always has to hold.
    pub(super) async fn write(
        &self,
        found: &Found,
        names: &[&str],
        password: &Secret,
    ) -> Result<(), AppFailure> {
        let update = self.kind.update.as_ref();
        let update = update.ok_or(AppFailure::Cannot("change this"))?;
        let context = Context::default()
            .of(&found.attributes)
            .with("id", found.id.as_str())
            .with("password", password.expose());
        let all = map::to_app(self.kind, &found.attributes, When::Update, &context);
        if update.each {
            for name in names {
                let Some(value) = super::render::within(&all, name).cloned() else {
                    continue;
                };
                let context = context.clone().with("field", *name).with("value", value);
                self.wire.run(&update.operation, &context).await?;
            }
            return Ok(());
        }
        let mut fields = match update.send {
            Send::All | Send::Current(_) => all,
            Send::Changed => {
                let mut only = Map::new();
                for name in names {
                    if let Some(value) = super::render::within(&all, name) {
                        super::render::put(&mut only, name, value.clone());
                    }
                }
                only
            }
        };
        keep_current(&update.send, found, &mut fields);
        let context = context.with("changed", names.join(",")).fields(&fields);
        self.wire.run(&update.operation, &context).await.map(drop)
    }

    /// Wanted attributes that the app's record does not hold.
    pub(super) fn differences(&self, found: &Found, wanted: &Attributes) -> Attributes {
        let differs = |(name, value): &(&String, &Value)| {
            map::is_written(self.kind, name)
                && !map::same(self.kind, name, found.attributes.get(*name), value)
        };
        wanted
            .iter()
            .filter(differs)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Removes one; who is not there is removed.
    pub(super) async fn delete(&self, id: &str) -> Result<(), AppFailure> {
        let operation = self
            .kind
            .delete
            .as_ref()
            .ok_or(AppFailure::Cannot("delete this"))?;
        match self
            .wire
            .run(operation, &Context::default().with("id", id))
            .await
        {
            Ok(_) | Err(AppFailure::Missing) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// What a change has to carry along of the app's own record.
fn keep_current(send: &Send, found: &Found, fields: &mut Map<String, Value>) {
    let (Send::Current(keep), Some(held)) = (send, found.record.as_object()) else {
        return;
    };
    for key in keep {
        if let Some(value) = held.get(key) {
            fields.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }
}

/// An id as a text. A number with more digits than 64 bits hold was rounded when it was read: two people might share it.
fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// The one object of an answer, or none. An answer that has no place for it is not its API's: an ended session, an error.
pub(super) fn one<'a>(
    operation: &Operation,
    item: &Pointer,
    document: &'a Value,
) -> Result<Option<&'a Value>, AppFailure> {
    match item.of(document) {
        Some(record) => Ok(Some(record).filter(|record| !is_empty(record))),
        None if is_empty(document) || item.is_past_end(document) => Ok(None),
        None => {
            let name = &operation.name;
            let why = format!("{name} gives nothing where item says");
            Err(AppFailure::odd(why))
        }
    }
}

pub(super) fn is_empty(record: &Value) -> bool {
    match record {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => false,
    }
}
