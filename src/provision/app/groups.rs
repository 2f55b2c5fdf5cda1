//! Groups in the app.

use std::collections::BTreeSet;

use super::{AppSide, InApp, view};
use crate::clock::Timestamp;
use crate::connector::{AppFailure, Found, Intent, Kind, Ledger, Link, Owner};
use crate::identity::{Group, UserId, fold};
use crate::provision::{People, Refused};

/// Members that are read at once.
const CHUNK: usize = 10_000;

impl AppSide {
    pub(in crate::provision) fn owner_of_group(group: &Group) -> Owner {
        Owner::new(Kind::Group, &group.tenant, &group.id)
    }

    fn group_link(app_id: String, group: &Group) -> Link {
        Link {
            app_id,
            login: group.display_name.clone(),
            unconfirmed: false,
            password: None,
        }
    }

    /// Makes a new group there, or takes over the one of this name. Where groups stay with us, none. Whoever asked for it
    /// is told when its people are in it, too: until then it is unconfirmed.
    pub(in crate::provision) async fn make_group(
        &self,
        group: &Group,
        take_over: bool,
        now: Timestamp,
    ) -> Result<Option<InApp>, Refused> {
        if !self.connector.has_groups() {
            return Ok(None);
        }
        let owner = Self::owner_of_group(group);
        let (link, made) = self.place_group(&owner, group, take_over, now).await?;
        let link = Link {
            unconfirmed: true,
            ..link
        };
        let along = Ledger::tie(&owner, &link).and(Self::owe(&owner, now));
        Ok(Some(InApp { along, made, owner }))
    }

