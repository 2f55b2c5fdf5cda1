//! Records of the app looked for by what they hold, and not by their id.

use super::AppFailure;
use super::holds::Looks;
use super::known::key_of;
use super::records::{Found, Records, one};
use super::render::{Attributes, Context, written};
use crate::config::Find;
use crate::identity::fold;

impl Records<'_> {
    /// The one record whose attribute is this: without case, and the exact one before others.
    pub(super) async fn find(
        &self,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Found>, AppFailure> {
        let Some(field) = self.kind.field(attribute) else {
            return Ok(None);
        };
        let asked = if field.lower {
            value.to_lowercase()
        } else {
            value.to_owned()
        };
        let candidates = self.candidates(attribute, &asked).await?;
        self.check_told(attribute, value, &candidates)?;
        let text = |found: &Found| {
            found
                .attributes
                .get(attribute)
                .map(written)
                .unwrap_or_default()
        };
        let exact: Vec<_> = candidates
            .iter()
            .filter(|found| text(found) == value)
            .cloned()
            .collect();
        let near: Vec<_> = candidates
            .into_iter()
            .filter(|found| fold(&text(found)) == fold(value))
            .collect();
        let mut fitting = if exact.is_empty() { near } else { exact };
        fitting.dedup_by(|one, other| one.id == other.id);
        match fitting.len() {
            0 | 1 => Ok(fitting.pop()),
            several => Err(AppFailure::Ambiguous(format!(
                "{several} of its records have the {attribute} {value:?}"
            ))),
        }
    }

    /// Refuses hits of a search by the key that tell no key at all: whom they mean cannot be seen, and to make somebody
    /// would be to write over them where a create is an upsert.
    fn check_told(&self, attribute: &str, value: &str, hits: &[Found]) -> Result<(), AppFailure> {
        let searched = self.kind.find.contains_key(attribute) || self.id_is(attribute);
        let tells = |found: &Found| {
            let held = found.attributes.get(attribute).map(written);
            held.is_some_and(|held| !held.is_empty())
        };
        if attribute != self.kind.key || !searched || hits.is_empty() || hits.iter().any(tells) {
            return Ok(());
        }
        let name = self.kind.name;
        Err(AppFailure::Ambiguous(format!(
            "it finds one of its {name} for the {attribute} {value:?} that holds no {attribute} where the connector reads \
             it: whose it is cannot be seen, and none is made"
        )))
    }

    async fn candidates(&self, attribute: &str, value: &str) -> Result<Vec<Found>, AppFailure> {
        let context = Context::default().with("value", value);
        match self.kind.find.get(attribute) {
            Some(Find::Many(listing)) => match self.all(listing, &context).await {
                Err(AppFailure::Missing) => Ok(Vec::new()),
                found => found,
            },
            Some(Find::One(operation, item)) => match self.wire.run(operation, &context).await {
                Err(AppFailure::Missing) => Ok(Vec::new()),
                reply => {
                    let document = reply?.document;
                    let record = one(operation, item, &document)?.cloned();
                    record
                        .map(|record| self.found(record))
                        .into_iter()
                        .collect()
                }
            },
            None if self.id_is(attribute) => Ok(self.get(value).await?.into_iter().collect()),
            None => self.list().await,
        }
    }

    /// The app's id is this very attribute: then asking by id finds it.
    fn id_is(&self, attribute: &str) -> bool {
        let read = self
            .kind
            .field(attribute)
            .and_then(|field| field.read.as_ref());
        self.kind.get.is_some() && read == Some(&self.kind.id)
    }

    /// The id of who was just made in an app whose answer does not tell it: by the key, which nobody had before.
    pub(super) async fn just_made(&self, wanted: &Attributes) -> Result<String, AppFailure> {
        let name = key_of(self.kind, wanted).unwrap_or_default();
        let mut looks = Looks::default();
        while looks.go_on().await {
            let found = self.find(&self.kind.key, &name).await;
            if let Some(found) = found.map_err(AppFailure::perhaps)? {
                return Ok(found.id);
            }
        }
        let (operation, key) = (format!("{}.create", self.kind.name), &self.kind.key);
        Err(AppFailure::odd(format!(
            "it took {operation}, and nobody is found there whose {key} is {name:?}"
        )))
    }
}
