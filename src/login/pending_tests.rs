use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);

fn pending(handle: &str, browser: &str, client: &str) -> Pending {
    Pending {
        handle: handle.to_owned(),
        browser: sha256(browser.as_bytes()),
        idp: IdpName::try_from("one").unwrap(),
        nonce: "n".to_owned(),
        verifier: Secret::new("v"),
        origin: "https://app.test".to_owned(),
        return_to: ReturnTo::root(),
        host: "app.test".to_owned(),
        client: Some(client.parse().unwrap()),
        begun: NOON,
        again: false,
        replaces: None,
    }
}

#[test]
fn r22_only_the_browser_that_began_finishes() {
    let all = Pendings::new(10);
    all.put(pending("h", "mine", "192.0.2.1"));
    for (name, handle, browser) in [
        ("no cookie", "h", None),
        ("another browser", "h", Some("theirs")),
        ("another handle", "x", Some("mine")),
    ] {
        assert!(
            all.take(handle, browser, "app.test", NOON).is_none(),
            "{name}"
        );
    }
    assert!(all.take("h", Some("mine"), "app.test", NOON).is_some());
    assert!(
        all.take("h", Some("mine"), "app.test", NOON).is_none(),
        "once"
    );
}

#[test]
fn r23_another_host_cannot_finish() {
    let all = Pendings::new(10);
    all.put(pending("h", "mine", "192.0.2.1"));
    assert!(all.take("h", Some("mine"), "evil.test", NOON).is_none());
    assert!(all.take("h", Some("mine"), "app.test", NOON).is_some());
}

#[test]
fn a_sign_in_waits_fifteen_minutes() {
    let all = Pendings::new(10);
    for (after, want) in [(0, true), (899, true), (900, false), (9_000, false)] {
        all.put(pending("h", "mine", "192.0.2.1"));
        let now = NOON.plus(Duration::from_secs(after));
        assert_eq!(
            all.take("h", Some("mine"), "app.test", now).is_some(),
            want,
            "{after}"
        );
    }
    all.put(pending("h", "mine", "192.0.2.1"));
    let mut later = pending("later", "mine", "192.0.2.1");
    later.begun = NOON.plus(LIFE);
    all.put(later);
    assert_eq!(all.len(), 1, "old ones go when new ones come");
}

#[test]
fn many_tabs_of_one_browser_wait_side_by_side() {
    let all = Pendings::new(100);
    for tab in 0..PER_BROWSER {
        all.put(pending(&tab.to_string(), "mine", "192.0.2.1"));
    }
    for tab in 0..PER_BROWSER {
        let handle = tab.to_string();
        assert!(
            all.take(&handle, Some("mine"), "app.test", NOON).is_some(),
            "{tab}"
        );
    }
    assert!(all.is_empty());
}

#[test]
fn a_flood_pushes_out_itself() {
    let all = Pendings::new(50);
    all.put(pending("mine", "mine", "198.51.100.7"));
    for number in 0..1000 {
        all.put(pending(
            &number.to_string(),
            &number.to_string(),
            &format!("2001:db8::{number:x}"),
        ));
        assert!(all.len() <= 50);
    }
    assert!(all.take("mine", Some("mine"), "app.test", NOON).is_some());
    let kept = all.kept.lock().unwrap();
    assert!(kept.order.len() < 300, "{}", kept.order.len());
}

#[test]
fn one_browser_cannot_fill_all() {
    let all = Pendings::new(1000);
    for number in 0..500 {
        all.put(pending(&number.to_string(), "mine", "192.0.2.1"));
    }
    assert_eq!(all.len(), PER_BROWSER);
}
