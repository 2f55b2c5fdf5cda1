//! People from a file, as an operator brings them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::desk::Keeper;
use super::rules::Rule;
use super::touch::to_its_end;
use super::{Actor, Provision, Refused, UserDraft};
use crate::directory::UserKey;
use crate::identity::{ManagedBy, TenantSlug, User, fold};

/// A person of a file; what the file does not say stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Imported {
    /// User name: by this they are found.
    pub user_name: String,
    /// `externalId`
    pub external_id: Option<String>,
    /// Whether they are let in; new people are unless it says otherwise.
    pub active: Option<bool>,
    /// Other attributes in SCIM's shape.
    pub attributes: Map<String, Value>,
}

/// What becomes of a person of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// There was nobody of this name.
    Create,
    /// Something of theirs is different.
    Change,
    /// Everything is as the file says.
    Same,
}

impl Provision {
    /// Makes or changes a person as the file says; with [`Actor::dry_run`] only tells which. An operator keeps
    /// the record from then on.
    ///
    /// # Errors
    ///
    /// SCIM manages the person; a rule refuses it; the directory failed.
    pub async fn import(
        &self,
        tenant: &TenantSlug,
        person: Imported,
        actor: &Actor,
    ) -> Result<Outcome, Refused> {
        let mut desk = self.desk(tenant, actor)?;
        desk.keeper = Keeper::Operator;
        to_its_end(async move {
            let key = UserKey::UserName(fold(&person.user_name));
            let found = desk
                .people
                .directory
                .find_users(desk.tenant(), &key)
                .await?;
            let found = found
                .into_iter()
                .find(|it| it.managed_by != ManagedBy::Retired);
            let Some(found) = found else {
                let draft = person.onto(UserDraft {
                    active: true,
                    ..UserDraft::default()
                });
                return desk.create_user(draft).await.map(|_made| Outcome::Create);
            };
            let edit = move |found: &User| match found.managed_by {
                ManagedBy::Scim | ManagedBy::Retired => Err(Refused::from(Rule::Managed)),
                ManagedBy::SignIn | ManagedBy::Operator => {
                    Ok(person.clone().onto(UserDraft::of(found)))
                }
            };
            let (id, before) = (found.id, found.version);
            let after = desk.edit_user(&id, None, edit).await?;
            Ok(if after.version == before {
                Outcome::Same
            } else {
                Outcome::Change
            })
        })
        .await
    }
}

impl Imported {
    fn onto(self, mut draft: UserDraft) -> UserDraft {
        draft.user_name = self.user_name;
        draft.external_id = self.external_id.or(draft.external_id);
        draft.active = self.active.unwrap_or(draft.active);
        draft.attributes.extend(self.attributes);
        draft
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provision::world::*;

    fn person(user_name: &str, attributes: &Value) -> Imported {
        Imported {
            user_name: user_name.to_owned(),
            external_id: None,
            active: None,
            attributes: attributes.as_object().unwrap().clone(),
        }
    }

    #[tokio::test]
    async fn a_plan_tells_what_the_import_does() {
        let mut own = tenant();
        own.roles.allowed = vec!["MEMBER".to_owned()];
        own.provisioning.max_deactivations_per_hour = 1;
        let world = World::new(vec![own]).await;
        world.post(draft("scim")).await.unwrap();
        let mut jit = record("jit");
        jit.managed_by = ManagedBy::SignIn;
        world.scim(jit).await;
        let title = json!({ "title": "x" });
        let off = |name: &str| Imported {
            active: Some(false),
            ..person(name, &json!({}))
        };
        let role = json!({ "roles": [{ "value": "ROOT", "primary": true }] });
        let own = TenantSlug::default();
        let dry = Actor {
            dry_run: true,
            ..ACTOR.clone()
        };
        for (name, row, want) in [
            ("new", person("eve", &title), Ok(Outcome::Create)),
            ("the same", person("EVE", &title), Ok(Outcome::Change)),
            ("the same again", person("EVE", &title), Ok(Outcome::Same)),
            ("of a sign-in", person("jit", &title), Ok(Outcome::Change)),
            ("off", off("jit"), Ok(Outcome::Change)),
            ("off, no fuse", off("eve"), Ok(Outcome::Change)),
            (
                "SCIM's",
                person("scim", &title),
                Err("SCIM manages this person; change them at the identity provider"),
            ),
            (
                "a rule",
                person("mallory", &role),
                Err("roles[primary eq true].value: \"ROOT\" is not a role here; allowed: MEMBER"),
            ),
        ] {
            for actor in [&dry, &ACTOR] {
                let done = world.provision.import(&own, row.clone(), actor).await;
                let done = done.map_err(|refused| refused.to_string());
                assert_eq!(done, want.map_err(str::to_owned), "{name}");
            }
        }
        let jit = world.provision.person(&own, "jit").await.unwrap().unwrap();
        assert_eq!(
            (jit.managed_by, jit.active, jit.version),
            (ManagedBy::Operator, false, 3)
        );
    }
}
