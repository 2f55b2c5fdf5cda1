//! What a role, a group and an attribute may be, as the operator set it.

use serde_json::{Value, json};

use super::{World, gate, refused};
use crate::oidc::sign_in;
use crate::support::{ScimClient, Seen, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_does_not_exist_is_refused_with_those_that_do() {
    let gate = gate("[roles]\nallowed = [\"MEMBER\", \"ADMIN\"]\n").await;
    let mut scim = ScimClient::new(&gate).await;
    let owner =
        json!([{ "primary": "True", "type": "WindowsAzureActiveDirectoryRole", "value": "OWNER" }]);
    let in_text = json!(["{\"id\":\"x\",\"value\":\"OWNER\",\"displayName\":\"Owner\"}"]);
    let mut body = user("ada");
    body["roles"] = json!([{ "primary": true, "value": "MEMBER" }]);
    let ada = scim.made("/Users", &body).await;
    let path = format!("/Users/{ada}");
    let wrapped = |operation: Value| json!([operation]);
    for (name, roles) in [("an object", &owner), ("JSON in a text", &in_text)] {
        let mut body = user("eve");
        body["roles"] = roles.clone();
        if name == "JSON in a text" {
            body["roles"][0] = json!("{\"primary\":true,\"value\":\"OWNER\"}");
        }
        let told = [
            scim.post("/Users", &body).await,
            scim.patch(&path, wrapped(json!({ "op": "Add", "path": "roles", "value": body["roles"] }))).await,
            scim.patch(&path, wrapped(json!({ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "OWNER" }))).await,
        ];
        for answer in told {
            let detail = refused(&answer, 400, name);
            for part in ["OWNER", "MEMBER", "ADMIN", "roles"] {
                assert!(detail.contains(part), "{name}: {part}: {detail}");
            }
        }
    }
    let unchanged: Value = scim.get(&path).await.json();
    assert_eq!(unchanged["roles"][0]["value"], "MEMBER", "{unchanged}");
    let list: Value = scim.get("/Users").await.json();
    assert_eq!(list["totalResults"], 1, "nobody was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_come_from_where_the_operator_says() {
    let settings = "[roles]\nallowed = [\"Premium\", \"Standard\", \"Boss\"]\ndefault = [\"Standard\"]\nattribute = \"userType\"\n\
                    [roles.groups]\nbosses = \"Boss\"\n";
    let world = World::start(settings).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let alice = scim.person("alice").await;
    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let path = format!("/Users/{alice}");
    let bosses = scim.group("bosses", &[]).await;
    let set = |value: &str| json!([{ "op": "Replace", "path": "userType", "value": value }]);
    let mut told = Vec::new();
    told.push(roles(&mut browser).await);
    scim.patch(&path, set("Premium")).await;
    told.push(roles(&mut browser).await);
    scim.member("Add", &bosses, &alice).await;
    told.push(roles(&mut browser).await);
    scim.patch(&path, json!([{ "op": "Remove", "path": "userType" }]))
        .await;
    told.push(roles(&mut browser).await);
    scim.member("Remove", &bosses, &alice).await;
    told.push(roles(&mut browser).await);
    assert_eq!(
        told,
        ["Standard", "Premium", "Boss,Premium", "Boss", "Standard"]
    );
    let answer = scim.patch(&path, set("Gold")).await;
    assert!(refused(&answer, 400, "Gold").contains("userType"));
}

async fn roles(browser: &mut crate::support::Client) -> String {
    let seen: Seen = browser.get("/").await.json();
    let mut roles: Vec<_> = seen
        .header("x-forwarded-roles")
        .unwrap()
        .split(',')
        .collect();
    roles.sort_unstable();
    roles.join(",")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ignored_groups_are_taken_and_kept_out_of_everything() {
    let world = World::start("").await;
    let mut scim = ScimClient::new(&world.gate).await;
    let alice = scim.person("alice").await;
    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let group = scim.group("checkpoint_inline_1", &[&alice]).await;
    let path = format!("/Groups/{group}");
    scim.member("Remove", &group, &alice).await;
    scim.member("Add", &group, &alice).await;
    let shown: Value = scim.get(&path).await.json();
    assert_eq!(shown["displayName"], "checkpoint_inline_1", "{shown}");
    let person: Value = scim.get(&format!("/Users/{alice}")).await.json();
    assert!(!person.to_string().contains("checkpoint"), "{person}");
    let seen: Seen = browser.get("/").await.json();
    let groups = seen.header("x-forwarded-groups").unwrap_or_default();
    assert!(!groups.contains("checkpoint"), "{groups}");
    assert_eq!(scim.delete(&path).await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_groups_must_be_mapped_others_are_refused_by_name() {
    let settings = "[groups]\naccept = \"mapped\"\n[roles.groups]\nManagers = \"MANAGER\"\nMembers = \"MEMBER\"\n";
    let gate = gate(settings).await;
    let mut scim = ScimClient::new(&gate).await;
    let managers = scim.group("Managers", &[]).await;
    let answer = scim
        .post("/Groups", &json!({ "displayName": "Guests" }))
        .await;
    let detail = refused(&answer, 400, "a group");
    for part in ["Guests", "Managers", "Members"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let path = format!("/Groups/{managers}");
    let operation = json!([{ "op": "Replace", "path": "displayName", "value": "Guests" }]);
    refused(&scim.patch(&path, operation).await, 400, "a new name");
    scim.group("checkpoint_inline_2", &[]).await;
    assert_eq!(
        scim.find("/Groups", "displayName eq \"managers\"")
            .await
            .len(),
        1
    );
    assert!(
        scim.find("/Groups", "displayName eq \"Guests\"")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attribute_holds_what_the_operator_allows() {
    let settings = r#"
[[scim.attribute]]
path = "userType"
allowed = ["Premium", "Standard"]
default = "Standard"
[[scim.attribute]]
path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
required = true
[[scim.extension]]
schema = "urn:ietf:params:scim:schemas:extension:2.0:Metadata"
open = true
[headers.set]
"X-Plan" = "{{ user.userType }}"
"X-Shelf" = "{{ user['urn:ietf:params:scim:schemas:extension:2.0:Metadata'].shelf }}"
"#;
    let world = World::start(settings).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let answer = scim.post("/Users", &user("alice")).await;
    assert!(refused(&answer, 400, "required").contains("department"));
    let mut body = user("alice");
    body[enterprise] = json!({ "department": "IT" });
    body["userType"] = json!("Gold");
    let detail = refused(&scim.post("/Users", &body).await, 400, "Gold");
    for part in ["userType", "Gold", "Premium", "Standard"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    body.as_object_mut().unwrap().remove("userType");
    let alice = scim.made("/Users", &body).await;
    let path = format!("/Users/{alice}");
    let made: Value = scim.get(&path).await.json();
    assert_eq!(made["userType"], "Standard");

    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(seen.header("x-plan"), Some("Standard"));
    assert_eq!(seen.header("x-shelf"), None);
    let operation = json!([
        { "op": "Replace", "path": "userType", "value": "Premium" },
        { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:2.0:Metadata:shelf", "value": "B 12" },
    ]);
    assert_eq!(scim.patch(&path, operation).await.status, 200);
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(seen.header("x-plan"), Some("Premium"));
    assert_eq!(seen.header("x-shelf"), Some("B 12"));
    let remove = json!([{ "op": "Remove", "path": format!("{enterprise}:department") }]);
    refused(&scim.patch(&path, remove).await, 400, "required");
}
