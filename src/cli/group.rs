//! `sidegate group …`

use std::process::ExitCode;

use super::output::{Output, or_dash};
use super::{InTenant, Server};
use crate::server::control::{GroupDetails, GroupRow, MAX_ROWS, Operation, Page};

/// Groups of the directory.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All groups, by name.
    List {
        #[command(flatten)]
        tenant: InTenant,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One group and its first 500 members.
    Show {
        /// Display name or id.
        group: String,
        #[command(flatten)]
        tenant: InTenant,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { tenant, json } => {
            let mut groups: Vec<GroupRow> = Vec::new();
            let mut after = None;
            loop {
                let page: Page<GroupRow> = server.ask(&Operation::GroupList {
                    tenant: tenant.tenant.clone(),
                    after,
                    limit: MAX_ROWS,
                })?;
                groups.extend(page.rows);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if *json {
                output.json(&groups)?;
            } else {
                let rows: Vec<Vec<String>> = groups.iter().map(cells).collect();
                output.table(&["GROUP", "ID", "EXTERNAL ID", "CHANGED"], &rows);
            }
        }
        Command::Show {
            group,
            tenant,
            json,
        } => {
            let found: GroupDetails = server.ask(&Operation::GroupShow {
                tenant: tenant.tenant.clone(),
                group: group.clone(),
            })?;
            if *json {
                output.json(&found)?;
            } else {
                let more = if found.more { ", and more" } else { "" };
                output.facts(&[
                    ("group", found.row.display_name.clone()),
                    ("id", found.row.id.clone()),
                    ("external id", or_dash(found.row.external_id.as_deref())),
                    ("created", found.row.created.clone()),
                    ("changed", found.row.modified.clone()),
                    ("members", format!("{}{more}", found.members.join(", "))),
                ]);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(group: &GroupRow) -> Vec<String> {
    vec![
        group.display_name.clone(),
        group.id.clone(),
        or_dash(group.external_id.as_deref()),
        group.modified.clone(),
    ]
}
