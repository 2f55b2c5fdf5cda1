//! People whom the app had before.

use std::process::ExitCode;

use super::Args;
use crate::cli::Server;
use crate::cli::output::{Output, plain};
use crate::provision::Plan;
use crate::server::control::{AccountsRow, Operation};

pub(super) fn run(
    args: &Args,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let answer: AccountsRow = server.ask(&Operation::UserImportAccounts {
        tenant: args.tenant.tenant.clone(),
        apply: args.apply,
    })?;
    let count = |plan: Plan| {
        answer
            .counts
            .iter()
            .find(|(its, _)| *its == plan)
            .map_or(0, |(_, count)| *count)
    };
    let lines = [
        (Plan::Linked, "linked before", "linked before"),
        (
            Plan::Exact,
            "linked, by exact name",
            "to link, by exact name",
        ),
        (
            Plan::Case,
            "linked, by name in other letters",
            "to link, by name in other letters",
        ),
        (Plan::New, "made here", "to make here"),
        (
            Plan::Ambiguous,
            "ambiguous, left alone",
            "ambiguous, left alone",
        ),
        (Plan::Refused, "refused", "would be refused"),
    ];
    for (plan, done, planned) in lines {
        output.line(&format!(
            "{}: {}",
            if args.apply { done } else { planned },
            count(plan)
        ));
        let rows = answer
            .rows
            .iter()
            .filter(|row| row.plan == plan && plan != Plan::New);
        for row in rows {
            output.line(&plain(&format!(
                "  {} (id {} there): {}",
                row.login, row.app_id, row.note
            )));
        }
    }
    if !args.apply {
        output.line("nothing is changed yet: add --apply");
    }
    Ok(if count(Plan::Refused) == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
