//! `sidegate saml log`

use std::process::ExitCode;

use crate::cli::Server;
use crate::cli::output::{Output, or_dash, plain};
use crate::identity::{IdpName, NameError};
use crate::server::control::{Operation, RefusedRow};

/// Which refusals.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sidegate saml log
  sidegate saml log --request 1288bf1886a079097534b0b2e4692517     the id on the page that somebody saw
  sidegate saml log --idp entra --limit 5 --json

\"asked for\" fits a sign-in that began here; \"nobody asked\" may be a sign-in from the idp's side, or anybody's. Only the
running server knows these, in memory: the last 200 of each kind. docs/SAML.md has every check.")]
pub(in crate::cli) struct Args {
    /// Only those of this idp.
    #[arg(long, value_name = "NAME", value_parser = idp_name)]
    idp: Option<IdpName>,
    /// Only the one with this request id.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// At most so many; 500 is the most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// One JSON array.
    #[arg(long)]
    json: bool,
}

pub(super) fn idp_name(text: &str) -> Result<IdpName, NameError> {
    IdpName::try_from(text)
}

pub(super) fn run(
    args: &Args,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let rows: Vec<RefusedRow> = server.ask(&Operation::SamlLog {
        idp: args.idp.clone(),
        request_id: args.request.clone(),
        limit: usize::from(args.limit),
    })?;
    if args.json {
        output.json(&rows)?;
    } else {
        for row in &rows {
            tell(row, output);
        }
        if rows.is_empty() {
            output.line("nothing that fits was refused since the server started");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What idps and strangers sent stays on its line, and is no command to the terminal.
fn tell(row: &RefusedRow, output: &mut Output) {
    let mut line = |text: String| output.line(&plain(&text).replace('\n', "\\n"));
    let purpose = match row.purpose.as_str() {
        "sign_out" => "sign-out",
        _ => "sign-in",
    };
    let asked = match (row.asked, row.purpose.as_str()) {
        (true, _) => ", asked for",
        (false, "sign_out") => "",
        (false, _) => ", nobody asked",
    };
    let client = or_dash(row.client.as_deref());
    line(format!(
        "{}  {}  {purpose} refused: {}{asked}  from {client}",
        row.at, row.idp, row.check
    ));
    line(format!("    expected  {}", row.expected));
    line(format!("    came      {}", row.came));
    if let Some(field) = &row.portal_field {
        let page = row.portal_page.as_deref().unwrap_or_default();
        line(format!("    change    {field}  (Entra: {page})"));
    }
    line(format!("    hint      {}", row.hint));
    line(format!("    request   {}", row.request_ids.join(" ")));
    if row.times > 1 {
        line(format!("    times     {} since {}", row.times, row.since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::paper;

    fn row() -> RefusedRow {
        RefusedRow {
            at: "2026-11-23T03:00:00Z".to_owned(),
            since: "2026-11-23T02:00:00Z".to_owned(),
            times: 1,
            idp: idp_name("entra").unwrap(),
            purpose: "sign_in".to_owned(),
            asked: true,
            check: "audience".to_owned(),
            expected: "https://app.test/saml2/service-provider-metadata/entra".to_owned(),
            came: "spn:1234".to_owned(),
            portal_field: Some("Identifier (Entity ID)".to_owned()),
            portal_page: Some("Single sign-on, Basic SAML Configuration".to_owned()),
            hint: "give the idp our entity ID".to_owned(),
            client: Some("192.0.2.1".to_owned()),
            request_ids: vec!["1288bf".to_owned()],
        }
    }

    #[test]
    fn one_refusal_says_what_to_change() {
        let (mut output, text) = paper();
        tell(&row(), &mut output);
        let many = RefusedRow {
            times: 312,
            asked: false,
            portal_field: None,
            client: None,
            request_ids: vec!["1".to_owned(), "2".to_owned()],
            ..row()
        };
        tell(&many, &mut output);
        insta::assert_snapshot!(text(), @r"
        2026-11-23T03:00:00Z  entra  sign-in refused: audience, asked for  from 192.0.2.1
            expected  https://app.test/saml2/service-provider-metadata/entra
            came      spn:1234
            change    Identifier (Entity ID)  (Entra: Single sign-on, Basic SAML Configuration)
            hint      give the idp our entity ID
            request   1288bf
        2026-11-23T03:00:00Z  entra  sign-in refused: audience, nobody asked  from -
            expected  https://app.test/saml2/service-provider-metadata/entra
            came      spn:1234
            hint      give the idp our entity ID
            request   1 2
            times     312 since 2026-11-23T02:00:00Z
        ");
    }

    #[test]
    fn r41_what_came_is_no_command_to_the_terminal() {
        let evil = "\u{1b}[2J\n2026-01-01T00:00:00Z all is well".to_owned();
        let row = RefusedRow {
            expected: evil.clone(),
            came: evil.clone(),
            check: evil.clone(),
            request_ids: vec![evil],
            ..row()
        };
        let (mut output, text) = paper();
        tell(&row, &mut output);
        let text = text();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(text.lines().count(), 6, "{text}");
    }
}
