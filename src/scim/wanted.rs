//! What is read besides records: groups of people, members of groups. Only what somebody asks for.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::call::Call;
use super::filter::{Asked, Filter};
use super::record::{Record, failed};
use super::schema::{ResourceType, Schemas};
use super::sort::Sort;
use super::{Projection, Scim, ScimError, render};
use crate::identity::{Group, UserId};

/// Members that one group can have in an answer.
const MAX_MEMBERS: usize = 1_000_000;
/// Members of all groups of one page: more come on the next one. A single group is shown whole.
const MAX_ON_PAGE: usize = 100_000;
/// Members that are named in one answer: each name is a record to read. Of a group with more than are left, none
/// is: RFC 7643 4.2 lets `display` be missing, and clients go by `value`.
const MAX_NAMED: usize = 1_000;

/// What is read besides the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `groups` of people.
    pub(super) groups: bool,
    pub(super) members: Members,
    /// `display` of members, see [`MAX_NAMED`]. It is shown, never searched.
    pub(super) names: bool,
}

/// Which members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Members {
    Nobody,
    /// Those of these people who are in it: their rows alone are read.
    These(Vec<UserId>),
    Everybody,
}

impl Wanted {
    /// What an answer shows.
    pub(super) fn shown(projection: &Projection, schemas: &Schemas) -> Self {
        Self {
            groups: projection.wants(&schemas.user, "groups"),
            members: if projection.wants(&schemas.group, "members") {
                Members::Everybody
            } else {
                Members::Nobody
            },
            names: projection.wants_part(&schemas.group, "members", "display"),
        }
    }

    /// What a filter and an order look at, whatever is shown.
    pub(super) fn looked_at(
        kind: &ResourceType,
        filter: Option<&Filter>,
        sort: Option<&Sort>,
    ) -> Self {
        let asked = |attribute| match filter {
            _ if sort.is_some_and(|sort| sort.looks_at(kind, attribute)) => Asked::Everything,
            Some(filter) => filter.asked(kind, attribute),
            None => Asked::Nothing,
        };
        let ids = |texts: Vec<String>| texts.iter().map(|id| UserId::from(id.as_str())).collect();
        Self {
            groups: asked("groups") != Asked::Nothing,
            members: match asked("members") {
                Asked::Nothing => Members::Nobody,
                Asked::These(texts) => Members::These(ids(texts)),
                Asked::Everything => Members::Everybody,
            },
            names: false,
        }
    }
}

impl Scim {
    /// Resources of records, with what is wanted besides.
    pub(super) async fn rendered(
        &self,
        call: &Call,
        records: &[Record],
        wanted: &Wanted,
    ) -> Result<Vec<Map<String, Value>>, ScimError> {
        let mut groups = if wanted.groups {
            self.groups_of(call, records).await?.into_iter()
        } else {
            Vec::new().into_iter()
        };
        let mut members = Vec::new();
        for group in records.iter().filter_map(Record::group) {
            members.push(self.members(call, group, &wanted.members).await?);
        }
        let names = if wanted.names {
            self.names(call, &members).await?
        } else {
            HashMap::new()
        };
        let mut members = members.into_iter().flatten();
        let render = |record: &Record| match record {
            Record::User(user) => render::user(user, groups.next().as_deref(), call.base()),
            Record::Group(group) => {
                render::group(group, members.next().as_deref(), &names, call.base())
            }
        };
        Ok(records.iter().map(render).collect())
    }

    /// How many of these records one page can hold: at least one (RFC 7644 3.4.2.4: a server may give fewer).
    pub(super) async fn on_page(
        &self,
        call: &Call,
        records: &[Record],
        wanted: &Wanted,
    ) -> Result<usize, ScimError> {
        if wanted.members != Members::Everybody {
            return Ok(records.len());
        }
        let (directory, tenant) = (self.provision.directory(), call.tenant());
        let mut left = MAX_ON_PAGE;
        for (number, record) in records.iter().enumerate() {
            let Some(group) = record.group() else {
                continue;
            };
            let more = left.saturating_add(1);
            let members = directory.members(tenant, &group.id, None, more).await;
            let members = members.map_err(failed)?.len();
            if members > left {
                return Ok(number.max(1));
            }
            left = left.saturating_sub(members);
        }
        Ok(records.len())
    }

