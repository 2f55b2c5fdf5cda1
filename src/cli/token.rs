//! `sidegate token …`

use std::process::ExitCode;
use std::time::Duration;

use super::output::{Output, or_dash, yes_no};
use super::{InTenant, Server, slug};
use crate::config::read_duration;
use crate::identity::TenantSlug;
use crate::server::control::{CreateToken, NewTokenRow, Operation, TokenRow};

/// Shortest and longest life of a token.
const LIFE: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(24 * 3650);

/// Tokens of SCIM clients.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token; its secret is shown this once.
    #[command(after_help = "Examples:
  sidegate token create --name entra --expires 365d
  sidegate token create --tenant acme --name okta --roles MEMBER,MANAGER

Several tokens are valid side by side: make the new one, give it to the idp, revoke the old one.")]
    Create(New),
    /// All tokens, oldest first, with their last use.
    List {
        /// Only this tenant's.
        #[arg(long, value_name = "SLUG", value_parser = slug)]
        tenant: Option<TenantSlug>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// End a token, and the access tokens it was traded for, at once.
    Revoke {
        /// Its id or name, as `token list` shows them.
        token: String,
        /// Only one of this tenant.
        #[arg(long, value_name = "SLUG", value_parser = slug)]
        tenant: Option<TenantSlug>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// A token to make.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    #[command(flatten)]
    tenant: InTenant,
    /// What it is called; changes made with it are `scim:NAME`'s in the audit. Without one it is called by its id.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// When it ends, such as 90d or 8h; without it never. The log and a metric warn from 30 days before.
    #[arg(long, value_name = "TIME", value_parser = life)]
    expires: Option<Duration>,
    /// The only roles it may give, with commas; without it any of `roles.allowed`.
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn life(text: &str) -> Result<Duration, String> {
    let life = read_duration(text).filter(|life| LIFE.contains(life));
    life.ok_or_else(|| "must be a whole number with m, h or d, from 1m to 3650d".to_owned())
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(new) => {
            let made: NewTokenRow = server.ask(&Operation::TokenCreate(CreateToken {
                tenant: new.tenant.tenant.clone(),
                name: new.name.clone(),
                expires_seconds: new.expires.map(|life| life.as_secs()),
                roles: new.roles.clone(),
            }))?;
            if new.json {
                output.json(&made)?;
            } else {
                tell(&made, output);
            }
        }
        Command::List { tenant, json } => {
            let tenant = tenant.clone();
            let rows: Vec<TokenRow> = server.ask(&Operation::TokenList { tenant })?;
            if *json {
                output.json(&rows)?;
            } else {
                table(&rows, output);
            }
        }
        Command::Revoke {
            token,
            tenant,
            json,
        } => {
            let revoked: TokenRow = server.ask(&Operation::TokenRevoke {
                tenant: tenant.clone(),
                token: public_part(token).to_owned(),
            })?;
            if *json {
                output.json(&revoked)?;
            } else {
                output.line(&format!("{} ({}): revoked", revoked.id, revoked.name));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who found a token somewhere pastes all of it: only its id goes on.
fn public_part(token: &str) -> &str {
    let rest = token.trim().strip_prefix("sgt_");
    let id = rest.map(|rest| rest.split_once('_').map_or(rest, |(id, _)| id));
    id.unwrap_or(token)
}

fn tell(made: &NewTokenRow, output: &mut Output) {
    let row = &made.row;
    let end = row.expires.as_deref();
    output.line(&format!(
        "Token {} ({}) of tenant {} is made. This is the only time that its secret is shown.",
        row.id, row.name, row.tenant
    ));
    output.line("");
    output.facts(&[
        ("Tenant URL", made.tenant_url.clone()),
        ("Secret token", made.token.expose().to_owned()),
    ]);
    output.line("\nOr, as OAuth 2.0 client credentials:\n");
    output.facts(&[
        ("Token endpoint", made.token_endpoint.clone()),
        ("Client id", made.client_id.clone()),
        ("Client secret", made.client_secret.expose().to_owned()),
    ]);
    output.line("");
    output.facts(&[
        ("Gives roles", roles(row)),
        ("Ends", end.unwrap_or("when it is revoked").to_owned()),
    ]);
}

fn table(rows: &[TokenRow], output: &mut Output) {
    let cells = |row: &TokenRow| {
        vec![
            row.id.clone(),
            row.name.clone(),
            row.tenant.as_str().to_owned(),
            row.state.clone(),
            yes_no(row.in_use).to_owned(),
            row.created.clone(),
            or_dash(row.last_used.as_deref()),
            or_dash(row.expires.as_deref()),
            roles(row),
        ]
    };
    let head = [
        "ID",
        "NAME",
        "TENANT",
        "STATE",
        "IN USE",
        "CREATED",
        "LAST USED",
        "ENDS",
        "GIVES ROLES",
    ];
    let rows: Vec<_> = rows.iter().map(cells).collect();
    output.table(&head, &rows);
}

fn roles(row: &TokenRow) -> String {
    match row.roles.as_deref() {
        None => "any".to_owned(),
        Some([]) => "none".to_owned(),
        Some(roles) => roles.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_part_of_a_pasted_token_goes_on() {
        for (token, want) in [
            ("0a1b2c3d4e5f", "0a1b2c3d4e5f"),
            ("entra", "entra"),
            (" sgt_0a1b2c3d4e5f_secret_part ", "0a1b2c3d4e5f"),
            ("sgt_0a1b2c3d4e5f", "0a1b2c3d4e5f"),
        ] {
            assert_eq!(public_part(token), want);
        }
    }

    #[test]
    fn a_life_is_bounded() {
        for (text, ok) in [
            ("365d", true),
            ("1m", true),
            ("3650d", true),
            ("3651d", false),
            ("59s", false),
            ("0d", false),
            ("-1d", false),
            ("soon", false),
        ] {
            assert_eq!(life(text).is_ok(), ok, "{text}");
        }
    }
}
