//! `sidegate token`: shown once, listed without its secret, revoked at once.

use serde_json::{Value, json};

use crate::commands::LOCAL;
use crate::support::{Sidegate, UpstreamApp, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r55_a_token_is_shown_once_and_ends_when_it_is_revoked() {
    let app = UpstreamApp::start().await;
    let settings = format!("{LOCAL}[[tenant]]\nslug = 'default'\n[[tenant]]\nslug = 'acme'\n");
    let gate = Sidegate::start(&app.url(), &settings).await;
    let config = gate.config().clone();
    let sidegate = async |line: &str| {
        let ran = run(&config, line, "").await;
        assert_eq!(ran.0, 0, "{line}: {}", ran.2);
        ran.1
    };
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let base = format!("http://{}", gate.host);

    let made = sidegate("token create --name entra --json").await;
    let made = read(&made);
    let (id, whole) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!(whole, format!("sgt_{id}_{secret}"));
    assert_eq!(made["client_id"], id);
    assert_eq!(made["tenant_url"], format!("{base}/scim/v2"));
    assert_eq!(
        made["token_endpoint"],
        format!("{base}/scim/v2/oauth2/token")
    );
    let text =
        sidegate("token create --tenant acme --name okta --expires 365d --roles MEMBER").await;
    for want in [
        &format!("{base}/scim/v2/acme\n"),
        &format!("{base}/scim/v2/acme/oauth2/token\n"),
        "sgt_",
        "MEMBER",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }

    let listed = sidegate("token list --json").await;
    assert!(
        !listed.contains(secret) && !listed.contains("$2b$"),
        "{listed}"
    );
    let rows = read(&listed);
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let named = |rows: &Value, name: &str| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.find(|row| row["name"] == name).unwrap().clone()
    };
    let (entra, okta) = (named(&rows, "entra"), named(&rows, "okta"));
    assert_eq!(entra["state"], "active");
    assert_eq!(entra["last_used"], json!(null));
    assert_eq!(entra["in_use"], false);
    assert_eq!(
        (&entra["roles"], &okta["roles"]),
        (&json!(null), &json!(["MEMBER"]))
    );
    assert!(okta["expires"].is_string());
    let acme = read(&sidegate("token list --tenant acme --json").await);
    assert_eq!(acme[0]["name"], "okta");
    let table = sidegate("token list").await;
    assert!(
        table.contains("entra") && !table.contains(secret),
        "{table}"
    );

    // Pasted whole: its id is enough, and nothing else of it goes on.
    let revoked = sidegate(&format!("token revoke {whole}")).await;
    assert_eq!(revoked, format!("{id} (entra): revoked\n"));
    let rows = read(&sidegate("token list --json").await);
    assert_eq!(named(&rows, "entra")["state"], "revoked");
    sidegate("token revoke okta --tenant acme").await;
    let audit = sidegate("audit show --action token. --json").await;
    assert!(!audit.contains(secret), "{audit}");
    let audit = read(&audit);
    let actions: Vec<_> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["action"])
        .collect();
    assert_eq!(
        actions,
        [
            "token.revoked",
            "token.revoked",
            "token.created",
            "token.created"
        ]
    );
    assert_eq!(audit[1]["reason"], format!("{id} entra"));

    for (line, code, why) in [
        (
            "token create --roles OWNER",
            1,
            "\"OWNER\" is not one of roles.allowed: ADMIN, MEMBER",
        ),
        (
            "token create --tenant other",
            1,
            "there is no tenant \"other\"",
        ),
        ("token create --name a:b", 1, "no colon"),
        ("token create --expires soon", 2, "from 1m to 3650d"),
        ("token revoke entra", 1, "there is no such token"),
        (
            "token list --tenant other",
            1,
            "there is no tenant \"other\"",
        ),
    ] {
        let ran = run(&config, line, "").await;
        assert_eq!(ran.0, code, "{line}: {} {}", ran.1, ran.2);
        assert!(ran.2.contains(why), "{line}: {}", ran.2);
    }
}