    /// What members are called whom SCIM sees: as many as may be named.
    async fn names(
        &self,
        call: &Call,
        members: &[Option<Vec<UserId>>],
    ) -> Result<HashMap<UserId, String>, ScimError> {
        let ids = named(members.iter().flatten());
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let (directory, tenant) = (self.provision.directory(), call.tenant());
        let users = directory.users_by_id(tenant, &ids).await.map_err(failed)?;
        let seen = users.iter();
        let seen = seen.filter(|user| self.provision.scim_sees(tenant, user));
        Ok(seen
            .map(|user| (user.id.clone(), render::display(user)))
            .collect())
    }

    /// Groups of the people among these records, without the ignored ones.
    async fn groups_of(
        &self,
        call: &Call,
        records: &[Record],
    ) -> Result<Vec<Vec<Group>>, ScimError> {
        let ids: Vec<UserId> = records.iter().filter_map(Record::user_id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let directory = self.provision.directory();
        let groups = directory.groups_of_all(call.tenant(), &ids).await;
        let mut groups = groups.map_err(failed)?;
        for its in &mut groups {
            its.retain(|group| !self.settings.groups.ignores(&group.display_name));
        }
        Ok(groups)
    }

    async fn members(
        &self,
        call: &Call,
        group: &Group,
        which: &Members,
    ) -> Result<Option<Vec<UserId>>, ScimError> {
        let (directory, tenant) = (self.provision.directory(), call.tenant());
        let members = match which {
            Members::Nobody => return Ok(None),
            Members::These(ids) => directory.members_among(tenant, &group.id, ids).await,
            Members::Everybody => {
                let members = directory.members(tenant, &group.id, None, MAX_MEMBERS);
                members.await
            }
        };
        members.map(Some).map_err(failed)
    }
}

/// Members of those groups that fit into [`MAX_NAMED`], the first come first.
fn named<'m>(groups: impl Iterator<Item = &'m Vec<UserId>>) -> Vec<UserId> {
    let mut ids: Vec<UserId> = Vec::new();
    for members in groups {
        if ids.len().saturating_add(members.len()) <= MAX_NAMED {
            ids.extend_from_slice(members);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::tests::schemas;

    #[test]
    fn names_are_read_for_so_many_members_and_no_more() {
        for (sizes, want) in [
            (vec![], 0),
            (vec![MAX_NAMED], MAX_NAMED),
            (vec![MAX_NAMED + 1], 0),
            (vec![MAX_NAMED + 1, 3], 3),
            (vec![900, 101, 100, 1], MAX_NAMED),
        ] {
            let group = |size: &usize| vec![UserId::from("x"); *size];
            let groups: Vec<_> = sizes.iter().map(group).collect();
            assert_eq!(named(groups.iter()).len(), want, "{sizes:?}");
        }
    }

    #[test]
    fn members_are_read_only_where_somebody_asks_for_them() {
        let these = |ids: &[&str]| Members::These(ids.iter().map(|id| (*id).into()).collect());
        let (nobody, all) = (Members::Nobody, Members::Everybody);
        for (filter, sort, groups, members) in [
            (r#"displayName sw "a""#, "", false, nobody.clone()),
            (r#"displayName sw "a""#, "displayName", false, nobody),
            (r#"members eq "1""#, "", false, these(&["1"])),
            (
                r#"displayName co "a" and (members.value eq "1" or members eq "2")"#,
                "",
                false,
                these(&["1", "2"]),
            ),
            ("members pr", "", false, all.clone()),
            (r#"displayName sw "a""#, "members", false, all.clone()),
            (r#"members eq "1""#, "members.value", false, all.clone()),
            (r#"members.type eq "User""#, "", false, all),
        ] {
            let kind = &schemas().group;
            let (filter, sort) = (filter.parse().unwrap(), Sort::new(Some(sort), false));
            let wanted = Wanted::looked_at(kind, Some(&filter), sort.unwrap().as_ref());
            let names = false;
            assert_eq!(
                wanted,
                Wanted {
                    groups,
                    members,
                    names
                },
                "{filter}"
            );
        }
        for (filter, sort, groups) in [
            (r#"userName sw "a""#, "", false),
            (r#"userName sw "a""#, "groups", true),
            (r#"groups eq "1""#, "", true),
            (r#"groups.display co "a""#, "", true),
            (r#"members eq "1""#, "", false),
        ] {
            let kind = &schemas().user;
            let (filter, sort) = (filter.parse().unwrap(), Sort::new(Some(sort), false));
            let wanted = Wanted::looked_at(kind, Some(&filter), sort.unwrap().as_ref());
            let members = Members::Nobody;
            let names = false;
            assert_eq!(
                wanted,
                Wanted {
                    groups,
                    members,
                    names
                },
                "{filter}"
            );
        }
    }
}
