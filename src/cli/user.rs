//! `sidegate user …`

use std::process::ExitCode;

use clap::ValueEnum;

use super::output::Output;
use super::password;
use super::people;
use super::{InTenant, Server};
use crate::identity::SignInMethod;
use crate::server::control::{ChangedUser, Create, Operation};

/// People of the directory. A person is named by user name or by id.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All people, by user name.
    List {
        #[command(flatten)]
        tenant: InTenant,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// One person with groups, roles, links and sessions.
    Show {
        #[command(flatten)]
        who: Who,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a person: a local account, or a record that a first sign-in through an idp finds.
    #[command(after_help = "Examples:
  sidegate user create eve --email eve@example.com --local       asks for the password
  sidegate user create ops --local --role ADMIN --must-change --password-file /run/secrets/ops
  pwgen 20 1 | sidegate user create eve --local                  password from standard input
  sidegate user create mallory@example.com                       signs in through an idp")]
    Create(New),
    /// Set the password of a local account; ends the person's sessions.
    SetPassword {
        #[command(flatten)]
        who: Who,
        /// The person has to choose another at the next sign-in.
        #[arg(long)]
        must_change: bool,
        #[command(flatten)]
        password: password::From,
    },
    /// Say how the person signs in; the other way stops working, and their sessions end.
    SetLogin {
        #[command(flatten)]
        who: Who,
        /// The one way.
        method: Method,
    },
    /// Shut a person out: sessions, bearer use and open streams end within a second.
    Deactivate(Who),
    /// Let a person in again.
    Activate(Who),
    /// Delete a person; a first sign-in through an idp does not make them again.
    Delete(Who),
    /// Make and change people as a file says: a plan first, then with --apply.
    #[command(after_help = super::import::HELP)]
    Import(super::import::Args),
    /// Sign-ins that were refused because they fit somebody else's record.
    Conflicts {
        #[command(flatten)]
        tenant: InTenant,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
}

/// A person.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// User name or id.
    #[arg(value_name = "NAME")]
    pub(super) user: String,
    #[command(flatten)]
    pub(super) tenant: InTenant,
}

/// A person to make.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// User name.
    #[arg(value_name = "NAME")]
    user: String,
    /// E-mail address.
    #[arg(long)]
    email: Option<String>,
    /// Name for display.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A role; may be given several times, where roles.attribute lets several count.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A local account, with a password of its own.
    #[arg(long)]
    local: bool,
    /// The person has to choose another password at the first sign-in.
    #[arg(long, requires = "local")]
    must_change: bool,
    #[command(flatten)]
    password: password::From,
    #[command(flatten)]
    tenant: InTenant,
}

/// How a person signs in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Method {
    /// With a password of ours.
    Local,
    /// Through an idp.
    External,
}

impl From<Method> for SignInMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Local => Self::Local,
            Method::External => Self::External,
        }
    }
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { tenant, json } => people::list(tenant, *json, server, output)?,
        Command::Show { who, json } => people::show(who, *json, server, output)?,
        Command::Import(args) => return super::import::run(args, server, output),
        Command::Conflicts { tenant, json } => {
            people::conflicts(tenant, *json, server, output)?;
        }
        Command::Create(new) => {
            tell("made", &new.user, &server.ask(&create(new)?)?, output);
        }
        Command::SetPassword {
            who,
            must_change,
            password,
        } => {
            let operation = Operation::UserSetPassword {
                tenant: who.tenant.tenant.clone(),
                user: who.user.clone(),
                password: password.read(&who.user)?,
                must_change: *must_change,
            };
            change(
                who,
                "password set, sessions ended",
                &operation,
                server,
                output,
            )?;
        }
        Command::SetLogin { who, method } => {
            let operation = Operation::UserSetLogin {
                tenant: who.tenant.tenant.clone(),
                user: who.user.clone(),
                method: (*method).into(),
            };
            change(
                who,
                "sign-in changed, sessions ended",
                &operation,
                server,
                output,
            )?;
        }
        Command::Deactivate(who) => {
            change(who, "shut out", &active(who, false), server, output)?;
        }
        Command::Activate(who) => {
            change(who, "let in again", &active(who, true), server, output)?;
        }
        Command::Delete(who) => {
            let operation = Operation::UserDelete {
                tenant: who.tenant.tenant.clone(),
                user: who.user.clone(),
            };
            change(who, "deleted", &operation, server, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn create(new: &New) -> anyhow::Result<Operation> {
    if new.password.is_given() && !new.local {
        anyhow::bail!("--password-file is for local accounts: add --local");
    }
    let password = new
        .local
        .then(|| new.password.read(&new.user))
        .transpose()?;
    Ok(Operation::UserCreate(Create {
        tenant: new.tenant.tenant.clone(),
        user_name: new.user.clone(),
        email: new.email.clone(),
        display_name: new.display_name.clone(),
        roles: new.roles.clone(),
        password,
        must_change: new.must_change,
    }))
}

fn active(who: &Who, active: bool) -> Operation {
    Operation::UserSetActive {
        tenant: who.tenant.tenant.clone(),
        user: who.user.clone(),
        active,
    }
}

fn change(
    who: &Who,
    what: &str,
    operation: &Operation,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    tell(what, &who.user, &server.ask(operation)?, output);
    Ok(())
}

fn tell(what: &str, who: &str, changed: &ChangedUser, output: &mut Output) {
    let name = changed.user.as_ref().map_or(who, |user| &user.user_name);
    output.line(&super::output::plain(&format!("{name}: {what}")));
    for note in &changed.notes {
        output.line(&super::output::plain(&format!("note: {note}")));
    }
}
