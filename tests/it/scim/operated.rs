//! What the operator has in hand: the stop, the fuse, the rehearsal, the log.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{gate, gate_in, refused};
use crate::support::{ScimClient, Sidegate, run, user};

/// Rows of `sidegate scim log` with these options.
async fn log(gate: &Sidegate, options: &str) -> Vec<Value> {
    let shown = gate.operator(&format!("scim log --json{options}")).await;
    serde_json::from_str(&shown).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_means_come_back_later() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let ada = scim.person("ada").await;
    gate.operator("scim pause").await;
    let path = format!("/Users/{ada}");
    for answer in [
        scim.get(&path).await,
        scim.post("/Users", &user("bob")).await,
        scim.delete(&path).await,
    ] {
        refused(&answer, 503, "paused");
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!(wait > 0);
    }
    let stranger = ScimClient::with(&gate, "default", "wrong").get(&path).await;
    refused(&stranger, 401, "who it is comes first");
    // A restart does not lift it.
    let (token, folder) = (scim.token().to_owned(), gate.stop());
    let gate = gate_in(folder, "").await;
    let mut scim = ScimClient::with(&gate, "default", &token);
    refused(&scim.get(&path).await, 503, "after a restart");
    gate.operator("scim resume").await;
    assert_eq!(scim.get(&path).await.status, 200);
    assert!(scim.find("/Users", "userName eq \"bob\"").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_holds_what_is_still_arriving() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let late = json!({ "userName": "late", "title": "x".repeat(100_000) }).to_string();
    let (first, rest) = late.split_at(late.len() / 2);
    let (token, address, length) = (scim.token(), gate.address, late.len());
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{first}"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    gate.operator("scim pause").await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    gate.operator("scim resume").await;
    let filter = "userName eq \"late\"";
    assert!(scim.find("/Users", filter).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fuse_stops_a_wave_of_deactivations() {
    let gate = gate("[provisioning]\nmax_deactivations_per_hour = 2\n").await;
    let mut scim = ScimClient::new(&gate).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(scim.person(&format!("person{number}")).await);
    }
    scim.set_active(&ids[0], "False").await;
    scim.set_active(&ids[0], "False").await; // no second one
    assert_eq!(scim.delete(&format!("/Users/{}", ids[1])).await.status, 204);
    let path = format!("/Users/{}", ids[2]);
    let mut out = user("person2");
    out["active"] = json!(false);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    for answer in [
        scim.delete(&path).await,
        scim.put(&path, &out).await,
        scim.patch(&path, off.clone()).await,
    ] {
        let detail = answer.text();
        assert!((400..600).contains(&answer.status.as_u16()), "{detail}");
        refused(&answer, answer.status.as_u16(), "the fuse");
        assert!(detail.contains("max_deactivations_per_hour"), "{detail}");
    }
    let still: Value = scim.get(&path).await.json();
    assert_eq!(still["active"], true);
    // Other changes go on, and so does letting people in.
    let operation = json!([{ "op": "replace", "path": "displayName", "value": "Two" }]);
    assert_eq!(scim.patch(&path, operation).await.status, 200);
    scim.set_active(&ids[0], "True").await;
    gate.operator("scim reset-fuse").await;
    assert_eq!(scim.patch(&path, off).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_answers_and_changes_nothing() {
    let folder = {
        let gate = gate("").await;
        let mut scim = ScimClient::new(&gate).await;
        let ada = scim.person("ada").await;
        scim.group("staff", &[&ada]).await;
        let ids = json!([ada, scim.token()]).to_string();
        std::fs::write(gate.folder.join("ids"), ids).unwrap();
        gate.stop()
    };
    let gate = gate_in(folder, "scim.dry_run = true\n").await;
    let ids = std::fs::read_to_string(gate.folder.join("ids")).unwrap();
    let ids: Vec<String> = serde_json::from_str(&ids).unwrap();
    let mut scim = ScimClient::with(&gate, "default", &ids[1]);
    let path = format!("/Users/{}", ids[0]);
    let before: Value = scim.get(&path).await.json();
    let group = scim
        .find("/Groups", "displayName eq \"staff\"")
        .await
        .remove(0);
    let group = format!("/Groups/{}", group["id"].as_str().unwrap());

    scim.person("bob").await;
    scim.set_active(&ids[0], "False").await;
    scim.member("Remove", &group.replace("/Groups/", ""), &ids[0])
        .await;
    assert_eq!(scim.put(&path, &user("ada2")).await.status, 200);
    assert_eq!(scim.delete(&group).await.status, 204);
    assert_eq!(scim.delete(&path).await.status, 204);
    refused(&scim.post("/Users", &user("ada")).await, 409, "as usual");

    assert_eq!(scim.get(&path).await.json::<Value>(), before);
    let list: Value = scim.get("/Users").await.json();
    assert_eq!(list["totalResults"], 1, "{list}");
    let kept: Value = scim.get(&group).await.json();
    assert_eq!(kept["members"].as_array().unwrap().len(), 1, "{kept}");
    // It is all in the log.
    assert!(
        log(&gate, " --user bob")
            .await
            .iter()
            .any(|row| row["status"] == 201)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_why_a_person_did_not_arrive() {
    let settings = "[roles]\nallowed = [\"MEMBER\"]\n[scim]\npassword = true\n";
    let gate = gate(settings).await;
    let mut scim = ScimClient::new(&gate).await;
    let mut body = user("ada");
    body["roles"] = json!([{ "primary": true, "value": "OWNER" }]);
    body["password"] = json!("canary-password");
    body["phoneNumbers"] = json!([{ "type": "work", "value": "canary-phone" }]);
    refused(&scim.post("/Users", &body).await, 400, "a role");
    body["roles"] = json!([]);
    let ada = scim.made("/Users", &body).await;
    let path = format!("/Users/{ada}");
    let activity = [(http::HeaderName::from_static("activityid"), "c0ffee-1")];
    let change = json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] })
        .to_string();
    scim.send(http::Method::PATCH, &path, &activity, &change)
        .await;
    scim.get("/Users/Users").await;
    let mut stranger = ScimClient::with(&gate, "default", "sgt_wrong");
    stranger.get("/Users").await;

    let failed = log(&gate, " --failed").await;
    let refusal = |status: u16| {
        let row = failed.iter().find(|row| row["status"] == status);
        row.unwrap_or_else(|| panic!("{status}: {failed:?}"))
    };
    let role = refusal(400);
    assert!(
        role["refusal"].as_str().unwrap().contains("OWNER"),
        "{role}"
    );
    assert!(role["hint"].is_string(), "what to do: {role}");
    assert_eq!(role["client"], "idp");
    assert!(refusal(401)["hint"].is_string(), "{failed:?}");
    assert!(
        refusal(404)["hint"].is_string(),
        "the Tenant URL: {failed:?}"
    );
    assert!(
        failed
            .iter()
            .all(|row| row["status"].as_u64().unwrap() >= 400),
        "{failed:?}"
    );

    let ada_s = log(&gate, " --user ada").await;
    let change = ada_s.iter().find(|row| row["method"] == "PATCH").unwrap();
    assert_eq!(change["activity_id"], "c0ffee-1");
    let reading = change["reading"].to_string();
    assert!(
        reading.contains("active") && reading.contains("false"),
        "{reading}"
    );
    for text in [
        gate.operator("scim log --json").await,
        gate.operator("scim log").await,
        gate.operator("audit show --json").await,
        gate.operator("user show ada --json").await,
    ] {
        assert!(!text.contains("canary-password"), "R55: {text}");
        assert!(!text.contains(scim.token()), "R55");
    }
    assert!(
        !gate
            .operator("scim log --json")
            .await
            .contains("canary-phone")
    );

    // Who made and changed the person, and by what.
    let audit = gate.operator("audit show --user ada --json").await;
    let audit: Vec<Value> = serde_json::from_str(&audit).unwrap();
    let change = audit
        .iter()
        .find(|row| row.to_string().contains("c0ffee-1"));
    let change = change.unwrap_or_else(|| panic!("{audit:?}"));
    assert_eq!(change["actor"], "scim:idp", "{change}");
    let shown = gate.operator("user show ada").await;
    assert!(
        shown.contains("kept by      scim") && shown.contains("ext-ada"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_imported_after_a_plan() {
    let gate = gate("[roles]\nallowed = [\"MEMBER\"]\n").await;
    let mut scim = ScimClient::new(&gate).await;
    scim.person("ada").await;
    let file = gate.folder.join("people.csv");
    std::fs::write(&file, "userName,displayName,email,roles\nada,Ada L.,ada@example.com,\nbob,Bob,bob@example.com,MEMBER\n").unwrap();
    let plan = run(
        gate.config(),
        &format!("user import {}", file.display()),
        "",
    )
    .await;
    // What an idp keeps is not the operator's to write over.
    assert_eq!(plan.0, 1, "{} {}", plan.1, plan.2);
    assert!(plan.1.contains("SCIM manages this person"), "{}", plan.1);
    assert!(plan.1.contains("to make: 1"), "{}", plan.1);
    assert!(
        scim.find("/Users", "userName eq \"bob\"").await.is_empty(),
        "a plan: {}",
        plan.1
    );
}
