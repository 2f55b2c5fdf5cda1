//! Networks, rates and failures.

use super::*;

#[tokio::test]
async fn only_allowed_networks_are_let_in() {
    let world = World::new("scim.allowed_networks = ['192.0.2.0/28', '2001:db8::/32']").await;
    let made = world.create("default", None).await;
    let right = format!("Bearer {}", made.whole.expose());
    for (client, ok) in [
        (HOME, true),
        ("::ffff:192.0.2.1", true),
        ("2001:db8::1", true),
        ("192.0.2.16", false),
        ("2001:db9::1", false),
        // R5: nobody says who asks.
        ("unix", false),
    ] {
        let visit = world.visit("/scim/v2/Users", client, &[&right]);
        let asked = world.access.authenticate(&visit, "default").await;
        let status = asked.err().map(|denied| denied.error.status);
        assert_eq!(status, (!ok).then_some(StatusCode::FORBIDDEN), "{client}");
    }
    let visit = world.visit("/scim/v2/Users", "192.0.2.16", &[]);
    let denied = world
        .access
        .authenticate(&visit, "default")
        .await
        .unwrap_err();
    assert_eq!(
        denied.error.status,
        StatusCode::FORBIDDEN,
        "before any token"
    );
    assert_eq!(denied.challenge, None);
}

#[tokio::test]
async fn more_requests_than_the_rate_wait_a_second() {
    let world = World::new("scim.rate = 3").await;
    let (one, other) = (
        world.create("default", None).await,
        world.create("default", None).await,
    );
    let [one, other] = [one, other].map(|made| format!("Bearer {}", made.whole.expose()));
    for _ in 0..3 {
        world.ask("default", &[&one]).await.unwrap();
    }
    let denied = world.ask("default", &[&one]).await.unwrap_err();
    assert_eq!(denied.error.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(denied.error.retry_after, Some(Duration::from_secs(1)));
    world.ask("default", &[&other]).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    world.ask("default", &[&one]).await.unwrap();
}

#[tokio::test]
async fn r60_a_network_that_fails_waits_and_others_do_not() {
    let world = World::new("").await;
    let made = world.create("default", None).await;
    let right = format!("Bearer {}", made.whole.expose());
    let at = async |client: &str, authorization: &str| {
        let visit = world.visit("/scim/v2/Users", client, &[authorization]);
        let asked = world.access.authenticate(&visit, "default").await;
        asked.map_or_else(|denied| denied.error.status.as_u16(), |_client| 200)
    };
    // A token that was pasted wrong: held back by itself, and the right one is taken at once.
    let pasted = format!("{right}x");
    for want in [401, 401, 401, 429, 429] {
        assert_eq!(at(HOME, &pasted).await, want);
    }
    assert_eq!(at(HOME, &right).await, 200);
    // Guesses of any form, thirty of them.
    for number in 3..30 {
        let guess = match number % 3 {
            0 => format!("Bearer sgt_{number:012}_x"),
            1 => format!("Bearer sga_{number}"),
            _ => basic(&format!("idp:{number}")),
        };
        assert_eq!(at(HOME, &guess).await, 401, "{number}");
    }
    assert_eq!(at(HOME, "Bearer sgt_other_x").await, 429);
    assert_eq!(at(HOME, "Bearer sga_other").await, 429);
    assert_eq!(
        at("192.0.2.2", "Bearer sgt_other_x").await,
        401,
        "another network"
    );
    // Idps serve many companies from one address: what was right from there stays so.
    assert_eq!(at(HOME, &right).await, 200, "remembered");
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(at(HOME, &right).await, 200, "checked again");
    let fresh = world.create("default", None).await;
    let fresh = format!("Bearer {}", fresh.whole.expose());
    assert_eq!(
        at(HOME, &fresh).await,
        429,
        "a new one cannot be told from a guess"
    );
    assert_eq!(at("192.0.2.2", &fresh).await, 200);
    world.clock.advance(Duration::from_mins(13));
    assert_eq!(at(HOME, &fresh).await, 200);
}

#[tokio::test]
async fn a_crowd_with_one_token_costs_one_check() {
    let world = World::new("").await;
    let made = world.create("default", None).await;
    let right = format!("Bearer {}", made.whole.expose());
    let asked = (0..50).map(|_| world.told("default", &right));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers, vec!["default idp"; 50]);
}
