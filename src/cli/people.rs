//! What is shown of people.

use super::output::{Output, or_dash, yes_no};
use super::session;
use super::user::Who;
use super::{InTenant, Server};
use crate::identity::{ManagedBy, SignInMethod};
use crate::server::control::{
    AuditRow, ConflictRow, MAX_ROWS, Operation, Page, UserDetails, UserRow,
};

/// All people of a tenant.
pub(super) fn list(
    tenant: &InTenant,
    json: bool,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut users: Vec<UserRow> = Vec::new();
    let mut after = None;
    loop {
        let page: Page<UserRow> = server.ask(&Operation::UserList {
            tenant: tenant.tenant.clone(),
            after,
            limit: MAX_ROWS,
        })?;
        users.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if json {
        return output.json(&users);
    }
    let rows: Vec<Vec<String>> = users.iter().map(cells).collect();
    output.table(
        &[
            "USER NAME",
            "NAME",
            "E-MAIL",
            "ACTIVE",
            "SIGNS IN",
            "KEPT BY",
            "EXTERNAL ID",
            "ROLES",
            "CHANGED",
        ],
        &rows,
    );
    Ok(())
}

fn cells(user: &UserRow) -> Vec<String> {
    vec![
        user.user_name.clone(),
        user.display_name.clone(),
        or_dash(user.email.as_deref()),
        yes_no(user.active).to_owned(),
        signs_in(user),
        kept_by(user),
        or_dash(user.external_id.as_deref()),
        or_dash(Some(&roles(user))),
        user.modified.clone(),
    ]
}

fn signs_in(user: &UserRow) -> String {
    match (user.sign_in, user.must_change_password) {
        (SignInMethod::External, _) => "external".to_owned(),
        (SignInMethod::Local, false) => "local".to_owned(),
        (SignInMethod::Local, true) => "local, must change".to_owned(),
    }
}

/// One person with groups, roles, links, sessions and history.
pub(super) fn show(
    who: &Who,
    json: bool,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let user: UserDetails = server.ask(&Operation::UserShow {
        tenant: who.tenant.tenant.clone(),
        user: who.user.clone(),
    })?;
    if json {
        return output.json(&user);
    }
    let links = user
        .links
        .iter()
        .map(|link| format!("{} {}", link.idp.as_str(), link.subject))
        .collect::<Vec<_>>();
    output.facts(&[
        ("user name", user.row.user_name.clone()),
        ("name", user.row.display_name.clone()),
        ("id", user.row.id.clone()),
        ("external id", or_dash(user.row.external_id.as_deref())),
        ("e-mail", or_dash(user.row.email.as_deref())),
        ("active", yes_no(user.row.active).to_owned()),
        ("signs in", signs_in(&user.row)),
        ("kept by", kept_by(&user.row)),
        ("groups", or_dash(Some(&user.groups.join(", ")))),
        ("roles", or_dash(Some(&roles(&user.row)))),
        ("linked to", or_dash(Some(&links.join(", ")))),
        ("created", user.row.created.clone()),
        ("changed", user.row.modified.clone()),
    ]);
    if !user.sessions.is_empty() {
        output.line("");
        session::table(&user.sessions, output);
    }
    if !user.history.is_empty() {
        output.line("");
        let rows: Vec<Vec<String>> = user.history.iter().map(entry).collect();
        output.table(&["WHEN", "WHAT", "BY", "CHANGED"], &rows);
    }
    Ok(())
}

/// An entry of the history: what changed by name alone; `sidegate audit show` has the values.
fn entry(row: &AuditRow) -> Vec<String> {
    let changes = row.event.changes.as_ref().and_then(|its| its.as_object());
    let names = changes.into_iter().flat_map(|its| its.keys());
    let mut what: Vec<&str> = names.map(String::as_str).collect();
    what.extend(row.event.group_name.as_deref());
    let why = row.event.reason.as_deref();
    vec![
        row.at.clone(),
        row.event.action.clone(),
        row.event.actor.clone(),
        match (what.is_empty(), why) {
            (true, why) => or_dash(why),
            (false, _) => what.join(", "),
        },
    ]
}

fn kept_by(user: &UserRow) -> String {
    match user.managed_by {
        ManagedBy::Scim => "scim",
        ManagedBy::SignIn => "sign-in",
        ManagedBy::Operator => "operator",
        ManagedBy::Retired => "nobody: deleted by SCIM",
    }
    .to_owned()
}

/// Each with where it comes from.
fn roles(user: &UserRow) -> String {
    let roles = user.roles_from.iter();
    let roles = roles.map(|its| format!("{} ({})", its.role, its.from));
    roles.collect::<Vec<_>>().join(", ")
}

/// Sign-ins that met somebody else's record.
pub(super) fn conflicts(
    tenant: &InTenant,
    json: bool,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let rows: Vec<ConflictRow> = server.ask(&Operation::UserConflicts {
        tenant: tenant.tenant.clone(),
    })?;
    if json {
        return output.json(&rows);
    }
    let cells = |row: &ConflictRow| {
        vec![
            row.last.clone(),
            row.times.to_string(),
            row.idp.to_string(),
            row.user_name.clone(),
            row.subject.clone(),
            row.why.clone(),
            or_dash(Some(&row.records.join(", "))),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let head = [
        "LAST", "TIMES", "IDP", "CALLED", "SUBJECT", "WHY NOT", "RECORDS",
    ];
    output.table(&head, &rows);
    Ok(())
}
