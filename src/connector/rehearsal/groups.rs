//! A throw-away group with the throw-away person in it.

use super::{Rehearsal, Step, is_untold};
use crate::connector::holds::Looks;
use crate::connector::render::Attributes;
use crate::connector::{AppFailure, Connector, Known};

impl Rehearsal {
    pub(super) async fn groups(&mut self, connector: &Connector, user: &Known, mark: &str) {
        if !connector.has_groups() {
            return self.push(
                "groups",
                Step::Cannot("keep groups, or they are not mapped"),
            );
        }
        // In some apps people and groups share their names.
        let name = format!("sidegate-group-{mark}");
        let made = match connector.create_group(&named(connector, &name)).await {
            Err(failure) if is_untold(&failure) => {
                let found = connector.find_group(&name).await;
                found.and_then(|found| Ok(found.ok_or(failure)?.id))
            }
            made => made,
        };
        let known = match made {
            Ok(id) => Known::new(id, name.as_str()),
            Err(failure) => {
                self.note::<()>("create a group", Err(failure));
                return self.clean_up_group(connector, &name).await;
            }
        };
        self.push("create a group", Step::Ok);
        let found = connector.find_group(&name).await;
        self.expect(
            "find a group",
            found,
            |found| found.as_ref().is_some_and(|its| its.id == known.id),
            "it does not find it",
        );
        if connector.has_members() {
            self.members(connector, user, &known).await;
        } else {
            self.push("members", Step::Cannot("tell who is in a group"));
        }
        self.end_of_group(connector, known).await;
    }

    async fn clean_up_group(&mut self, connector: &Connector, name: &str) {
        let removed = match connector.find_group(name).await {
            Ok(Some(found)) => {
                let known = Known::new(found.id, name);
                connector.remove_group(&known).await.map(drop)
            }
            Ok(None) => return,
            Err(failure) => Err(failure),
        };
        self.note("clean up", removed);
    }

    async fn members(&mut self, connector: &Connector, user: &Known, group: &Known) {
        let (one, id) = ([user.clone()], [user.id.clone()]);
        for (step, add) in [
            ("add a member", true),
            ("add a member again", true),
            ("remove a member", false),
            ("remove a member again", false),
        ] {
            let (come, go): (&[Known], &[String]) = if add { (&one, &[]) } else { (&[], &id) };
            if let Err(failure) = connector.change_members(group, come, go).await {
                // What follows would be as it should without having been done.
                return self.note::<()>(step, Err(failure));
            }
            let members = connector.members(&group.id).await;
            self.expect(
                step,
                members,
                |members| members.contains(&user.id) == add,
                "it said done and the list is as before",
            );
            if self.has_failed(step) {
                return;
            }
        }
    }

    async fn end_of_group(&mut self, connector: &Connector, mut known: Known) {
        let groups = connector.groups.as_ref();
        let (renames, deletes) = groups.map_or((false, false), |it| {
            (it.kind.update.is_some(), it.kind.delete.is_some())
        });
        if renames {
            let name = format!("{}-new", known.name());
            let (wanted, was) = (named(connector, &name), named(connector, known.name()));
            match connector.update_group(&known, &wanted, &was).await {
                Ok(after) => {
                    known = after;
                    self.push("rename a group", Step::Ok);
                }
                Err(failure) => {
                    known = known.or([name]);
                    self.note::<()>("rename a group", Err(failure));
                }
            }
        } else {
            self.push("rename a group", Step::Cannot("rename groups"));
        }
        if deletes {
            let removed = connector.remove_group(&known).await;
            let gone = match removed {
                Ok(_) => is_gone(connector, known.name()).await,
                Err(failure) => Err(failure),
            };
            let still = "it says deleted, and still has it by its name: look at id and delete";
            self.expect("delete a group", gone, |gone| *gone, still);
        } else {
            self.push("delete a group", Step::Cannot("delete groups"));
        }
    }
}

async fn is_gone(connector: &Connector, name: &str) -> Result<bool, AppFailure> {
    let mut looks = Looks::default();
    while looks.go_on().await {
        if connector.find_group(name).await?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn named(connector: &Connector, name: &str) -> Attributes {
    Attributes::from([(connector.group_key().to_owned(), name.into())])
}
