//! `sidegate session …`

use std::process::ExitCode;

use super::output::{Output, or_dash};
use super::{Server, slug};
use crate::identity::{IdpName, NameError, TenantSlug};
use crate::server::control::{MAX_ROWS, Operation, Page, Revoked, SessionRow, Which};

/// Live sessions.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Who is signed in, oldest first.
    List {
        /// Only this person's, by user name or id.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Only this tenant's.
        #[arg(long, value_name = "SLUG", value_parser = slug)]
        tenant: Option<TenantSlug>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// End sessions; their open streams and uploads stop within a second.
    #[command(after_help = "Examples:
  sidegate session revoke --id 7f3a…
  sidegate session revoke --user eve
  sidegate session revoke --idp entra --idp-session 0a1b…
  sidegate session revoke --tenant acme            everybody of that tenant")]
    Revoke(Revoke),
}

/// Which sessions end.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    which: WhichArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Exactly one way to say it.
#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = true)]
struct WhichArgs {
    /// The one with this id, as `session list` shows it.
    #[arg(long, value_name = "ID", conflicts_with_all = ["user", "idp_session", "tenant"])]
    id: Option<String>,
    /// All of this person, by user name or id.
    #[arg(long, value_name = "NAME", conflicts_with = "idp_session")]
    user: Option<String>,
    /// All that this session of the idp started (`sid`).
    #[arg(long, value_name = "SID", requires = "idp", conflicts_with = "tenant")]
    idp_session: Option<String>,
    /// The idp of --idp-session.
    #[arg(long, value_name = "NAME", requires = "idp_session", value_parser = idp)]
    idp: Option<IdpName>,
    /// The tenant of --user; alone, everybody of that tenant.
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    tenant: Option<TenantSlug>,
}

fn idp(text: &str) -> Result<IdpName, NameError> {
    IdpName::try_from(text)
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { user, tenant, json } => {
            let sessions = all(server, user.as_deref(), tenant.as_ref())?;
            if *json {
                output.json(&sessions)?;
            } else {
                table(&sessions, output);
            }
        }
        Command::Revoke(Revoke { which, json }) => {
            let revoked: Revoked = server.ask(&Operation::SessionRevoke(Which {
                id: which.id.clone(),
                user: which.user.clone(),
                idp_session: which.idp_session.clone(),
                idp: which.idp.clone(),
                tenant: which.tenant.clone(),
            }))?;
            if *json {
                output.json(&revoked)?;
            } else {
                let many = if revoked.count == 1 {
                    "session"
                } else {
                    "sessions"
                };
                output.line(&format!("{} {many} ended", revoked.count));
            }
            // Somebody who names one session and meets none has most likely mistyped it.
            if revoked.count == 0 && which.id.is_some() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn all(
    server: &Server<'_>,
    user: Option<&str>,
    tenant: Option<&TenantSlug>,
) -> anyhow::Result<Vec<SessionRow>> {
    let mut sessions: Vec<SessionRow> = Vec::new();
    loop {
        let page: Page<SessionRow> = server.ask(&Operation::SessionList {
            tenant: tenant.cloned(),
            user: user.map(str::to_owned),
            skip: sessions.len(),
            limit: MAX_ROWS,
        })?;
        sessions.extend(page.rows);
        if page.next.is_none() {
            return Ok(sessions);
        }
    }
}

/// As `session list` and `user show` print them.
pub(super) fn table(sessions: &[SessionRow], output: &mut Output) {
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .map(|session| {
            let client = session.client.map(|client| client.to_string());
            vec![
                session.id.clone(),
                session.user_name.clone(),
                session.tenant.as_str().to_owned(),
                session.idp.as_str().to_owned(),
                session.created.clone(),
                session.last_seen.clone(),
                session.absolute_until.clone(),
                or_dash(client.as_deref()),
            ]
        })
        .collect();
    output.table(
        &[
            "ID",
            "PERSON",
            "TENANT",
            "IDP",
            "CREATED",
            "LAST SEEN",
            "ENDS",
            "CLIENT",
        ],
        &rows,
    );
}
