//! Groups that the app has yet to follow.

use super::AppSide;
use super::owed::told;
use crate::connector::{Found, Intent, Kind, Known, Ledger, Owner};
use crate::identity::GroupId;
use crate::provision::{People, Refused};

impl People {
    pub(super) async fn settle_group(
        &self,
        app: &AppSide,
        owner: &Owner,
        intent: &Intent,
    ) -> Result<(), Refused> {
        let id = GroupId::from(owner.id.as_str());
        let group = self.directory.group(&owner.tenant, &id).await?;
        let link = app.ledger.link(owner).await?;
        let Some(group) = group else {
            let begun = intent
                .create
                .as_ref()
                .and_then(|group| group.get("display_name")?.as_str());
            let _name = self.name_turn(Kind::Group, begun.unwrap_or_default()).await;
            if app.ledger.intent(owner).await?.is_none() {
                return Ok(());
            }
            if let Some(link) = link {
                let known = app.known(owner, &link).await?;
                told(owner, app.connector.remove_group(&known).await?, &known.id);
            } else if begun.is_some() {
                match app.begun_group(owner, intent).await {
                    Ok(Some(found)) if !app.connector.deletes_groups() => {
                        return self.finish_group(app, owner, intent, found).await;
                    }
                    Ok(Some(found)) => take_back(app, owner, found).await?,
                    Ok(None) => return self.give_time(app, owner, intent).await,
                    // R53: it is somebody else's by now.
                    Err(Refused::App(failure)) if !failure.passes() => {}
                    Err(refused) => return Err(refused),
                }
            }
            return Ok(app
                .ledger
                .write(Ledger::untie(owner).and(Ledger::settle(owner)))
                .await?);
        };
        let link = app
            .bring_group(owner, link, (&group, &group), self.clock.now())
            .await?;
        let mut wanted = self.members_there(app, &group).await?;
        let mut remove = app.connector.members(&link.app_id).await?;
        remove.retain(|id| wanted.remove(id).is_none());
        let (add, remove): (Vec<_>, Vec<_>) =
            (wanted.into_values().collect(), remove.into_iter().collect());
        let known = app.known(owner, &link).await?;
        app.connector.change_members(&known, &add, &remove).await?;
        Ok(app
            .ledger
            .write(Ledger::tie(owner, &link).and(Ledger::settle(owner)))
            .await?)
    }
}

/// A group that was begun goes again: nobody was told of it. One with people in it is not what we made: somebody in the
/// app made another of the name meanwhile.
async fn take_back(app: &AppSide, owner: &Owner, found: Found) -> Result<(), Refused> {
    if app.connector.has_members() && !app.connector.members(&found.id).await?.is_empty() {
        let (id, app_id) = (owner.id.as_str(), found.id);
        tracing::warn!(
            id,
            app_id,
            "a group of a name that was begun here has people in it, and is left in the app"
        );
        return Ok(());
    }
    let name = app.group_name(&found);
    let known = Known::new(found.id, name);
    told(owner, app.connector.remove_group(&known).await?, &known.id);
    Ok(())
}
