//! R53: a SCIM client gives the roles of its own list, and no other.

use super::desk::Desk;
use super::{Refused, Rule, UserDraft};
use serde_json::{Map, Value};

use crate::identity::User;

impl Desk {
    /// Refuses a role outside the client's list by attribute. What a person has already stays.
    pub(super) fn check_given(&self, draft: &UserDraft, before: Option<&User>) -> Result<(), Rule> {
        let attribute = self.ruled.roles.attribute();
        let had = before.map(|user| attribute.values(&user.attributes));
        let had = had.unwrap_or_default();
        for role in attribute.values(&draft.attributes) {
            if !had.contains(&role) {
                self.check_role(&self.ruled.tenant.roles.attribute, role)?;
            }
        }
        Ok(())
    }

    /// Refuses members in a group that gives a role outside the client's list.
    pub(super) fn check_members(&self, display_name: &str) -> Result<(), Rule> {
        if self.ruled.groups.ignores(display_name) {
            return Ok(());
        }
        let mapped = self.ruled.tenant.roles.groups.iter();
        for (_, role) in mapped.filter(|(group, _)| group == display_name) {
            self.check_role("members", role.clone())?;
        }
        Ok(())
    }

    /// Refuses a change of what a sign-in is matched by, and a password, of a person who has a role outside the client's
    /// list: whoever could make them into themselves would give themselves that role. The default roles are everybody's.
    pub(super) async fn check_above(
        &self,
        draft: &UserDraft,
        before: &User,
    ) -> Result<(), Refused> {
        let Some(grants) = &self.actor.grants else {
            return Ok(());
        };
        let emails = |attributes: &Map<String, Value>| attributes.get("emails").cloned();
        let changes = [
            ("userName", draft.user_name != before.user_name),
            ("externalId", draft.external_id != before.external_id),
            (
                "emails",
                emails(&draft.attributes) != emails(&before.attributes),
            ),
            ("password", draft.password.is_some()),
        ];
        let Some((attribute, _)) = changes.into_iter().find(|(_, changed)| *changed) else {
            return Ok(());
        };
        let groups = self.people.directory.groups_of(self.tenant(), &before.id);
        let names = groups.await?.into_iter().map(|group| group.display_name);
        let names: Vec<_> = names
            .filter(|name| !self.ruled.groups.ignores(name))
            .collect();
        let default = &self.ruled.tenant.roles.default;
        let roles = self.ruled.roles.roles(before, &names).into_iter();
        let above = roles
            .map(|role| role.0)
            .find(|role| !default.contains(role) && !grants.contains(role));
        match above {
            Some(role) => Err(Rule::Above { attribute, role }.into()),
            None => Ok(()),
        }
    }

