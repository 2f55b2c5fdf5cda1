//! Groups in the app.

use std::collections::BTreeMap;

use super::{AppSide, InApp, view};
use crate::clock::Timestamp;
use crate::connector::{AppFailure, Found, Intent, Kind, Known, Ledger, Link, Owner};
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

    /// An app that writes names its own way goes on calling it so.
    fn group_link_again(known: Known, group: &Group) -> Link {
        let held = known.name().to_owned();
        let mut link = Self::group_link(known.id, group);
        if fold(&held) != fold(&link.login) {
            link.login = held;
        }
        link
    }

    fn made_group(id: String, group: &Group) -> (Link, Option<Known>) {
        let link = Self::group_link(id, group);
        let known = Known::from(&link);
        (link, Some(known))
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
    ) -> Result<(Link, Option<Known>), Refused> {
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
            Ok(id) => Ok(Self::made_group(id, group)),
            Err(failure) if failure.perhaps_done() => {
                match self.connector.find_group(&group.display_name).await {
                    Ok(Some(found)) => Ok(Self::made_group(found.id, group)),
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
        let intent = Intent::sync(now).named(&after.display_name);
        self.ledger.write(Ledger::intend(&owner, &intent)).await?;
        let brought = self.bring_group(&owner, Some(link), (before, after), now);
        match brought.await {
            Ok(link) => Ok(Some(Self::done(owner, &link, None))),
            Err(Refused::App(failure)) => self.give_up(&owner, owed.as_ref(), failure).await,
            Err(refused) => Err(refused),
        }
    }

    pub(super) async fn bring_group(
        &self,
        owner: &Owner,
        link: Option<Link>,
        (before, group): (&Group, &Group),
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
        let known = self.known(owner, &link).await?;
        let (was, wanted) = (view::of_group(before), view::of_group(group));
        let after = match self.connector.update_group(&known, &wanted, &was).await {
            Ok(known) => Self::group_link_again(known, group),
            Err(AppFailure::Missing) => self.place_group(owner, group, true, now).await?.0,
            Err(failure) => return Err(failure.into()),
        };
        Ok(Link {
            unconfirmed: link.unconfirmed,
            ..after
        })
    }

    /// What the app calls a group.
    pub(super) fn group_name(&self, found: &Found) -> String {
        let name = found.attributes.get(self.connector.group_key());
        let name = name.and_then(serde_json::Value::as_str);
        name.unwrap_or_default().to_owned()
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
                self.accounts(group, added).await?,
                self.accounts(group, removed).await?,
            );
            let remove: Vec<_> = remove.into_iter().map(|known| known.id).collect();
            let known = self.known(&owner, &link).await?;
            self.connector.change_members(&known, &add, &remove).await?;
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

    async fn accounts(&self, group: &Group, users: &[UserId]) -> Result<Vec<Known>, Refused> {
        let mut all = Vec::with_capacity(users.len());
        for user in users {
            let owner = Owner::new(Kind::User, &group.tenant, user);
            if let Some(link) = self.ledger.link(&owner).await? {
                all.push(self.known(&owner, &link).await?);
            }
        }
        Ok(all)
    }

    /// The record could not be written: the group that was made there goes again. Where the app deletes none, it is owed
    /// on, so that it is known whose it is.
    pub(in crate::provision) async fn undo_group(&self, in_app: InApp) {
        let InApp {
            made,
            owner,
            along: _,
        } = in_app;
        let Some(known) = made.filter(|_| self.connector.deletes_groups()) else {
            return;
        };
        if self.connector.remove_group(&known).await.is_ok() {
            drop(self.ledger.write(Ledger::settle(&owner)).await);
        }
    }
}

impl People {
    /// Accounts of those who are in a group with us, by the app's ids.
    pub(super) async fn members_there(
        &self,
        app: &AppSide,
        group: &Group,
    ) -> Result<BTreeMap<String, Known>, Refused> {
        let mut all = BTreeMap::new();
        let mut after: Option<UserId> = None;
        loop {
            let members = self
                .directory
                .members(&group.tenant, &group.id, after.as_ref(), CHUNK)
                .await?;
            let accounts = app.accounts(group, &members).await?.into_iter();
            all.extend(accounts.map(|known| (known.id.clone(), known)));
            if members.len() < CHUNK {
                return Ok(all);
            }
            after = members.last().cloned();
        }
    }
}
