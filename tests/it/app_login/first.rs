//! Somebody whom nobody has made: the idp proves who they are, the connector makes their account, and we sign in to it.

use serde_json::Value;

use super::{FORM, JSON, settings};
use crate::oidc::{idp_settings, sign_in};
use crate::support::{Client, LoginApp, OidcIdp, Sidegate};

async fn user(browser: &mut Client, target: &str) -> String {
    let answer = browser.get(target).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown: Value = answer.json();
    shown["user"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sign_in_makes_the_account_and_signs_in_to_it() {
    let idp = OidcIdp::start(&[]).await;
    for login in [FORM, JSON] {
        let app = LoginApp::start().await;
        // The idp alone: nobody has to choose.
        let further = settings(login).replace("enabled = true", "enabled = false");
        let further = idp_settings("corp", &idp, "") + &further;
        let gate = Sidegate::start(&app.url(), &further).await;
        idp.trust(&gate.url(), "corp").await;
        assert_eq!(app.people(), [], "nobody knows anybody");
        for (number, name) in ["alice", "bob"].into_iter().enumerate() {
            let mut browser = gate.browser();
            let done = sign_in(&mut browser, &idp, "/wanted?x=1", name).await;
            assert_eq!(
                (done.status.as_u16(), done.location()),
                (302, "/wanted?x=1")
            );
            // The very first request lands in the app as that person.
            assert_eq!(user(&mut browser, "/wanted?x=1").await, name);
            let people = app.people();
            let (made, password) = people.last().unwrap();
            assert_eq!((people.len(), made.as_str()), (number + 1, name));
            assert!(password.len() >= 24, "a password of ours");
            assert_eq!(app.attempts(), 2 * number + 1);
            // The same person elsewhere: the same account, another session of the app.
            let mut again = gate.browser();
            let done = sign_in(&mut again, &idp, "/", name).await;
            assert_eq!(done.status, 302, "{}", done.text());
            assert_eq!(user(&mut again, "/page").await, name);
            assert_eq!(app.people(), people);
            assert_eq!(app.sessions().len(), 2 * number + 2);
        }
    }
}