    fn check_role(&self, attribute: &str, value: String) -> Result<(), Rule> {
        match &self.actor.grants {
            Some(grants) if !grants.contains(&value) => Err(Rule::Role {
                attribute: attribute.to_owned(),
                value,
                allowed: grants.clone(),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Roles, Tenant};
    use crate::identity::TenantSlug;
    use crate::provision::world::{ACTOR, World, tenant};
    use crate::provision::{Actor, GroupDraft, MemberChange, Refused, Rule, UserDraft};
    use crate::secret::Secret;
    use serde_json::json;

    async fn world() -> World {
        let roles = Roles {
            allowed: vec!["MEMBER".to_owned(), "ADMIN".to_owned()],
            groups: vec![("admins".to_owned(), "ADMIN".to_owned())],
            ..tenant().roles
        };
        World::new(vec![Tenant { roles, ..tenant() }]).await
    }

    fn client() -> Actor {
        Actor {
            grants: Some(vec!["MEMBER".to_owned()]),
            ..ACTOR.clone()
        }
    }

    fn with_role(role: &str) -> UserDraft {
        let mut draft = UserDraft {
            user_name: format!("{role}@example.com"),
            active: true,
            ..UserDraft::default()
        };
        let roles = json!([{ "value": role, "primary": true }]);
        draft.attributes.insert("roles".to_owned(), roles);
        draft
    }

    fn is_refused<T: std::fmt::Debug>(done: Result<T, Refused>) -> bool {
        let Err(Refused::Rule(rule)) = done else {
            return false;
        };
        matches!(*rule, Rule::Role { value, .. } if value == "ADMIN")
    }

    #[tokio::test]
    #[expect(
        clippy::too_many_lines,
        clippy::excessive_nesting,
        clippy::type_complexity,
        reason = "a table and its world"
    )]
    async fn r53_a_client_makes_nobody_above_it_into_somebody_else() {
        let world = world().await;
        let (provision, slug) = (&world.provision, TenantSlug::default());
        let by_attribute = provision.create_user(&slug, with_role("ADMIN"), &ACTOR);
        let by_attribute = by_attribute.await.unwrap();
        let by_group = UserDraft {
            user_name: "grouped@example.com".to_owned(),
            active: true,
            ..UserDraft::default()
        };
        let by_group = provision
            .create_user(&slug, by_group, &ACTOR)
            .await
            .unwrap();
        let admins = GroupDraft {
            display_name: "admins".to_owned(),
            ..GroupDraft::default()
        };
        let members = vec![by_group.id.clone()];
        let made = provision.create_group(&slug, admins, members, &ACTOR);
        made.await.unwrap();
        let member = provision.create_user(&slug, with_role("MEMBER"), &ACTOR);
        let member = member.await.unwrap();
        let email = json!([{ "value": "mallory@example.com", "type": "work" }]);
        let changes: [(&str, fn(&mut UserDraft, &serde_json::Value)); 5] = [
            ("userName", |draft, _| {
                draft.user_name = format!("new-{}", draft.user_name);
            }),
            ("externalId", |draft, _| {
                draft.external_id = Some("other".to_owned());
            }),
            ("emails", |draft, email| {
                draft.attributes.insert("emails".to_owned(), email.clone());
            }),
            ("password", |draft, _| {
                draft.password = Some(Secret::new("hash"));
            }),
            ("", |draft, _| {
                draft.attributes.insert("title".to_owned(), json!("Dr"));
            }),
        ];
        for (what, change) in changes {
            for (who, above) in [(&by_attribute, true), (&by_group, true), (&member, false)] {
                let email = email.clone();
                let edit = move |user: &_| {
                    let mut draft = UserDraft::of(user);
                    change(&mut draft, &email);
                    Ok::<_, Refused>(draft)
                };
                let done = provision
                    .edit_user(&slug, &who.id, None, &client(), edit)
                    .await;
                let refused = match &done {
                    Err(Refused::Rule(rule)) => {
                        matches!(&**rule, Rule::Above { attribute, .. } if *attribute == what)
                    }
                    _ => false,
                };
                let want = above && !what.is_empty();
                assert_eq!(
                    (refused, done.is_ok()),
                    (want, !want),
                    "{what} of {}: {done:?}",
                    who.user_name
                );
            }
        }
    }

    #[tokio::test]
    async fn r53_a_client_gives_the_roles_of_its_list_alone() {
        let world = world().await;
        let client = client();
        let (provision, slug) = (&world.provision, TenantSlug::default());
        let made = provision.create_user(&slug, with_role("MEMBER"), &client);
        let member = made.await.unwrap();
        let made = provision.create_user(&slug, with_role("ADMIN"), &client);
        assert!(is_refused(made.await), "by attribute");
        let edit = |_: &_| Ok::<_, Refused>(with_role("ADMIN"));
        let edited = provision.edit_user(&slug, &member.id, None, &client, edit);
        assert!(is_refused(edited.await), "by a change");

        let admins = GroupDraft {
            display_name: "admins".to_owned(),
            ..GroupDraft::default()
        };
        let members = vec![member.id.clone()];
        let made = provision.create_group(&slug, admins.clone(), members, &client);
        assert!(is_refused(made.await), "by a group that is made with them");
        let made = provision.create_group(&slug, admins.clone(), Vec::new(), &client);
        let group = made.await.unwrap();
        let id = member.id.clone();
        let same = admins.clone();
        let edit = move |_: &_| {
            let add = MemberChange::Add(vec![id.clone()]);
            Ok::<_, Refused>((same.clone(), vec![add]))
        };
        let edited = provision.edit_group(&slug, &group.id, None, &client, edit);
        assert!(is_refused(edited.await), "by membership");
        let others = GroupDraft {
            display_name: "others".to_owned(),
            ..GroupDraft::default()
        };
        provision
            .delete_group(&slug, &group.id, None, &client)
            .await
            .unwrap();
        let members = vec![member.id.clone()];
        let made = provision.create_group(&slug, others, members, &client);
        let group = made.await.unwrap();
        let renamed = provision.edit_group(&slug, &group.id, None, &client, move |_: &_| {
            Ok::<_, Refused>((admins.clone(), Vec::new()))
        });
        assert!(is_refused(renamed.await), "by a new name of their group");
        let made = provision.create_user(&slug, with_role("ADMIN"), &ACTOR);
        assert!(made.await.is_ok(), "who has no list gives any");
    }
}
