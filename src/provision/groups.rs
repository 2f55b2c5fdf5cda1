//! Groups as SCIM clients make, change and delete them.

use super::desk::{ATTEMPTS, Desk, check_version};
use super::members::{Losers, Moves};
use super::rules::{Rule, check_external_id};
use super::touch::{Refresh, Touch, to_its_end};
use super::{Actor, AppSide, GroupDraft, MemberChange, Provision, Refused, person, told};
use crate::audit::Event;
use crate::connector::{Kind, Owner};
use crate::directory::{Change, DirectoryError, Expected, GroupKey};
use crate::identity::{Group, GroupId, TenantSlug, UserId, fold};
use crate::session::End;
use crate::storage::Along;

impl Provision {
    /// Makes a group of these people.
    ///
    /// # Errors
    ///
    /// The display name is taken; a rule refuses it; a member is nobody; the directory failed.
    pub async fn create_group(
        &self,
        tenant: &TenantSlug,
        draft: GroupDraft,
        members: Vec<UserId>,
        actor: &Actor,
    ) -> Result<Group, Refused> {
        let desk = self.desk(tenant, actor)?;
        to_its_end(async move { desk.create_group(draft, members).await }).await
    }

    /// Reads a group, lets `edit` say what it shall be and who comes and goes, and writes that, all or nothing: one
    /// after the other for each group. Members are rows: one more or less costs the same in a group of any
    /// size. Nothing is written, and the version stays, when nothing changes. `edit` may be asked again.
    ///
    /// # Errors
    ///
    /// What `edit` says; there is no such group; `expected` is not the version; the display name is taken; a
    /// rule refuses it; a member is nobody; the directory failed.
    pub async fn edit_group<E>(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
        expected: Option<u64>,
        actor: &Actor,
        edit: impl Fn(&Group) -> Result<(GroupDraft, Vec<MemberChange>), E> + Send + Sync + 'static,
    ) -> Result<Group, E>
    where
        E: From<Refused> + Send + 'static,
    {
        let (desk, id) = (self.desk(tenant, actor)?, id.clone());
        to_its_end(async move { desk.edit_group(&id, expected, edit).await }).await
    }

    /// Deletes a group and its memberships.
    ///
    /// # Errors
    ///
    /// There is no such group; `expected` is not the version; the directory failed.
    pub async fn delete_group(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
        expected: Option<u64>,
        actor: &Actor,
    ) -> Result<(), Refused> {
        let (desk, id) = (self.desk(tenant, actor)?, id.clone());
        to_its_end(async move { desk.delete_group(&id, expected).await }).await
    }
}

impl Desk {
    async fn create_group(self, draft: GroupDraft, members: Vec<UserId>) -> Result<Group, Refused> {
        let draft = self.check(draft, None)?;
        for _ in 0..ATTEMPTS {
            match self.make_group(draft.clone(), members.clone()).await {
                // A member was deleted meanwhile: looked at again, they are named.
                Err(Refused::Directory(DirectoryError::Stale)) => {}
                done => return done,
            }
        }
        Err(DirectoryError::Stale.into())
    }

    async fn make_group(&self, draft: GroupDraft, members: Vec<UserId>) -> Result<Group, Refused> {
        let moves = self
            .moves(None, vec![MemberChange::Add(members.clone())])
            .await?;
        if !moves.added.is_empty() {
            self.check_members(&draft.display_name)?;
        }
        let now = self.people.clock.now();
        let group = Group {
            id: GroupId::random(),
            tenant: self.tenant().clone(),
            display_name: draft.display_name,
            external_id: draft.external_id,
            attributes: draft.attributes,
            created: now,
            modified: now,
            version: 1,
        };
        if self.actor.dry_run {
            self.check_name_free(&group).await?;
            return Ok(group);
        }
        let begun = self.finish_begun(Kind::Group, &group.display_name).await?;
        if let Some(holder) = self.unconfirmed_group(&group).await? {
            // The client asks again for what it was not told of.
            let edit = move |_: &Group| {
                let draft = GroupDraft {
                    display_name: group.display_name.clone(),
                    external_id: group.external_id.clone(),
                    attributes: group.attributes.clone(),
                };
                Ok((draft, vec![MemberChange::Replace(members.clone())]))
            };
            return self.edit_group::<Refused>(&holder, None, edit).await;
        }
        self.check_name_free(&group).await?;
        let touch = self.touch_of_group(None, Some(&group), &moves).await?;
        let changes = changes(&group, Expected::New, &moves);
        let event = self.group_event("group.created", None, &group, &moves);
        let _name = self
            .people
            .name_turn(Kind::Group, &group.display_name)
            .await;
        let in_app = self.people.make_group(&group, &begun).await?;
        self.commit_group(&group, &moves, (changes, event, &touch), in_app)
            .await?;
        Ok(group)
    }

