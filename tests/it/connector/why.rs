//! What is owed to the app says why.

use http::Method;
use serde_json::json;
use sidegate::connector::Kind;

use super::World;
use crate::scim::refused;
use crate::support::Trouble;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_owed_says_why_from_the_first_try() {
    let mut world = World::start("").await;
    let ada = world.idp.person("ada").await;
    let bob = world.idp.person("bob").await;
    let crew = world.idp.group("crew", &[]).await;
    let (ada, crew) = (format!("/Users/{ada}"), format!("/Groups/{crew}"));
    let change = |path: &str, value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "Replace", "path": path, "value": value }],
        })
    };
    let (add, none) = (json!([{ "value": bob }]), json!(null));
    let named = change("displayName", json!("Ada"));
    for (method, path, body, trouble, kind) in [
        (Method::PATCH, &ada, named, "PATCH", Kind::User),
        (
            Method::PATCH,
            &crew,
            change("members", add),
            "PUT",
            Kind::Group,
        ),
        (
            Method::PATCH,
            &crew,
            change("displayName", json!("gang")),
            "PATCH",
            Kind::Group,
        ),
        (Method::DELETE, &ada, none, "DELETE", Kind::User),
    ] {
        let what = format!("{method} {path} {body}");
        world.app.trouble(trouble, Trouble::Status(500));
        world.app.trouble("GET", Trouble::Status(500));
        let answer = world.idp.try_send(method, path, &body).await.unwrap();
        let told = refused(&answer, 503, &what);
        let owed = world.owed().await;
        let whys: Vec<_> = owed
            .iter()
            .map(|row| (row.kind, row.attempts, &row.why))
            .collect();
        let [(its, tries, why)] = whys.as_slice() else {
            panic!("{what}: {told}: {whys:?}");
        };
        assert_eq!(*its, kind, "{what}");
        assert!(*tries > 0 && why.contains("500"), "{what}: {whys:?}");
        world.app.recover();
        world.recovers().await;
        world.settles(&what).await;
    }
}
