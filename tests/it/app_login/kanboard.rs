//! Kanboard, unmodified, with its header sign-in off: its form, its cookie, its CSRF field.

use sidegate::config::preset;
use tokio::process::Command;

use crate::support::{Answer, Client, Program, Sidegate, test_file};

/// As an operator would write it.
const SETTINGS: &str = r#"
[upstream.login]
path = "/?controller=AuthController&action=login"
action = "/?controller=AuthController&action=check"
csrf = "input:csrf_token"
cookies = ["KB_SID", "KB_RM"]
fields = { username = "{login}", password = "{password}", csrf_token = "{csrf}" }
[local]
enabled = true
bcrypt_cost = 4
"#;

async fn open(browser: &mut Client, link: &str) -> Answer {
    let mut target = link.to_owned();
    for _ in 0..5 {
        let answer = browser.get(&target).await;
        if !answer.status.is_redirection() {
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            return answer;
        }
        answer.location().clone_into(&mut target);
    }
    panic!("{link} leads in circles");
}

/// Whom its pages name as the one who is signed in.
async fn person(browser: &mut Client) -> String {
    let page = open(browser, "/").await.text();
    let name = page
        .split_once("<title>")
        .unwrap()
        .1
        .split_once("</title>")
        .unwrap()
        .0;
    name.trim().trim_start_matches("Dashboard for ").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kanboard_takes_people_by_its_own_form() {
    let mut command = Command::new(test_file("apps/start-kanboard.sh"));
    command.env("HEADER_SIGN_IN", "false");
    let kanboard = Program::start(command).await;
    let url = kanboard.url("url");
    let folder = crate::support::new_folder();
    let file = folder.join("kanboard.toml");
    let text = preset("kanboard").unwrap();
    let text = text.replace("{env.KANBOARD_BASIC}", &kanboard.url("KANBOARD_BASIC"));
    std::fs::write(&file, text).unwrap();
    let settings = format!("connector.file = \"{}\"\n{SETTINGS}", file.display());
    let gate = Sidegate::start(&url, &settings).await;
    for name in ["alice", "bob"] {
        gate.person(name, &[]).await;
    }
    it_reads_no_header(&url).await;

    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser).await, "alice");
    let names: Vec<_> = browser.cookies.keys().cloned().collect();
    assert!(
        names.iter().all(|name| name.starts_with("sidegate")),
        "{names:?}"
    );

    // Its own sign-out is one here, too.
    let page = open(&mut browser, "/").await.text();
    let mut links = page.split("href=\"");
    let out = links.find(|link| link.contains("action=logout")).unwrap();
    let out = out.split('"').next().unwrap().replace("&amp;", "&");
    let answer = browser.get(&out).await;
    assert_eq!(
        answer.location(),
        "/.sidegate/logout/done",
        "{}",
        answer.text()
    );
    assert!(!browser.cookies.contains_key("sidegate"));

    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser).await, "alice");
    let answer = browser.sign_in_again("bob").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(person(&mut browser).await, "bob");
    gate.set_active("bob", false).await;
    assert_eq!(browser.get("/").await.status, 302);
    drop(gate);
    let _gone = std::fs::remove_dir_all(folder);
    kanboard.end().await;
}

/// What the rest would not prove, were it otherwise.
async fn it_reads_no_header(url: &str) {
    let host = url.trim_start_matches("http://");
    let mut browser = Client::new(host.parse().unwrap(), host);
    let user = http::HeaderName::from_static("x-forwarded-user");
    browser.headers.push((user, "alice".to_owned()));
    let answer = browser.get("/").await;
    assert!(
        answer.location().contains("action=login"),
        "{}",
        answer.text()
    );
}
