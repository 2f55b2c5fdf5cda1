//! What others wrote: conversations of real clients, and a conformance test.

use tokio::process::Command;

use super::gate;
use crate::support::{ScimClient, Sidegate, python, test_file};

/// The extensions that traces send.
const SETTINGS: &str = r#"
[[scim.extension]]
schema = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
attributes = [{ name = "tag" }]
[[scim.extension]]
schema = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName"
attributes = [{ name = "folders", multi_valued = true }]
[[scim.extension]]
schema = "urn:ietf:params:scim:schemas:extension:2.0:Metadata"
open = true
[scim]
rate = 100000
password = true
"#;

const CONFORMANCE: &str = "[scim]\nrate = 100000\n";

/// Fails with what the program printed.
async fn passes(mut command: Command) -> String {
    let done = command.kill_on_drop(true).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{error}", done.status);
    out
}

fn replay(gate: &Sidegate, scim: &ScimClient, base: &str) -> Command {
    let (id, secret) = scim.id_and_secret();
    let base = format!("{}{base}", gate.url());
    let mut command = Command::new(python("scim"));
    command
        .arg(test_file("scim/replay.py"))
        .args(["--quiet", "--keep-going", "--base-url", &base])
        .args(["--token", scim.token()])
        .args(["--basic", &format!("idp:{}", scim.token())])
        .args(["--token-url", &format!("{base}/oauth2/token")])
        .args(["--client-id", id, "--client-secret", secret]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_traces_pass() {
    let gate = gate(SETTINGS).await;
    let scim = ScimClient::new(&gate).await;
    let out = passes(replay(&gate, &scim, "/scim/v2")).await;
    let (traces, rest) = count(&out);
    assert!(traces > 0 && rest.contains(" 0 failed, 0 skipped"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_traces_pass_in_a_tenant_beside_another() {
    let tenants = "[[tenant]]\nslug = \"acme\"\n[[tenant]]\nslug = \"globex\"\n";
    let gate = gate(&format!("{SETTINGS}{tenants}")).await;
    let scim = ScimClient::of(&gate, "acme").await;
    let mut other = ScimClient::of(&gate, "globex").await;
    other.person("u@contoso.example").await;
    let out = passes(replay(&gate, &scim, "/scim/v2/acme")).await;
    assert!(out.contains(" 0 failed, 0 skipped"), "{out}");
    let people: serde_json::Value = other.get("/Users").await.json();
    assert_eq!(people["totalResults"], 1, "{people}");
}

fn count(out: &str) -> (usize, &str) {
    let total = out.split_once("TOTAL ").unwrap().1;
    let (number, rest) = total.split_once(' ').unwrap();
    (number.parse().unwrap(), rest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conformance_test_passes() {
    // Without extensions: the tester takes a list of texts that grew by `add` for a mistake (RFC 7644 3.5.2.1 does not).
    let gate = gate(CONFORMANCE).await;
    let scim = ScimClient::new(&gate).await;
    let mut command = Command::new(python("scim"));
    command
        .args(["-c", "from scim2_cli import cli; cli()"])
        .args([
            "--url",
            &format!("{}/scim/v2", gate.url()),
            "test",
            "--verbose",
        ])
        .env(
            "SCIM_CLI_HEADERS",
            format!("Authorization: Bearer {}", scim.token()),
        );
    let out = passes(command).await;
    assert!(out.contains("SUCCESS"), "{out}");
    assert!(!out.contains("ERROR"), "{out}");
}
