//! What the newcomer reads: links, accounts, and what to try.

use std::fmt;
use std::path::Path;

use super::Person;
use crate::server::control::NewTokenRow;

pub(super) struct Guide<'a> {
    pub(super) port: u16,
    pub(super) ops: u16,
    pub(super) config: &'a Path,
    pub(super) people: &'a [Person],
    pub(super) token: &'a NewTokenRow,
}

impl fmt::Display for Guide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, ops, .. } = self;
        let base = format!("http://localhost:{port}");
        let sidegate = std::env::current_exe().map_or_else(
            |_unknown| "sidegate".to_owned(),
            |path| path.display().to_string(),
        );
        writeln!(f, "\nSidegate is running in front of a demo app. Open")?;
        writeln!(f, "\n    {base}/\n")?;
        writeln!(f, "and sign in as")?;
        for person in self.people {
            let Person {
                name,
                role,
                password,
                ..
            } = person;
            writeln!(f, "    {name:8}{password:16}{role}")?;
        }
        writeln!(f, "\nThings to see")?;
        writeln!(
            f,
            "    {base}/admin      only alice may (rule: roles = [\"ADMIN\"])"
        )?;
        writeln!(f, "    {base}/public     everybody may, signed in or not")?;
        writeln!(f, "    {base}/.sidegate/whoami")?;
        writeln!(f, "    http://localhost:{ops}/metrics   /readyz   /healthz")?;
        writeln!(f, "\nProvisioning (SCIM 2.0): the Tenant URL and a token")?;
        let (url, token) = (&self.token.tenant_url, self.token.token.expose());
        writeln!(f, "    {url}")?;
        writeln!(f, "    {token}")?;
        writeln!(f, "    curl -H 'Authorization: Bearer {token}' {url}/Users")?;
        writeln!(f, "\nThings to try in another terminal")?;
        writeln!(
            f,
            "    curl -i {base}/api/hello                       401: a program is not sent to a page"
        )?;
        writeln!(
            f,
            "    curl -i -H 'X-Forwarded-User: alice' {base}/public   a forged header does not arrive"
        )?;
        writeln!(f, "    export SIDEGATE_CONFIG={}", self.config.display())?;
        writeln!(f, "    {sidegate} session list")?;
        writeln!(
            f,
            "    {sidegate} user deactivate bob      watch bob's page: his stream ends, he is out"
        )?;
        writeln!(f, "    {sidegate} user activate bob")?;
        writeln!(f, "    {sidegate} audit show")?;
        writeln!(
            f,
            "\nFrom another machine: ssh -L {port}:localhost:{port} THIS-MACHINE, then open the link there."
        )?;
        write!(f, "Ctrl-C ends the demo.")
    }
}
