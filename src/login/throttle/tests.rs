//! Who waits, and who does not, whatever others do.

use super::*;

const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOME: &str = "192.0.2.1";
const MINUTE: Duration = Duration::from_mins(1);

struct World {
    throttle: Throttle,
    limits: Limits,
    now: Timestamp,
}

fn world() -> World {
    World {
        throttle: Throttle::default(),
        limits: Limits {
            failed_sign_ins: "3/15m".parse().unwrap(),
            exempt_networks: vec!["198.51.100.0/24".parse().unwrap()],
            connections: 1,
            pending_sign_ins: 100,
        },
        now: NOON,
    }
}

impl World {
    /// Seconds to wait, or 0 when the try was made; it fails.
    fn fail(&self, account: &str, client: &str) -> u64 {
        match self.attempt(account, client) {
            Ok(_failed) => 0,
            Err(wait) => wait.as_secs(),
        }
    }

    fn sign_in(&self, account: &str, client: &str) -> u64 {
        match self.attempt(account, client) {
            Ok(attempt) => {
                self.throttle.succeeded(&attempt, self.now);
                0
            }
            Err(wait) => wait.as_secs(),
        }
    }

    fn attempt(&self, account: &str, client: &str) -> Result<Attempt, Duration> {
        let client = client.parse().ok();
        self.throttle
            .attempt(&self.limits, account, client, self.now)
    }

    fn fail_times(&self, times: usize, account: &str, client: &str) {
        for _ in 0..times {
            assert_eq!(self.fail(account, client), 0, "{account} from {client}");
        }
    }

    /// One failure each from so many networks.
    fn attack(&self, networks: u8, account: &str) {
        for network in 0..networks {
            self.fail(account, &format!("203.0.113.{network}"));
        }
    }
}

#[test]
fn r60_an_account_waits_after_its_failures() {
    let mut world = world();
    world.fail_times(3, "ada", HOME);
    assert_eq!(world.fail("ada", HOME), 900);
    world.now = NOON.plus(MINUTE * 10);
    assert_eq!(
        world.sign_in("ada", HOME),
        300,
        "the right password waits too"
    );
    world.now = NOON.plus(MINUTE * 15);
    assert_eq!(world.sign_in("ada", HOME), 0);
}

#[test]
fn r60_every_spelling_is_one_account() {
    for spelling in ["ADA", "  ada ", "ａｄａ", "Ada\t"] {
        let world = world();
        world.fail_times(3, "ada", HOME);
        assert_eq!(world.fail(spelling, HOME), 900, "{spelling:?}");
    }
}

#[test]
fn r60_failures_elsewhere_do_not_lock_out() {
    let world = world();
    world.fail_times(3, "ada", "203.0.113.9");
    assert_eq!(world.fail("ada", "203.0.113.9"), 900);
    assert_eq!(world.sign_in("ada", HOME), 0);
}

#[test]
fn r60_many_networks_only_slow_an_account_down() {
    let mut world = world();
    world.attack(30, "ada");
    assert_eq!(world.fail("ada", HOME), 30, "never the whole window");
    assert_eq!(world.fail("bob", HOME), 0, "others are not meant");
    world.now = NOON.plus(SLOW);
    assert_eq!(world.sign_in("ada", HOME), 0);
}

#[test]
fn r60_where_the_person_signed_in_before_nothing_slows_them() {
    let mut world = world();
    assert_eq!(world.sign_in("ada", HOME), 0);
    world.attack(40, "ada");
    assert_eq!(world.sign_in("ada", HOME), 0);
    assert_eq!(world.fail("ada", "192.0.2.2"), 30, "only there");
    world.now = NOON.plus(KNOWN);
    world.attack(40, "ada");
    assert_eq!(world.fail("ada", HOME), 30, "not for ever");
}

#[test]
fn r60_a_network_waits_after_ten_times_as_many() {
    let world = world();
    for number in 0..30 {
        assert_eq!(world.fail(&format!("guess-{number}"), HOME), 0);
    }
    assert_eq!(world.fail("somebody", HOME), 900);
    assert_eq!(world.fail("somebody", "192.0.2.2"), 0);
}

#[test]
fn r60_networks() {
    for (name, first, second, same) in [
        ("one address", "192.0.2.1", "192.0.2.1", true),
        ("neighbours", "192.0.2.1", "192.0.2.2", false),
        ("one /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
        ("two /64", "2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("IPv4 in IPv6", "192.0.2.1", "::ffff:192.0.2.1", true),
        ("two of them", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ("exempt", "198.51.100.7", "198.51.100.7", false),
        (
            "exempt in IPv6",
            "::ffff:198.51.100.7",
            "::ffff:198.51.100.7",
            false,
        ),
    ] {
        let world = world();
        world.fail_times(3, "ada", first);
        assert_eq!(world.fail("ada", second) > 0, same, "{name}");
    }
}

#[test]
fn r60_without_an_address_only_accounts_wait() {
    let world = world();
    for number in 0..40 {
        assert_eq!(world.fail(&format!("guess-{number}"), "unix"), 0);
    }
    world.fail_times(3, "ada", "unix");
    assert_eq!(world.fail("ada", "unix"), 900);
}

#[test]
fn r60_tries_that_run_together_count_together() {
    let world = world();
    let running: Vec<_> = (0..10).map(|_| world.attempt("ada", HOME)).collect();
    assert_eq!(running.iter().filter(|one| one.is_ok()).count(), 3);
}

#[test]
fn success_starts_anew_and_counts_nowhere() {
    let world = world();
    for _ in 0..50 {
        world.fail_times(2, "ada", HOME);
        assert_eq!(world.sign_in("ada", HOME), 0);
        if world.fail("bob", HOME) > 0 {
            return; // the failures, two each time, are the network's
        }
    }
    panic!("failures of a network must add up over successes");
}

#[test]
fn what_was_not_tried_is_not_counted() {
    let world = world();
    for _ in 0..50 {
        let attempt = world.attempt("ada", HOME).unwrap();
        world.throttle.undone(&attempt);
    }
    assert_eq!(world.fail("ada", HOME), 0);
}

#[test]
fn a_flood_of_answers_that_prove_nobody_is_not_told() {
    let world = world();
    let told = |client: Option<&str>, now| {
        let client = client.map(|client| client.parse().unwrap());
        (0..100)
            .filter(|_| world.throttle.is_told(client, now))
            .count()
    };
    assert_eq!(told(Some(HOME), NOON), 30);
    assert_eq!(told(Some("192.0.2.2"), NOON), 30, "another network");
    assert_eq!(told(None, NOON), 30, "nobody says who asks");
    assert_eq!(told(Some(HOME), NOON.plus(MINUTE * 14)), 0);
    assert_eq!(told(Some(HOME), NOON.plus(MINUTE * 15)), 30);
}
