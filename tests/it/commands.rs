//! The command line as an operator types it.

use serde_json::Value;

use crate::support::{Seen, Sidegate, UpstreamApp, run};

pub const LOCAL: &str =
    "[local]\nenabled = true\nbcrypt_cost = 4\n[roles]\nallowed = ['ADMIN', 'MEMBER']\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_from_the_first_day_to_the_last() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let config = gate.config().clone();
    let sidegate = |line: &'static str, input: &'static str| run(&config, line, input);

    let made = sidegate(
        "user create eve --email eve@example.com --role MEMBER --local",
        "a long password\n",
    )
    .await;
    assert_eq!((made.0, made.1.as_str()), (0, "eve: made\n"), "{}", made.2);
    let again = sidegate("user create EVE --local", "a long password").await;
    assert_eq!(again.0, 1);
    assert!(again.2.contains("taken"), "{}", again.2);

    let mut eve = gate.browser();
    assert_eq!(eve.sign_in("eve", "a long password", "/").await.status, 303);
    let seen: Seen = eve.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-roles"), Some("MEMBER"));

    let listed = sidegate("session list --json", "").await;
    let sessions: Value = serde_json::from_str(&listed.1).unwrap();
    assert_eq!(sessions[0]["user_name"], "eve");
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    let shown = sidegate("user show eve", "").await;
    assert!(shown.1.contains("roles        MEMBER"), "{}", shown.1);

    let changed = sidegate("user set-password eve --must-change", "another password").await;
    assert_eq!(changed.0, 0, "{}", changed.2);
    let listed = sidegate("session list --user eve --json", "").await;
    assert_eq!(listed.1, "[]\n", "a new password ends sessions");

    let method = sidegate("user set-login eve external", "").await;
    assert_eq!(method.0, 0, "{}", method.2);
    let refused = sidegate("user set-password eve", "yet another one").await;
    assert_eq!(refused.0, 1);
    assert!(refused.2.contains("set-login"), "{}", refused.2);

    for (line, want) in [
        ("user deactivate eve", "eve: shut out\n"),
        ("user activate eve", "eve: let in again\n"),
        ("user delete eve", "eve: deleted\n"),
    ] {
        assert_eq!(run(&config, line, "").await.1, want);
    }
    let gone = sidegate("user show eve", "").await;
    assert_eq!(gone.0, 1);
    assert!(gone.2.contains("there is no person \"eve\""), "{}", gone.2);
    let audit = sidegate("audit show --user eve --action user. --json", "").await;
    let audit: Value = serde_json::from_str(&audit.1).unwrap();
    assert_eq!(audit[0]["action"], "user.deleted");
    assert!(audit[0]["actor"].as_str().unwrap().starts_with("cli:uid="));
    let verified = sidegate("audit verify", "").await;
    assert_eq!(verified.0, 0);
    assert!(verified.1.starts_with("whole: "), "{}", verified.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_ended_in_one_way_at_a_time() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let config = gate.config().clone();
    gate.person("alice", &[]).await;
    gate.person("bob", &[]).await;
    let _browsers = (
        gate.signed_in("alice").await,
        gate.signed_in("alice").await,
        gate.signed_in("bob").await,
    );
    let listed = run(&config, "session list --user bob --json", "").await;
    let sessions: Value = serde_json::from_str(&listed.1).unwrap();
    let id = sessions[0]["id"].as_str().unwrap().to_owned();
    for (line, want) in [
        (
            "session revoke --id nonsense".to_owned(),
            (1, "0 sessions ended\n"),
        ),
        (
            format!("session revoke --id {id}"),
            (0, "1 session ended\n"),
        ),
        (
            "session revoke --user alice".to_owned(),
            (0, "2 sessions ended\n"),
        ),
        (
            "session revoke --idp x --idp-session y".to_owned(),
            (0, "0 sessions ended\n"),
        ),
        (
            "session revoke --tenant default".to_owned(),
            (0, "0 sessions ended\n"),
        ),
    ] {
        let ran = run(&config, &line, "").await;
        assert_eq!((ran.0, ran.1.as_str()), want, "{line}: {}", ran.2);
    }
    for (line, why) in [
        (
            "user create x --role OWNER",
            "\"OWNER\" is not one of roles.allowed: ADMIN, MEMBER",
        ),
        ("user create x --email a@b@c", "must have exactly one @"),
        ("user create \u{1b}[2J", "cannot be used"),
    ] {
        let ran = run(&config, line, "").await;
        assert_eq!(ran.0, 1, "{line}");
        assert!(ran.2.contains(why), "{line}: {}", ran.2);
        assert!(!ran.2.contains('\u{1b}'), "{line}: {}", ran.2);
    }
    let both = run(&config, "user create both --role ADMIN --role MEMBER", "").await;
    assert!(both.1.contains("the app is not told MEMBER"), "{}", both.1);
    let shown: Value =
        serde_json::from_str(&run(&config, "user show both --json", "").await.1).unwrap();
    assert_eq!(shown["roles"], serde_json::json!(["ADMIN"]));
    for line in [
        "session revoke",
        "session revoke --id x --user y",
        "session revoke --idp x",
    ] {
        assert_eq!(run(&config, line, "").await.0, 2, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_tell_what_is_wrong() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let right = gate.config().clone();
    let wrong = gate.folder.join("wrong.toml");
    std::fs::write(
        &wrong,
        "public_url = 'http://app.test'\n[session]\nidel = '1h'\n",
    )
    .unwrap();
    let broken = gate.folder.join("broken.toml");
    std::fs::write(&broken, "public_url = \"canary").unwrap();
    let missing = gate.folder.join("missing.toml");
    for (config, line, code, want) in [
        (&right, "check", 0, ""),
        (&right, "check --connect", 0, ""),
        (
            &right,
            "check --store",
            1,
            "has the store to itself; stop it first",
        ),
        (&right, "user list", 0, ""),
        (
            &right,
            "user list --tenant other",
            1,
            "there is no tenant \"other\"",
        ),
        (&right, "user list --tenant Not/One", 2, "invalid value"),
        (&right, "reboot", 2, "unrecognized subcommand"),
        (
            &wrong,
            "check",
            78,
            "session.idel: is not a key that exists here; did you mean session.idle?",
        ),
        (
            &wrong,
            "serve",
            78,
            "public_url: \"http://app.test\" must start with https://",
        ),
        (&broken, "check", 78, "line 1, column 21"),
        (&missing, "user list", 78, "missing.toml: cannot be read"),
    ] {
        let ran = run(config, line, "").await;
        assert_eq!(ran.0, code, "{line}: {} {}", ran.1, ran.2);
        assert!(ran.2.contains(want), "{line}: {}", ran.2);
        assert!(!ran.2.contains("canary"), "{line}: {}", ran.2);
    }
    let ended = gate.stop();
    let nobody = run(&right, "user list", "").await;
    assert_eq!(nobody.0, 1);
    assert!(nobody.2.contains("no server answers"), "{}", nobody.2);
    let store = run(&right, "check --store", "").await;
    assert_eq!(store.0, 0, "{} {}", store.1, store.2);
    assert!(store.1.contains("sidegate.redb: ok"), "{}", store.1);
    std::fs::remove_dir_all(ended).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_from_a_file_after_a_plan() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let config = gate.config().clone();
    let file = gate.folder.join("people.csv");
    let import = format!("user import {}", file.display());
    let text = "userName,email,role,externalId\neve,eve@corp.test,MEMBER,7\nbob,,ROOT,\n";
    std::fs::write(&file, text).unwrap();
    let plan = run(&config, &import, "").await;
    assert_eq!(plan.0, 1, "{}", plan.2);
    let refused =
        "roles[primary eq true].value: \"ROOT\" is not a role here; allowed: ADMIN, MEMBER";
    let want = format!(
        "to make: 1\n  line 2: eve\nto change: 0\nthe same: 0\nwould be refused: 1\n  line 3: bob: {refused}\n\
         nothing is changed yet: add --apply\n"
    );
    assert_eq!(plan.1, want);
    assert_eq!(run(&config, "user list --json", "").await.1, "[]\n");
    std::fs::write(&file, text.replace("ROOT", "ADMIN")).unwrap();
    let applied = run(&config, &format!("{import} --apply"), "").await;
    assert_eq!(applied.0, 0, "{}", applied.2);
    assert!(applied.1.starts_with("made: 2\n"), "{}", applied.1);
    let again = run(&config, &import, "").await;
    assert!(again.1.contains("the same: 2\n"), "{}", again.1);
    let listed = run(&config, "user list --json", "").await;
    let people: Value = serde_json::from_str(&listed.1).unwrap();
    assert_eq!(people[1]["external_id"], "7");
    assert_eq!(people[1]["managed_by"], "operator");
    assert_eq!(
        people[1]["roles_from"][0]["from"],
        "roles[primary eq true].value"
    );
    let shown = run(&config, "user show eve", "").await.1;
    for line in [
        "kept by      operator",
        "roles        MEMBER (roles[primary eq true].value)",
        "user.created  cli:uid=",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    std::fs::write(&file, "name\neve\n").unwrap();
    let broken = run(&config, &import, "").await;
    assert_eq!(broken.0, 1);
    assert!(
        broken.2.contains("column \"name\" is none of userName"),
        "{}",
        broken.2
    );
    let conflicts = run(&config, "user conflicts --json", "").await;
    assert_eq!(
        (conflicts.0, conflicts.1.as_str()),
        (0, "[]\n"),
        "{}",
        conflicts.2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_tells_what_cannot_be_reached() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let further =
        "[[idp]]\nname = 'dead'\nkind = 'oidc'\nissuer = 'http://127.0.0.1:9'\nclient_id = 'c'\n";
    let text = std::fs::read_to_string(gate.config()).unwrap() + further;
    let config = gate.folder.join("further.toml");
    std::fs::write(&config, text).unwrap();
    let checked = run(&config, "check", "").await;
    assert_eq!(checked.0, 0, "{}", checked.2);
    let connected = run(&config, "check --connect", "").await;
    assert_eq!(connected.0, 1, "{}", connected.2);
    assert!(
        connected.1.contains("idp dead: FAILED: "),
        "{}",
        connected.1
    );
    assert!(
        connected.1.contains("in use by the running server"),
        "{}",
        connected.1
    );
}
