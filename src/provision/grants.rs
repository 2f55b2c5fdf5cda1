//! R53: a SCIM client gives the roles of its own list, and no other.

use super::desk::Desk;
use super::{Rule, UserDraft};
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