    async fn edit_group<E: From<Refused>>(
        &self,
        id: &GroupId,
        expected: Option<u64>,
        edit: impl Fn(&Group) -> Result<(GroupDraft, Vec<MemberChange>), E>,
    ) -> Result<Group, E> {
        let _turn = self
            .people
            .state
            .turns
            .take((self.tenant(), id.as_str()))
            .await;
        for _ in 0..ATTEMPTS {
            let before = self.group(id).await?;
            check_version(expected, before.version)?;
            let (draft, changes) = edit(&before)?;
            let draft = self.check(draft, Some(&before))?;
            let moves = self.moves(Some(id), changes).await?;
            match self.write_group(&before, draft, &moves).await {
                Err(Refused::Directory(DirectoryError::Stale)) => {}
                done => return done.map_err(E::from),
            }
        }
        Err(Refused::from(DirectoryError::Stale).into())
    }

    async fn write_group(
        &self,
        before: &Group,
        draft: GroupDraft,
        moves: &Moves,
    ) -> Result<Group, Refused> {
        let mut after = Group {
            display_name: draft.display_name,
            external_id: draft.external_id,
            attributes: draft.attributes,
            ..before.clone()
        };
        if !moves.added.is_empty() || before.display_name != after.display_name {
            self.check_members(&after.display_name)?;
        }
        let nothing = told::of_group(Some(before), Some(&after), &moves.added, &moves.removed);
        if nothing.is_none() {
            let owner = AppSide::owner_of_group(before);
            self.people.settle(&owner, self.take_over()).await?;
            self.people.confirm_group(&owner).await?;
            return Ok(after);
        }
        after.version = before.version.saturating_add(1);
        after.modified = self.people.clock.now();
        if self.actor.dry_run {
            self.check_name_free(&after).await?;
            return Ok(after);
        }
        let touch = self
            .touch_of_group(Some(before), Some(&after), moves)
            .await?;
        let changes = changes(&after, Expected::Version(before.version), moves);
        let event = self.group_event("group.changed", Some(before), &after, moves);
        let in_app = self.people.rename_group(before, &after).await?;
        self.commit_group(&after, moves, (changes, event, &touch), in_app)
            .await?;
        Ok(after)
    }

    async fn delete_group(self, id: &GroupId, expected: Option<u64>) -> Result<(), Refused> {
        let _turn = self
            .people
            .state
            .turns
            .take((self.tenant(), id.as_str()))
            .await;
        let owner = Owner::new(Kind::Group, self.tenant(), id);
        let group = match self.group(id).await {
            // Gone here, and not there yet.
            Err(Refused::Directory(DirectoryError::Missing))
                if self.people.owes(&owner).await? =>
            {
                return self.people.settle(&owner, self.take_over()).await;
            }
            group => group?,
        };
        check_version(expected, group.version)?;
        if self.actor.dry_run {
            return Ok(());
        }
        let nobody = Moves::default();
        let touch = self.touch_of_group(Some(&group), None, &nobody).await?;
        let change = Change::RemoveGroup(self.tenant().clone(), id.clone());
        let event = Event {
            changes: told::of_group(Some(&group), None, &[], &[]),
            ..self.event("group.deleted", &group)
        };
        let along = self.people.owes_group(&group).await?;
        let people = &self.people;
        let commit = people.commit_with(vec![change], vec![event], &touch, along);
        commit.await?;
        self.end_without_roles(&touch.watched).await?;
        self.people.settle(&owner, self.take_over()).await
    }

