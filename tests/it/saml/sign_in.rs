//! Sign-in through a real SAML identity provider.

use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sidegate::clock::Timestamp;
use sidegate::saml::{Certificate, OurMetadata};

use super::our_side::{
    OurKey, gate_before, idp_settings, led_to, persistent_id, refused, sent_away, sign_in, whoami,
};
use crate::oidc::{self, person};
use crate::support::{
    AtSamlIdp, OidcIdp, SamlIdp, ScimClient, Seen, Sidegate, UpstreamApp, Way, new_folder, user,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_and_the_app_knows_who() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    for binding in ["redirect", "post"] {
        let gate = gate_before(&app, &idp, &format!("binding = \"{binding}\"")).await;
        for (sign, who, email, groups) in [
            (
                "assertion",
                "alice",
                "alice@example.com",
                Some("staff,admins"),
            ),
            ("response", "carol", "carol@example.com", None),
            // A group with a comma cannot stand in a list of them.
            (
                "both",
                "zoë.o’neil@例え.jp",
                "zoe@example.com",
                Some("staff"),
            ),
        ] {
            idp.set(&json!({ "sign": sign })).await;
            let mut browser = gate.browser();
            let done = sign_in(&mut browser, &gate, &idp, "/wanted?x=1", who).await;
            assert_eq!(led_to(&done), "/wanted?x=1", "{binding} {sign}");
            let seen: Seen = browser.get("/wanted?x=1").await.json();
            assert_eq!(seen.header("x-forwarded-user"), Some(who));
            assert_eq!(seen.header("x-forwarded-email"), Some(email));
            assert_eq!(seen.header("x-forwarded-groups"), groups, "{seen:?}");
            let shown = whoami(&mut browser).await;
            assert_eq!(shown["user"]["userName"], *who);
            assert_eq!(shown["idp"]["kind"], "saml");
            assert_eq!(shown["idp"]["name"], "corp");
            assert_eq!(shown["idp"]["name_id"], persistent_id(who));
        }
    }
    let state = idp.state().await;
    let came = state["requests"].as_array().unwrap().iter();
    let by_post = came.filter(|one| one["binding"] == "post").count();
    assert_eq!(by_post, 3, "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tabs_sign_in_side_by_side() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    let mut at_idp = AtSamlIdp::new(&idp);
    let mut tabs = Vec::new();
    for tab in 0..5 {
        let wanted = format!("/tab/{tab}?q=%C3%A9");
        let way = sent_away(&mut browser, &gate, &wanted).await;
        let handle = way.field("RelayState").unwrap();
        assert!(handle.len() <= 80 && !handle.contains("tab"), "{handle}");
        tabs.push((wanted, way));
    }
    let mut old = Vec::new();
    for (wanted, way) in tabs.iter().rev() {
        let back = at_idp.sign_in(way, "bob").await;
        let done = browser.bring(&back).await;
        assert_eq!(led_to(&done), *wanted);
        // R22: each sign-in has a new id.
        let cookie = browser.cookies["sidegate"].clone();
        assert!(!old.contains(&cookie));
        old.push(cookie);
        assert_eq!(person(&mut browser).await.as_deref(), Some("bob"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_signed_where_the_idp_demands_it() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let key = OurKey::new().settings(&folder, "ours");
    idp.set(&json!({ "signed_requests": true })).await;
    for binding in ["redirect", "post"] {
        let more = format!("binding = \"{binding}\"\nsign_requests = true\n{key}");
        let gate = gate_before(&app, &idp, &more).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(led_to(&done), "/", "{binding}");
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    }
    let state = idp.state().await;
    let came = state["requests"].as_array().unwrap();
    assert!(came.iter().all(|one| one["signed"] == true), "{state}");
    // What it does with others is its own affair, and shows that it looked.
    idp.set(&json!({ "signed_requests": false })).await;
    let gate = gate_before(&app, &idp, "").await;
    idp.set(&json!({ "signed_requests": true })).await;
    let way = sent_away(&mut gate.browser(), &gate, "/").await;
    assert_eq!(way.field("Signature"), None);
    assert_eq!(AtSamlIdp::new(&idp).look(&way).await.status, 403);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assertions_are_encrypted_to_us_and_our_key_rolls() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let (old, new) = (OurKey::new(), OurKey::new());
    old.settings(&folder, "old");
    let more = new.settings(&folder, "new");
    let more = format!("{more}previous_key_file = \"{}/old.key\"", folder.display());
    let gate = gate_before(&app, &idp, &more).await;
    let mut cases = Vec::new();
    for sign in ["assertion", "response", "both"] {
        cases.extend(["aes256-cbc", "aes128-cbc", "aes256-gcm"].map(|how| (sign, how)));
    }
    for (sign, encrypt) in cases {
        idp.set(&json!({ "sign": sign, "encrypt": encrypt })).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(led_to(&done), "/", "{sign} {encrypt}");
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    }
    // An idp that has not read our metadata since.
    for (name, key, accepted) in [
        ("before", &old, true),
        ("a stranger's", &OurKey::new(), false),
    ] {
        let url = gate.url();
        let certificate = [Certificate::from_pem(&key.certificate).unwrap()];
        let metadata = OurMetadata {
            entity_id: &format!("{url}/saml2/service-provider-metadata/corp"),
            acs: &format!("{url}/saml2/sso/corp"),
            slo: None,
            signing: &certificate,
            encryption: &certificate,
            signs_requests: false,
            name_id_format: None,
            valid_until: Timestamp::from_secs(4_000_000_000),
        };
        idp.trust_metadata(&metadata.to_xml()).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        if accepted {
            assert_eq!(
                person(&mut browser).await.as_deref(),
                Some("alice"),
                "{name}"
            );
        } else {
            refused(&done, &mut browser, name).await;
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idp_may_be_down_at_start_and_later() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let down = json!({ "endpoint": "metadata" });
    idp.control("POST", "/test/down", &down).await;
    let gate = Sidegate::start(&app.url(), &idp_settings("corp", &idp, "")).await;
    let answer = gate.browser().get("/").await;
    assert!(answer.status.is_server_error(), "never seen, and down");
    idp.control("DELETE", "/test/down", &Value::Null).await;

    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    idp.control("POST", "/test/down", &down).await;
    let mut later = gate.browser();
    sign_in(&mut later, &gate, &idp, "/", "bob").await;
    assert_eq!(
        person(&mut later).await.as_deref(),
        Some("bob"),
        "down later"
    );
    let settings = idp_settings("corp", &idp, "");
    let gate = Sidegate::start_in(gate.stop(), &app.url(), &settings).await;
    idp.trust(&gate, "corp").await;
    let mut restarted = gate.browser();
    sign_in(&mut restarted, &gate, &idp, "/", "bob").await;
    assert_eq!(
        person(&mut restarted).await.as_deref(),
        Some("bob"),
        "down at start"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_enter_gets_nothing() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    gate.set_active("alice", false).await;
    assert_eq!(person(&mut browser).await, None, "R26: out at once");
    let mut browser = gate.browser();
    let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    assert_eq!(done.status, 403, "{}", done.text());
    assert!(done.text().contains("sign_in.inactive"), "{}", done.text());
    refused(&done, &mut browser, "R26").await;

    // Cancelled at the idp, which says so without a signature.
    let mut browser = gate.browser();
    let way = sent_away(&mut browser, &gate, "/").await;
    let Way::Get(mut address) = way else {
        panic!("{way:?}");
    };
    address.query_pairs_mut().append_pair("cancel", "1");
    let back = AtSamlIdp::new(&idp).go(&Way::Get(address)).await;
    let done = browser.bring(&back).await;
    refused(&done, &mut browser, "cancelled").await;

    // Its clock may be a little off.
    for (seconds, fine) in [(-60, true), (60, true), (-3600, false), (3600, false)] {
        idp.control("POST", "/test/clock", &json!({ "seconds": seconds }))
            .await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "bob").await;
        if fine {
            assert_eq!(
                person(&mut browser).await.as_deref(),
                Some("bob"),
                "{seconds}"
            );
        } else {
            refused(&done, &mut browser, &format!("clock {seconds}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idp_says_when_the_session_ends() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    idp.set(&json!({ "session_seconds": 600 })).await;
    let mut browser = gate.browser();
    sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    let shown = whoami(&mut browser).await;
    let until = shown["session"]["absolute_until"].as_str().unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // Texts of one form: their order is that of the times.
    let latest = Timestamp::from_secs(now + 601).to_rfc3339();
    assert!(until <= latest.as_str(), "{until} {latest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r37_the_acs_takes_one_form_and_nothing_else() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let acs = "/saml2/sso/corp";
    let mut browser = gate.browser();
    let way = sent_away(&mut browser, &gate, "/").await;
    let back = AtSamlIdp::new(&idp).sign_in(&way, "alice").await;
    let field = back.field("SAMLResponse").unwrap();
    let handle = back.field("RelayState").unwrap();
    let twice = [
        ("SAMLResponse", &*field),
        ("SAMLResponse", &*field),
        ("RelayState", &*handle),
    ];
    let states = [
        ("SAMLResponse", &*field),
        ("RelayState", &*handle),
        ("RelayState", "/"),
    ];
    for fields in [twice, states] {
        let mut again = browser.copy();
        let done = again.post_from_elsewhere(acs, &fields).await;
        assert_eq!(done.status, 400, "{fields:?}: {}", done.text());
        refused(&done, &mut again, "R37").await;
    }
    for (name, method, kind, body) in [
        ("GET", Method::GET, FORM, ""),
        ("PUT", Method::PUT, FORM, "SAMLResponse=x"),
        ("JSON", Method::POST, "application/json", "{}"),
        ("nothing", Method::POST, FORM, ""),
        ("empty", Method::POST, FORM, "SAMLResponse="),
        ("no base64", Method::POST, FORM, "SAMLResponse=%%%"),
        ("no XML", Method::POST, FORM, "SAMLResponse=aGVsbG8%3D"),
    ] {
        let mut again = browser.copy();
        let done = again.send(method, acs, &[(CONTENT_TYPE, kind)], body).await;
        refused(&done, &mut again, name).await;
    }
    // R50: the body has an end.
    let large = format!("SAMLResponse={}", "A".repeat(8 * 1024 * 1024));
    let mut again = browser.copy();
    let done = again
        .try_send(Method::POST, acs, &[(CONTENT_TYPE, FORM)], &large)
        .await;
    assert!(done.is_none_or(|done| done.status.is_client_error()));
    // None of it spoilt the sign-in that was going on.
    let done = browser.bring(&back).await;
    assert_eq!(led_to(&done), "/");
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saml_and_openid_connect_of_one_person_are_one_record() {
    let app = UpstreamApp::start().await;
    let (saml, oidc) = tokio::join!(SamlIdp::start(&[]), OidcIdp::start(&[]));
    // What the OpenID provider calls alice; see tests/idp/people.mjs.
    let subject = json!({ "subject-id": "sub-616c696365" });
    saml.control("PUT", "/test/users/alice", &subject).await;
    let settings = idp_settings("one", &saml, "")
        + &oidc::idp_settings("two", &oidc, "[idp.attributes]\nexternal_id = [\"sub\"]\n")
        + "[provisioning]\nmatch = \"externalId\"\njit = \"link\"\n";
    let gate = Sidegate::start(&app.url(), &settings).await;
    saml.trust(&gate, "one").await;
    oidc.trust(&gate.url(), "two").await;
    let mut scim = ScimClient::new(&gate).await;
    let mut body = user("alice.archer");
    body["externalId"] = subject["subject-id"].clone();
    let id = scim.made("/Users", &body).await;

    let mut here = gate.browser();
    sign_in(&mut here, &gate, &saml, "/.sidegate/login?idp=one", "alice").await;
    let mut there = gate.browser();
    let chosen = "/.sidegate/login?idp=two";
    oidc::sign_in(&mut there, &oidc, chosen, "alice").await;
    for (browser, kind) in [(&mut here, "saml"), (&mut there, "oidc")] {
        let shown = whoami(browser).await;
        assert_eq!(shown["idp"]["kind"], kind, "{shown}");
        assert_eq!(shown["user"]["id"], *id, "{kind}");
        assert_eq!(person(browser).await.as_deref(), Some("alice.archer"));
    }
    scim.set_active(&id, "False").await;
    for browser in [&mut here, &mut there] {
        assert_eq!(person(browser).await, None);
    }
    // Who is nobody's record stays outside.
    let mut browser = gate.browser();
    let done = sign_in(
        &mut browser,
        &gate,
        &saml,
        "/.sidegate/login?idp=one",
        "bob",
    )
    .await;
    refused(&done, &mut browser, "no record").await;
}