    async fn place_group(
        &self,
        owner: &Owner,
        group: &Group,
        take_over: bool,
        now: Timestamp,
    ) -> Result<(Link, Option<String>), Refused> {
        let wanted = view::of_group(group);
        let before = self.ledger.intent(owner).await?;
        if let Some(found) = self.connector.find_group(&group.display_name).await? {
            self.check_free(owner, &found).await?;
            if !take_over {
                let (name, group) = (self.connector.name(), &group.display_name);
                return Err(AppFailure::Uniqueness(format!("{name} has a group {group:?}")).into());
            }
            return Ok((Self::group_link(found.id, group), None));
        }
        let intent = Intent {
            create: serde_json::to_value(group).ok(),
            ..Intent::sync(now).named(&group.display_name)
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        match self.connector.create_group(&wanted).await {
            Ok(id) => Ok((Self::group_link(id.clone(), group), Some(id))),
            Err(failure) if failure.perhaps_done() => {
                match self.connector.find_group(&group.display_name).await {
                    Ok(Some(found)) => {
                        Ok((Self::group_link(found.id.clone(), group), Some(found.id)))
                    }
                    Ok(None) if failure.may_come() => Err(failure.into()),
                    Ok(None) => {
                        let failure = failure.certainly_not();
                        self.give_up(owner, before.as_ref(), failure).await
                    }
                    Err(_not_now) => Err(failure.into()),
                }
            }
            Err(failure) => self.give_up(owner, before.as_ref(), failure).await,
        }
    }

    /// Before the record changes: the name. What the app refuses is refused.
    pub(in crate::provision) async fn rename_group(
        &self,
        before: &Group,
        after: &Group,
        now: Timestamp,
    ) -> Result<Option<InApp>, Refused> {
        if !self.connector.has_groups() {
            return Ok(None);
        }
        let owner = Self::owner_of_group(after);
        let Some(link) = self.ledger.link(&owner).await? else {
            return self.make_group(after, true, now).await;
        };
        if view::of_group(before) == view::of_group(after) {
            return Ok(None);
        }
        let owed = self.ledger.intent(&owner).await?;
        self.ledger.write(Self::owe(&owner, now)).await?;
        match self.bring_group(&owner, Some(link), after, now).await {
            Ok(link) => Ok(Some(Self::done(owner, &link, None))),
            Err(Refused::App(failure)) => self.give_up(&owner, owed.as_ref(), failure).await,
            Err(refused) => Err(refused),
        }
    }

    pub(super) async fn bring_group(
        &self,
        owner: &Owner,
        link: Option<Link>,
        group: &Group,
        now: Timestamp,
    ) -> Result<Link, Refused> {
        let Some(link) = link else {
            return Ok(self.place_group(owner, group, true, now).await?.0);
        };
        let name = &group.display_name;
        if fold(name) != fold(&link.login)
            && let Some(other) = self.connector.find_group(name).await?
            && other.id != link.app_id
        {
            return Err(AppFailure::Uniqueness(format!("the app has a group {name:?}")).into());
        }
        let wanted = view::of_group(group);
        let after = match self.connector.update_group(&link.app_id, &wanted).await {
            Ok(id) => Self::group_link(id, group),
            Err(AppFailure::Missing) => self.place_group(owner, group, true, now).await?.0,
            Err(failure) => return Err(failure.into()),
        };
        Ok(Link {
            unconfirmed: link.unconfirmed,
            ..after
        })
    }

    /// A group that was being made when the process ended.
    pub(super) async fn begun_group(
        &self,
        owner: &Owner,
        intent: &Intent,
    ) -> Result<Option<Found>, Refused> {
        let group = intent
            .create
            .clone()
            .and_then(|group| serde_json::from_value::<Group>(group).ok());
        let Some(group) = group else { return Ok(None) };
        let found = self.connector.find_group(&group.display_name).await?;
        if let Some(found) = &found {
            self.check_free(owner, found).await?;
        }
        Ok(found)
    }

    /// After the record: these came, those went. Without an account there, nobody can be in a group there.
    pub(in crate::provision) async fn move_members(
        &self,
        group: &Group,
        added: &[UserId],
        removed: &[UserId],
    ) -> Result<(), Refused> {
        let owner = Self::owner_of_group(group);
        if self.connector.has_members()
            && let Some(link) = self.ledger.link(&owner).await?
        {
            let (add, remove) = (
                self.ids(group, added).await?,
                self.ids(group, removed).await?,
            );
            self.connector
                .change_members(&link.app_id, &add, &remove)
                .await?;
        }
        self.ledger.write(Ledger::settle(&owner)).await?;
        self.confirm_group(&owner).await
    }

    /// Whoever asked for the group is told of it now.
    pub(super) async fn confirm_group(&self, owner: &Owner) -> Result<(), Refused> {
        let link = self.ledger.link(owner).await?;
        if let Some(link) = link.filter(|link| link.unconfirmed) {
            let link = Link {
                unconfirmed: false,
                ..link
            };
            self.ledger.write(Ledger::tie(owner, &link)).await?;
        }
        Ok(())
    }

    async fn ids(&self, group: &Group, users: &[UserId]) -> Result<Vec<String>, Refused> {
        let mut ids = Vec::with_capacity(users.len());
        for user in users {
            let link = self
                .ledger
                .link(&Owner::new(Kind::User, &group.tenant, user))
                .await?;
            ids.extend(link.map(|link| link.app_id));
        }
        Ok(ids)
    }

    /// The record could not be written: the group that was made there goes again. Where the app deletes none, it is owed
    /// on, so that it is known whose it is.
    pub(in crate::provision) async fn undo_group(&self, in_app: InApp) {
        let InApp {
            made,
            owner,
            along: _,
        } = in_app;
        let Some(id) = made.filter(|_| self.connector.deletes_groups()) else {
            return;
        };
        if self.connector.remove_group(&id).await.is_ok() {
            drop(self.ledger.write(Ledger::settle(&owner)).await);
        }
    }
}

impl People {
    /// The app's ids of those who are in a group with us.
    pub(super) async fn members_there(
        &self,
        app: &AppSide,
        group: &Group,
    ) -> Result<BTreeSet<String>, Refused> {
        let mut all = BTreeSet::new();
        let mut after: Option<UserId> = None;
        loop {
            let members = self
                .directory
                .members(&group.tenant, &group.id, after.as_ref(), CHUNK)
                .await?;
            all.extend(app.ids(group, &members).await?);
            if members.len() < CHUNK {
                return Ok(all);
            }
            after = members.last().cloned();
        }
    }
}
