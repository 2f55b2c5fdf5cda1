//! Who comes and who goes: member changes against what is there. Rows of those who are named are read; all
//! members only where they are replaced.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::rules::Rule;
use super::touch::Touch;
use super::{MemberChange, Refused};
use crate::identity::{Group, GroupId, User, UserId};
use crate::session::End;

/// Members of a group that are read at once.
const CHUNK: usize = 10_000;
/// People whose roles are worked out at once.
const FEW: usize = 500;

/// People with live sessions who lose a role.
#[derive(Debug, Default)]
pub(super) struct Losers {
    /// None is left to them.
    pub(super) all: Vec<UserId>,
    /// Another one is, unless somebody takes that away at the same moment.
    pub(super) some: Vec<UserId>,
}

/// What really changes.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) added: Vec<UserId>,
    pub(super) removed: Vec<UserId>,
}

impl Desk {
    /// Works changes out in order. Who is in it and added, or not in it and removed, is no error and no change.
    pub(super) async fn moves(
        &self,
        group: Option<&GroupId>,
        changes: Vec<MemberChange>,
    ) -> Result<Moves, Refused> {
        let mut wanted: BTreeMap<UserId, bool> = BTreeMap::new();
        for change in changes {
            match change {
                MemberChange::Add(ids) => {
                    self.check_known(&ids).await?;
                    wanted.extend(ids.into_iter().map(|id| (id, true)));
                }
                MemberChange::Remove(ids) => {
                    wanted.extend(ids.into_iter().map(|id| (id, false)));
                }
                MemberChange::Replace(ids) => {
                    self.check_known(&ids).await?;
                    let members = self.all_members(group).await?;
                    for wanted in wanted.values_mut() {
                        *wanted = false;
                    }
                    wanted.extend(members.into_iter().map(|id| (id, false)));
                    wanted.extend(ids.into_iter().map(|id| (id, true)));
                }
            }
        }
        let named: Vec<_> = wanted.keys().cloned().collect();
        let inside = self.among(group, &named).await?;
        let mut inside = inside.into_iter().peekable();
        let mut moves = Moves::default();
        for (id, wanted) in wanted {
            // Both are in the order of ids.
            let is = inside.next_if(|its| *its == id).is_some();
            match (wanted, is) {
                (true, false) => moves.added.push(id),
                (false, true) => moves.removed.push(id),
                (true, true) | (false, false) => {}
            }
        }
        Ok(moves)
    }

    async fn check_known(&self, ids: &[UserId]) -> Result<(), Refused> {
        let managed_only = !self.ruled.sees_unmanaged();
        let directory = &self.people.directory;
        match directory
            .first_unknown(self.tenant(), ids, managed_only)
            .await?
        {
            Some(unknown) => Err(Rule::Member(unknown.to_string()).into()),
            None => Ok(()),
        }
    }

    async fn among(&self, group: Option<&GroupId>, ids: &[UserId]) -> Result<Vec<UserId>, Refused> {
        let Some(group) = group else {
            return Ok(Vec::new());
        };
        let directory = &self.people.directory;
        Ok(directory.members_among(self.tenant(), group, ids).await?)
    }

    async fn all_members(&self, group: Option<&GroupId>) -> Result<Vec<UserId>, Refused> {
        let Some(group) = group else {
            return Ok(Vec::new());
        };
        let mut all: Vec<UserId> = Vec::new();
        loop {
            let directory = &self.people.directory;
            let page = directory.members(self.tenant(), group, all.last(), CHUNK);
            let page = page.await?;
            let last = page.len() < CHUNK;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// People with live sessions who lose a role when these leave the group, or, without any named, when the group
    /// goes or takes another name.
    pub(super) async fn losers(
        &self,
        group: &Group,
        leaving: Option<&[UserId]>,
        name_after: Option<&str>,
    ) -> Result<Losers, Refused> {
        let mut losers = Losers::default();
        let name = &group.display_name;
        if self.ruled.groups.ignores(name) || !self.ruled.roles.is_mapped(name) {
            return Ok(losers);
        }
        let live = self.people.sessions.people(self.tenant());
        let candidates: Vec<UserId> = if let Some(leaving) = leaving {
            let left = leaving.iter().filter(|id| live.contains(*id));
            left.cloned().collect()
        } else {
            let live: Vec<_> = live.into_iter().collect();
            self.among(Some(&group.id), &live).await?
        };
        for some in candidates.chunks(FEW) {
            losers.join(self.losers_of(some, group, name_after).await?);
        }
        Ok(losers)
    }

    async fn losers_of(
        &self,
        candidates: &[UserId],
        group: &Group,
        name_after: Option<&str>,
    ) -> Result<Losers, Refused> {
        let mut losers = Losers::default();
        for (user, before) in self.with_groups(candidates).await? {
            let mut after = before.clone();
            after.retain(|its| *its != group.display_name);
            let kept = name_after.filter(|name| !self.ruled.groups.ignores(name));
            after.extend(kept.map(str::to_owned));
            let roles = |names: &[String]| self.ruled.roles.roles(&user, names);
            match (roles(&before).is_empty(), roles(&after).is_empty()) {
                (true, _) => {}
                (false, true) => losers.all.push(user.id),
                (false, false) => losers.some.push(user.id),
            }
        }
        Ok(losers)
    }

    /// Behind the commit: ends the sessions of those who have no role any more, because another change took the one
    /// that was left while this one was written.
    pub(super) async fn end_without_roles(&self, people: &[UserId]) -> Result<(), Refused> {
        let mut touch = Touch::default();
        for some in people.chunks(FEW) {
            for (user, names) in self.with_groups(some).await? {
                if self.ruled.roles.roles(&user, &names).is_empty() {
                    touch = touch.ending(End::User(user.tenant, user.id), "revoked");
                }
            }
        }
        self.people.end(&touch).await
    }

    /// Those who are there, and the names of their groups.
    async fn with_groups(&self, ids: &[UserId]) -> Result<Vec<(User, Vec<String>)>, Refused> {
        let (directory, tenant) = (&self.people.directory, self.tenant());
        let users = directory.users_by_id(tenant, ids).await?;
        let ids: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
        let groups = directory.groups_of_all(tenant, &ids).await?;
        let names = groups.into_iter().map(|groups| self.ruled.names(groups));
        Ok(users.into_iter().zip(names).collect())
    }
}

impl Losers {
    pub(super) fn join(&mut self, others: Self) {
        self.all.extend(others.all);
        self.some.extend(others.some);
    }
}