    /// A member who was deleted a moment ago: looked at again, they are named.
    pub(super) async fn commit(
        &self,
        changes: Vec<Change>,
        event: Event,
        touch: &Touch,
        along: Along,
    ) -> Result<(), Refused> {
        let commit = self.people.commit_with(changes, vec![event], touch, along);
        match commit.await {
            Err(Refused::Directory(DirectoryError::Missing)) => Err(DirectoryError::Stale.into()),
            Ok(()) => self.end_without_roles(&touch.watched).await,
            refused => refused,
        }
    }

    async fn group(&self, id: &GroupId) -> Result<Group, Refused> {
        let group = self.people.directory.group(self.tenant(), id).await?;
        Ok(group.ok_or(DirectoryError::Missing)?)
    }

    fn check(&self, mut draft: GroupDraft, before: Option<&Group>) -> Result<GroupDraft, Refused> {
        let name = person::name(&draft.display_name).map_err(|why| Rule::Name {
            attribute: "displayName",
            why,
        })?;
        let kept = before.is_some_and(|before| before.display_name == name);
        if !kept {
            self.ruled.check_group(name)?;
        }
        check_external_id(draft.external_id.as_deref())?;
        draft.display_name = name.to_owned();
        Ok(draft)
    }

    async fn check_name_free(&self, group: &Group) -> Result<(), Refused> {
        let key = GroupKey::DisplayName(fold(&group.display_name));
        let found = self
            .people
            .directory
            .find_groups(self.tenant(), &key)
            .await?;
        if found.iter().any(|it| it.id != group.id) {
            return Err(DirectoryError::Taken("displayName").into());
        }
        Ok(())
    }

    /// What a change of a group does to sessions.
    async fn touch_of_group(
        &self,
        before: Option<&Group>,
        after: Option<&Group>,
        moves: &Moves,
    ) -> Result<Touch, Refused> {
        let name = |group: Option<&Group>| group.map(|group| group.display_name.clone());
        let named_as_before = name(before) == name(after);
        let losers = match before {
            None => Losers::default(),
            Some(before) if named_as_before => {
                self.losers(before, Some(&moves.removed), None).await?
            }
            Some(before) => {
                // Who leaves under the old name must not count under the new one.
                let mut losers = self.losers(before, Some(&moves.removed), None).await?;
                losers.join(self.losers(before, None, name(after).as_deref()).await?);
                losers
            }
        };
        let tenant = self.tenant();
        let refresh = if named_as_before {
            let concerned = moves.added.iter().chain(&moves.removed).cloned();
            Refresh::People(tenant.clone(), concerned.collect())
        } else {
            // Of a group that the directory has, the directory alone says who is in it: whoever claims it, too.
            Refresh::Tenant(tenant.clone())
        };
        let end = |user: UserId| End::User(tenant.clone(), user);
        Ok(Touch {
            ends: losers.all.into_iter().map(end).collect(),
            why: "revoked",
            refresh,
            watched: losers.some,
        })
    }

    fn group_event(
        &self,
        action: &str,
        before: Option<&Group>,
        after: &Group,
        moves: &Moves,
    ) -> Event {
        Event {
            changes: told::of_group(before, Some(after), &moves.added, &moves.removed),
            ..self.event(action, after)
        }
    }
}

fn changes(group: &Group, expected: Expected, moves: &Moves) -> Vec<Change> {
    let (tenant, id) = (&group.tenant, &group.id);
    let add = |user: &UserId| Change::AddMember(tenant.clone(), id.clone(), user.clone());
    let remove = |user: &UserId| Change::RemoveMember(tenant.clone(), id.clone(), user.clone());
    let mut changes = vec![Change::PutGroup(Box::new(group.clone()), expected)];
    changes.extend(moves.added.iter().map(add));
    changes.extend(moves.removed.iter().map(remove));
    changes
}
