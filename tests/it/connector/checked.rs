//! `sidegate connector check`: it asks the app, and says what it found.

use super::World;
use crate::support::{CONNECTOR, Trouble, new_folder, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_asks_the_app_for_its_lists() {
    let mut world = World::start("").await;
    world.idp.person("ada").await;
    let folder = new_folder();
    let file = folder.join("stub.toml");
    let text = CONNECTOR.replace("[connector.", "[");
    std::fs::write(
        &file,
        text.replace("email  = ", "away = \"title\"\nemail  = "),
    )
    .unwrap();
    let check = |upstream: String| {
        let line = format!("connector check {} --upstream {upstream}", file.display());
        let config = world.gate.config().to_owned();
        async move { run(&config, &line, "").await }
    };
    let good = check(world.app.url()).await;
    assert_eq!(good.0, 0, "{} {}", good.1, good.2);
    for told in [
        "operations of stub, each renders",
        "ok      users.list: 2 records of 2",
        "read active, emails.value, userName, displayName",
        "found nothing for away",
        "ok      groups.list: 0 records",
    ] {
        assert!(good.1.contains(told), "{told}: {}", good.1);
    }
    for trouble in [
        Trouble::Status(401),
        Trouble::Status(500),
        Trouble::Page,
        Trouble::Nowhere,
    ] {
        world.app.trouble("GET /people", trouble);
        let failed = check(world.app.url()).await;
        assert_eq!(failed.0, 1, "{trouble:?}: {}", failed.1);
        let told = failed.1.contains("FAILED  users.list: the app ");
        assert!(told, "{trouble:?}: {}", failed.1);
        world.app.recover();
    }
    let nobody = check("http://127.0.0.1:9".to_owned()).await;
    assert_eq!(nobody.0, 1, "{}", nobody.1);
    assert_eq!(world.app.count("POST /people"), 1, "nothing is made by it");
}
