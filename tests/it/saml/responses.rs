//! Every response of the data file: the genuine get in as who they are, and nobody else does.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sidegate::saml::{
    Certificate, Expected, PrivateKey, Refusal, Trust, UsedAssertions, VerifiedAssertion, verify,
};

use super::data::{Case, Verdict, World, load};

const MANY_KEYS: [&str; 4] = [
    "entra_both_signed",
    "entra_encrypted",
    "okta_both_signed",
    "adfs_assertion_signed",
];

pub struct Run {
    pub world: World,
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKey>,
    canary: TcpListener,
}

impl Run {
    pub fn new(world: World) -> Self {
        let canary = TcpListener::bind("127.0.0.1:0").unwrap();
        canary.set_nonblocking(true).unwrap();
        Self {
            certificates: world.certificates(),
            keys: world.keys(),
            canary,
            world,
        }
    }

    pub fn verify(
        &self,
        case: &Case,
        field: &str,
        used: &UsedAssertions,
    ) -> Result<VerifiedAssertion, Refusal> {
        let request = self.world.request.as_str();
        let trust = Trust {
            entity_id: &self.world.idp,
            certificates: &self.certificates,
            decryption_keys: &self.keys,
        };
        let expected = Expected {
            entity_id: &self.world.entity_id,
            acs: &self.world.acs,
            requests: &[request],
            idp_initiated: case.unsolicited,
            signed_response: false,
            authn_context: &[],
            used,
            now: self.world.now(),
        };
        verify(&self.lured(field), &trust, &expected)
    }

    /// With the canary's own address in place of the one in the file.
    fn lured(&self, field: &str) -> String {
        let Ok(document) = STANDARD.decode(field) else {
            return field.to_owned();
        };
        let from = self.world.canary.as_bytes();
        let Some(at) = document.windows(from.len()).position(|w| w == from) else {
            return field.to_owned();
        };
        let to = self.canary.local_addr().unwrap().to_string();
        let mut lured = document[..at].to_vec();
        lured.extend(to.as_bytes());
        lured.extend(&document[at + from.len()..]);
        STANDARD.encode(lured)
    }

    /// Which check refuses a case, and what it expected; IDs are left out, they change with the data.
    fn refused_by(&self, case: &Case) -> Option<String> {
        let refusal = self
            .verify(case, &case.field, &UsedAssertions::default())
            .err()?;
        let expected = refusal.expected().split('#').next().unwrap();
        Some(format!("{}: {}: {expected}", case.name, refusal.check()))
    }

    /// What is wrong with what became of a case.
    fn judge(&self, case: &Case) -> Option<String> {
        let used = UsedAssertions::default();
        let first = self.verify(case, &case.field, &used);
        if let Some(again) = &case.again {
            return match (first, self.verify(case, again, &used)) {
                (Ok(_), Err(refusal)) if refusal.check().as_str() == "replay" => None,
                (first, again) => Some(format!("{first:?}, then {again:?}")),
            };
        }
        match (case.verdict, &first) {
            (Verdict::Accept | Verdict::Either, Ok(who)) if who.name_id().value == case.name_id => {
                None
            }
            (Verdict::Reject | Verdict::Either, Err(_)) => None,
            _ => Some(first.map_or_else(|no| no.to_string(), |yes| format!("{yes:?}"))),
        }
    }
}

#[test]
fn r42_r43_r44_r45_r47_the_genuine_get_in_and_nobody_else() {
    let (world, cases) = load("response");
    let run = Run::new(world);
    let mut wrong = Vec::new();
    for case in &cases {
        if let Some(what) = run.judge(case) {
            wrong.push(format!("{} ({}): {what}", case.name, case.why));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let touched = run.canary.accept();
    assert!(touched.is_err(), "something called the canary");
}

/// Entra's general metadata of a tenant lists more keys than are tried for one signature: the one that signed comes first.
#[test]
fn r49_one_of_many_keys_is_found_by_the_certificate_that_the_message_shows() {
    let (world, cases) = load("response");
    let mut run = Run::new(world);
    let all = [
        "idp2", "idpenc", "otheridp", "attacker", "sp", "sp2", "idp1",
    ];
    run.certificates = all.map(|name| run.world.certificate(name)).to_vec();
    let case = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
    for name in MANY_KEYS {
        assert_eq!(run.judge(case(name)), None, "{name}");
    }
    // It is a place in a row and no trust: shown and not pinned, it counts for nothing.
    run.certificates.pop();
    for name in MANY_KEYS {
        let refused = run.refused_by(case(name)).unwrap();
        let by = ["signature", "decryption"];
        assert!(
            by.iter()
                .any(|check| refused.contains(&format!(": {check}: "))),
            "{refused}"
        );
    }
}

/// Checks overlap, on purpose: without one, the next would refuse. So that none goes missing, each case says which it is.
#[test]
fn r43_r44_r46_r47_each_attack_meets_the_check_that_is_meant_for_it() {
    let (world, cases) = load("response");
    let run = Run::new(world);
    let refused: Vec<_> = cases
        .iter()
        .filter_map(|case| run.refused_by(case))
        .collect();
    insta::assert_snapshot!(refused.join("\n"));
}
