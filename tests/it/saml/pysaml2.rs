//! What pysaml2 and xmlsec1 write, read by us, and the other way round: without a server, over every way to sign and encrypt.

use serde_json::{Value, json};
use sidegate::clock::Timestamp;
use sidegate::config::Comparison;
use sidegate::saml::{
    AuthnRequest, Certificate, Expected, Expecting, IdpMetadata, LogoutCall, LogoutReply,
    LogoutRequest, Origin, OurMetadata, PostForm, PrivateKey, Received, RedirectQuery, Role, Trust,
    UsedAssertions, VerifiedAssertion, message_id, verify,
};
use sidegate::secret::Secret;

use super::our_side::{OurKey, persistent_id};
use crate::support::{AtSamlIdp, SamlIdp, Way};

const ENTITY_ID: &str = "https://app.example.com/saml2/service-provider-metadata/corp";
const ACS: &str = "https://app.example.com/saml2/sso/corp";
const SLO: &str = "https://app.example.com/saml2/slo/corp";

/// A service provider without a server.
struct Us {
    idp: SamlIdp,
    key: PrivateKey,
    certificate: Certificate,
    used: UsedAssertions,
}

impl Us {
    async fn new() -> Self {
        let ours = OurKey::new();
        let certificate = Certificate::from_pem(&ours.certificate).unwrap();
        let us = Self {
            idp: SamlIdp::start(&[]).await,
            key: PrivateKey::from_pem(&Secret::new(ours.key)).unwrap(),
            certificate,
            used: UsedAssertions::default(),
        };
        let certificates = [us.certificate.clone()];
        let metadata = OurMetadata {
            entity_id: ENTITY_ID,
            acs: ACS,
            slo: Some(SLO),
            signing: &certificates,
            encryption: &certificates,
            signs_requests: true,
            name_id_format: None,
            valid_until: Timestamp::from_secs(4_000_000_000),
        };
        us.idp.trust_metadata(&metadata.to_xml()).await;
        us
    }

    async fn metadata(&self) -> IdpMetadata {
        let origin = Origin {
            entity_id: None,
            signed_by: &[],
        };
        let bytes = self.idp.metadata().await;
        IdpMetadata::read(bytes.as_bytes(), &origin, now()).unwrap()
    }

    /// A request of ours, by either binding.
    fn ask(&self, id: &str, by_post: bool, format: Option<&str>) -> Way {
        let request = AuthnRequest {
            id,
            issued: now(),
            destination: self.idp.sso.as_str(),
            issuer: ENTITY_ID,
            acs: ACS,
            again: false,
            name_id_format: format,
            authn_context: &[],
            comparison: Comparison::Exact,
        };
        let request = request.write();
        if by_post {
            let signer = Some((&self.key, &self.certificate));
            way(request.form(&self.idp.sso, Some("handle"), signer).unwrap())
        } else {
            let key = Some(&self.key);
            let address = request.redirect(&self.idp.sso, Some("handle"), key);
            Way::Get(address.unwrap().parse().unwrap())
        }
    }

    async fn read(&self, back: &Way, id: &str) -> VerifiedAssertion {
        let metadata = self.metadata().await;
        let trust = Trust {
            entity_id: &metadata.entity_id,
            certificates: &metadata.certificates,
            decryption_keys: std::slice::from_ref(&self.key),
        };
        let expected = Expected {
            entity_id: ENTITY_ID,
            acs: ACS,
            requests: &[id],
            idp_initiated: false,
            signed_response: false,
            authn_context: &[],
            used: &self.used,
            now: now(),
        };
        let field = back.field("SAMLResponse").unwrap();
        verify(&field, &trust, &expected).unwrap_or_else(|why| panic!("{why}"))
    }
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_secs(since.as_secs())
}

