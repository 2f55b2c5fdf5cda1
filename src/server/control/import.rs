//! People from a file, and sign-ins that met somebody else's record.

use super::execute::{Asked, Refusal, done};
use super::row::{ConflictRow, ImportedRow};
use super::{Answer, MAX_ROWS};
use crate::identity::TenantSlug;
use crate::provision::{Actor, Imported, Refused};

impl Asked<'_> {
    pub(super) async fn user_import(
        &self,
        tenant: &TenantSlug,
        people: Vec<Imported>,
        apply: bool,
    ) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        if people.len() > MAX_ROWS {
            return Err(Refusal::Usage("too many people at once"));
        }
        let actor = Actor {
            dry_run: !apply,
            ..self.actor.clone()
        };
        let mut rows = Vec::new();
        for person in people {
            let user_name = person.user_name.clone();
            let import = match self.app.scim.imported(person) {
                Ok(person) => self.app.provision.import(tenant, person, &actor).await,
                Err(error) => {
                    rows.push(ImportedRow {
                        user_name,
                        outcome: None,
                        conflict: Some(error.detail.into_owned()),
                    });
                    continue;
                }
            };
            rows.push(match import {
                Ok(outcome) => ImportedRow {
                    user_name,
                    outcome: Some(outcome),
                    conflict: None,
                },
                // What fails now fails for the next one, too.
                Err(Refused::Directory(error)) if error.is_storage() => return Err(error.into()),
                Err(refused) => ImportedRow {
                    user_name,
                    outcome: None,
                    conflict: Some(refused.to_string()),
                },
            });
        }
        done(&rows)
    }

    pub(super) fn user_conflicts(&self, tenant: &TenantSlug) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        let conflicts = self.app.provision.conflicts(tenant);
        let rows = conflicts.into_iter().map(ConflictRow::from);
        done(&rows.collect::<Vec<_>>())
    }
}
