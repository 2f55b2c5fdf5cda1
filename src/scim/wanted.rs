//! What is read besides records: groups of people, members of groups. Only what somebody asks for.

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

/// What is read besides the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `groups` of people.
    pub(super) groups: bool,
    pub(super) members: Members,
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
        let mut resources = Vec::with_capacity(records.len());
        for record in records {
            resources.push(match record {
                Record::User(user) => {
                    let groups = groups.next();
                    render::user(user, groups.as_deref(), call.base())
                }
                Record::Group(group) => {
                    let members = self.members(call, group, &wanted.members).await?;
                    render::group(group, members.as_deref(), call.base())
                }
            });
        }
        Ok(resources)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::tests::schemas;

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
            assert_eq!(wanted, Wanted { groups, members }, "{filter}");
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
            assert_eq!(wanted, Wanted { groups, members }, "{filter}");
        }
    }
}