fn way(form: PostForm) -> Way {
    let fields = form.fields.into_iter();
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Way::Post(form.action.parse().unwrap(), fields.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_sign_and_encrypt_is_understood() {
    let us = Us::new().await;
    us.idp.set(&json!({ "signed_requests": true })).await;
    let mut number = 0;
    for sign in ["both", "assertion", "response"] {
        for encrypt in [
            "",
            "aes128-cbc",
            "aes192-cbc",
            "aes256-cbc",
            "aes128-gcm",
            "aes256-gcm",
        ] {
            let how = json!({ "sign": sign, "encrypt": encrypt });
            us.idp.set(&how).await;
            number += 1;
            let id = message_id();
            let way = us.ask(&id, number % 2 == 0, None);
            let back = AtSamlIdp::new(&us.idp)
                .sign_in(&way, "zoë.o’neil@例え.jp")
                .await;
            assert_eq!(back.address().as_str(), ACS, "{how}");
            assert_eq!(back.field("RelayState").as_deref(), Some("handle"), "{how}");
            let read = us.read(&back, &id).await;
            let person = persistent_id("zoë.o’neil@例え.jp");
            assert_eq!(read.name_id().value, person, "{how}");
            assert_eq!(read.request_id(), Some(&*id), "{how}");
            let groups = read.values("urn:oid:1.3.6.1.4.1.5923.1.5.1.1");
            assert_eq!(groups.unwrap(), ["équipe, \"quoted\"", "staff"], "{how}");
        }
    }
    let state = us.idp.state().await;
    let requests = state["requests"].as_array().unwrap();
    assert_eq!(requests.len(), number);
    assert!(requests.iter().all(|one| one["signed"] == true), "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_names_people_as_it_is_asked_to() {
    let us = Us::new().await;
    for (format, value) in [
        (
            "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            "bob@example.com",
        ),
        (
            "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "p-626f62",
        ),
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "_"),
    ] {
        let id = message_id();
        let way = us.ask(&id, false, Some(format));
        let back = AtSamlIdp::new(&us.idp).sign_in(&way, "bob").await;
        let read = us.read(&back, &id).await;
        assert_eq!(read.name_id().format.as_deref(), Some(format));
        assert!(read.name_id().value.starts_with(value), "{read:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nobody_published_is_refused_by_both() {
    let us = Us::new().await;
    let id = message_id();
    let way = us.ask(&id, false, None);
    let honest = us.metadata().await;
    us.idp.set(&json!({ "impostor": "keys" })).await;
    let back = AtSamlIdp::new(&us.idp).sign_in(&way, "alice").await;
    let trust = Trust {
        entity_id: &honest.entity_id,
        certificates: &honest.certificates,
        decryption_keys: &[],
    };
    let expected = Expected {
        entity_id: ENTITY_ID,
        acs: ACS,
        requests: &[&id],
        idp_initiated: false,
        signed_response: false,
        authn_context: &[],
        used: &us.used,
        now: now(),
    };
    let field = back.field("SAMLResponse").unwrap();
    assert!(verify(&field, &trust, &expected).is_err());

    us.idp
        .set(&json!({ "impostor": "", "signed_requests": true }))
        .await;
    let stranger = OurKey::new();
    let stranger = PrivateKey::from_pem(&Secret::new(stranger.key)).unwrap();
    let forged = AuthnRequest {
        id: &id,
        issued: now(),
        destination: us.idp.sso.as_str(),
        issuer: ENTITY_ID,
        acs: ACS,
        again: false,
        name_id_format: None,
        authn_context: &[],
        comparison: Comparison::Exact,
    };
    for key in [None, Some(&stranger)] {
        let forged = forged.write().redirect(&us.idp.sso, None, key).unwrap();
        let answer = AtSamlIdp::new(&us.idp)
            .look(&Way::Get(forged.parse().unwrap()))
            .await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_outs_are_understood_both_ways() {
    let us = Us::new().await;
    for binding in ["redirect", "post"] {
        us.idp.set(&json!({ "logout_binding": binding })).await;
        let mut at_idp = AtSamlIdp::new(&us.idp);
        let id = message_id();
        let back = at_idp.sign_in(&us.ask(&id, false, None), "alice").await;
        let signed_in = us.read(&back, &id).await;
        let metadata = us.metadata().await;
        let trust = Trust {
            entity_id: &metadata.entity_id,
            certificates: &metadata.certificates,
            decryption_keys: &[],
        };

        // From there.
        let order = at_idp.open("/idp-logout", &[]).await;
        let query;
        let field;
        let received = match &order {
            Way::Get(address) => {
                query = RedirectQuery::read(address.query().unwrap()).unwrap();
                Received::Redirect(&query)
            }
            Way::Post(..) => {
                field = order.field("SAMLRequest").unwrap();
                Received::Post(Role::Request, &field)
            }
        };
        let expecting = Expecting {
            slo: SLO,
            requests: &[],
            used: &us.used,
            now: now(),
        };
        let request = received.request(&trust, &expecting).unwrap();
        let LogoutRequest::Signed(asked) = request else {
            panic!("{binding}: {request:?}");
        };
        assert_eq!(asked.name_id, *signed_in.name_id(), "{binding}");
        let index = signed_in.session_index().unwrap();
        assert_eq!(asked.session_indexes, [index], "{binding}");
        let reply = LogoutReply {
            id: &message_id(),
            issued: now(),
            destination: us.idp.slo.as_str(),
            issuer: ENTITY_ID,
            in_response_to: &asked.id,
            done: true,
        };
        let reply = reply.write();
        let signer = Some((&us.key, &us.certificate));
        let by_get = reply.redirect(&us.idp.slo, None, Some(&us.key)).unwrap();
        for back in [
            Way::Get(by_get.parse().unwrap()),
            way(reply.form(&us.idp.slo, None, signer).unwrap()),
        ] {
            assert_eq!(at_idp.look(&back).await.status, 200, "{binding}");
        }

        // From here.
        let id = message_id();
        let back = at_idp.sign_in(&us.ask(&id, false, None), "alice").await;
        let signed_in = us.read(&back, &id).await;
        let id = message_id();
        let call = LogoutCall {
            id: &id,
            issued: now(),
            destination: us.idp.slo.as_str(),
            issuer: ENTITY_ID,
            name_id: signed_in.name_id(),
            session_index: signed_in.session_index(),
        };
        let call = call.write();
        let out = if binding == "redirect" {
            let address = call.redirect(&us.idp.slo, Some("out"), Some(&us.key));
            Way::Get(address.unwrap().parse().unwrap())
        } else {
            way(call.form(&us.idp.slo, Some("out"), signer).unwrap())
        };
        let back = at_idp.go(&out).await;
        assert_eq!(back.field("RelayState").as_deref(), Some("out"));
        let expecting = Expecting {
            slo: SLO,
            requests: &[&id],
            used: &us.used,
            now: now(),
        };
        let field = back.field("SAMLResponse").unwrap();
        let query;
        let received = match &back {
            Way::Get(address) => {
                query = RedirectQuery::read(address.query().unwrap()).unwrap();
                Received::Redirect(&query)
            }
            Way::Post(..) => Received::Post(Role::Response, &field),
        };
        let answer = received.answer(&trust, &expecting).unwrap();
        assert_eq!((answer.in_response_to, answer.trouble), (id, None));
        // Nobody is left there.
        let again = at_idp.look(&us.ask(&message_id(), false, None)).await;
        assert!(again.text().contains("id=password"), "{}", again.text());
    }
    let log = us
        .idp
        .control("GET", "/test/logout-log", &Value::Null)
        .await;
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|one| one["signature"] == "good"), "{log:?}");
}
