//! Sign-out over the Redirect binding as idps and attackers write it, and our own messages as an idp reads them.

use sidegate::clock::Timestamp;
use sidegate::config::Comparison;
use sidegate::saml::{
    AuthnRequest, Certificate, Check, Expecting, LogoutAnswer, LogoutCall, LogoutReply,
    LogoutRequest, NameId, OurMetadata, Received, RedirectQuery, Refusal, Role, Trust,
    UsedAssertions, message_id,
};
use url::Url;

use super::data::{Verdict, World, load};

const SLO: &str = "https://app.example.com/saml2/slo/entra";

/// Both ends of a wire.
struct Wire {
    world: World,
    certificates: Vec<Certificate>,
    used: UsedAssertions,
}

enum Read {
    Request(LogoutRequest),
    Answer(LogoutAnswer),
}

impl Wire {
    fn new(world: World) -> Self {
        Self {
            certificates: world.certificates(),
            used: UsedAssertions::default(),
            world,
        }
    }

    fn read(&self, received: &Received<'_>, role: Role) -> Result<Read, Refusal> {
        let keys = self.world.keys();
        let trust = Trust {
            entity_id: &self.world.idp,
            certificates: &self.certificates,
            decryption_keys: &keys,
        };
        let expecting = Expecting {
            slo: SLO,
            requests: &["_lr1"],
            used: &self.used,
            now: self.world.now(),
        };
        match role {
            Role::Request => received.request(&trust, &expecting).map(Read::Request),
            Role::Response => received.answer(&trust, &expecting).map(Read::Answer),
        }
    }
}

fn role_of(query: &str) -> Role {
    if query.contains("SAMLResponse=") {
        Role::Response
    } else {
        Role::Request
    }
}

#[test]
fn r37_r39_only_signed_queries_end_sessions() {
    let (world, cases) = load("redirect");
    let wire = Wire::new(world);
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    for case in &cases {
        let read = RedirectQuery::read(&case.field)
            .and_then(|query| wire.read(&Received::Redirect(&query), role_of(&case.field)));
        if let Err(refusal) = &read {
            refused.push(format!(
                "{}: {}: {}",
                case.name,
                refusal.check(),
                refusal.expected()
            ));
        }
        match (case.verdict, &read) {
            (Verdict::Accept, Ok(Read::Request(LogoutRequest::Signed(asked)))) => {
                assert_eq!(asked.name_id.value, "alice@example.com", "{}", case.name);
                assert_eq!(asked.session_indexes, ["_sess1"], "{}", case.name);
            }
            (Verdict::Accept, Ok(Read::Answer(answer))) => {
                assert_eq!(answer.in_response_to, "_lr1");
            }
            (Verdict::Reject, Err(_)) => {}
            // It is read, as what it is.
            (Verdict::Reject, Ok(Read::Request(LogoutRequest::Unsigned(_))))
                if case.name == "slo_request_unsigned" => {}
            _ => wrong.push(format!(
                "{} ({}): {:?}",
                case.name,
                case.why,
                read.as_ref().err()
            )),
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn r42_a_signed_request_ends_sessions_once() {
    let (world, cases) = load("redirect");
    let wire = Wire::new(world);
    let case = cases
        .iter()
        .find(|case| case.name == "slo_request_signed")
        .unwrap();
    let read = || {
        let query = RedirectQuery::read(&case.field).unwrap();
        wire.read(&Received::Redirect(&query), Role::Request)
    };
    assert!(read().is_ok());
    assert_eq!(
        read().err().map(|refusal| refusal.check()),
        Some(Check::Replay)
    );
}

#[test]
fn r37_a_parameter_under_another_spelling_is_refused() {
    let (_, cases) = load("redirect");
    let case = cases
        .iter()
        .find(|case| case.name == "slo_request_signed")
        .unwrap();
    for (name, query) in [
        ("twice", format!("{}&RelayState=x", case.field)),
        ("encoded", format!("{}&Relay%53tate=x", case.field)),
        (
            "encoded alone",
            case.field.replace("SAMLRequest=", "SAML%52equest="),
        ),
        ("both", format!("{}&SAMLResponse=x", case.field)),
        (
            "another encoding",
            format!("{}&SAMLEncoding=urn:x", case.field),
        ),
        ("none", String::new()),
    ] {
        let refusal = RedirectQuery::read(&query).map(drop).unwrap_err();
        assert_eq!(refusal.check(), Check::Parameters, "{name}");
    }
}

/// Our messages, read by our own reader as if we were the idp.
#[test]
fn what_we_write_is_what_we_would_read() {
    let (world, _) = load("redirect");
    let now = world.now();
    let certificate = world.certificate("sp");
    let key = world.keys().remove(0);
    assert!(key.fits(&certificate) && !key.fits(&world.certificate("idp1")));
    let wire = Wire {
        certificates: vec![certificate.clone()],
        ..Wire::new(world)
    };
    let name_id = NameId {
        value: "a&b<c>\"@example.com".to_owned(),
        format: Some("urn:x&y".to_owned()),
        name_qualifier: None,
        sp_name_qualifier: Some("us".to_owned()),
    };
    let location = Url::parse("https://idp.example.com/slo?idpid=C01&x=%20").unwrap();
    for (index, by_form) in [(Some("s1"), false), (None, true)] {
        let id = message_id();
        let call = LogoutCall {
            id: &id,
            issued: now,
            destination: SLO,
            issuer: &wire.world.idp,
            name_id: &name_id,
            session_index: index,
        };
        let message = call.write();
        let form = message
            .form(&location, Some("r&s"), Some((&key, &certificate)))
            .unwrap();
        let to = message
            .redirect(&location, Some("r&s"), Some(&key))
            .unwrap();
        let query = to
            .strip_prefix("https://idp.example.com/slo?idpid=C01&x=%20&")
            .unwrap();
        let read;
        let received = if by_form {
            Received::Post(Role::Request, &form.fields[0].1)
        } else {
            read = RedirectQuery::read(query).unwrap();
            Received::Redirect(&read)
        };
        let Read::Request(LogoutRequest::Signed(asked)) =
            wire.read(&received, Role::Request).unwrap()
        else {
            panic!("signed");
        };
        assert_eq!(asked.id, id);
        assert_eq!(asked.name_id, name_id);
        assert_eq!(asked.session_indexes, index.into_iter().collect::<Vec<_>>());
        assert_eq!(form.fields[1], ("RelayState", "r&s".to_owned()));
        if !by_form {
            assert_eq!(received.relay_state(), Some("r&s"));
        }
    }
    let reply = LogoutReply {
        id: &message_id(),
        issued: now,
        destination: SLO,
        issuer: &wire.world.idp,
        in_response_to: "_lr1",
        done: false,
    };
    let form = reply
        .write()
        .form(&location, None, Some((&key, &certificate)))
        .unwrap();
    let Read::Answer(answer) = wire
        .read(
            &Received::Post(Role::Response, &form.fields[0].1),
            Role::Response,
        )
        .unwrap()
    else {
        panic!("an answer");
    };
    assert_eq!(answer.trouble.map(|its| its.check()), Some(Check::Status));
}

#[test]
fn r49_a_form_signed_by_another_key_is_refused() {
    let (world, _) = load("redirect");
    let certificate = world.certificate("sp");
    let key = world.keys().remove(0);
    let reply = LogoutReply {
        id: "_1",
        issued: world.now(),
        destination: SLO,
        issuer: &world.idp.clone(),
        in_response_to: "_lr1",
        done: true,
    };
    let location = Url::parse("https://idp.example.com/slo").unwrap();
    let form = reply
        .write()
        .form(&location, None, Some((&key, &certificate)))
        .unwrap();
    let wire = Wire::new(world);
    let received = Received::Post(Role::Response, &form.fields[0].1);
    let refusal = wire.read(&received, Role::Response).map(drop).unwrap_err();
    assert_eq!(refusal.check(), Check::Signature);
    // An answer is no request.
    let refusal = wire.read(&received, Role::Request).map(drop).unwrap_err();
    assert_eq!(refusal.check(), Check::Parameters);
}

#[test]
fn requests_and_metadata_are_as_idps_want_them() {
    let (world, _) = load("redirect");
    let classes = ["urn:a".to_owned(), "urn:b&c".to_owned()];
    let request = AuthnRequest {
        id: "_1",
        issued: Timestamp::from_secs(world.now),
        destination: "https://idp.example.com/sso?a=1&b=2",
        issuer: &world.entity_id,
        acs: &world.acs,
        again: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        authn_context: &classes,
        comparison: Comparison::Exact,
    };
    // One element to a line, to be read.
    let lines = |xml: &str| xml.replace("><", ">\n<");
    insta::assert_snapshot!(lines(&request.write().to_xml()), @r#"
    <samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" AssertionConsumerServiceURL="https://app.example.com/saml2/sso/entra" Destination="https://idp.example.com/sso?a=1&amp;b=2" ForceAuthn="true" ID="_1" IssueInstant="2026-11-22T12:00:00Z" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Version="2.0">
    <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://app.example.com/saml2/service-provider-metadata/entra</saml:Issuer>
    <samlp:NameIDPolicy AllowCreate="true" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">
    </samlp:NameIDPolicy>
    <samlp:RequestedAuthnContext Comparison="exact">
    <saml:AuthnContextClassRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:a</saml:AuthnContextClassRef>
    <saml:AuthnContextClassRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:b&amp;c</saml:AuthnContextClassRef>
    </samlp:RequestedAuthnContext>
    </samlp:AuthnRequest>
    "#);
    let plain = OurMetadata {
        entity_id: &world.entity_id,
        acs: &world.acs,
        slo: Some(SLO),
        signing: &[],
        encryption: &[],
        signs_requests: true,
        name_id_format: None,
        valid_until: Timestamp::from_secs(world.now),
    };
    insta::assert_snapshot!(lines(&plain.to_xml()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_6d2be9c9009901f9f7c8997c6e20e4176901b7e58ec6bc9619c852ff9b0b0703" entityID="https://app.example.com/saml2/service-provider-metadata/entra" validUntil="2026-11-22T12:00:00Z">
    <md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://app.example.com/saml2/slo/entra">
    </md:SingleLogoutService>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://app.example.com/saml2/slo/entra">
    </md:SingleLogoutService>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://app.example.com/saml2/sso/entra" index="0" isDefault="true">
    </md:AssertionConsumerService>
    </md:SPSSODescriptor>
    </md:EntityDescriptor>
    "#);
    let ours = [world.certificate("sp")];
    let full = OurMetadata {
        signing: &ours,
        encryption: &ours,
        ..plain
    };
    let xml = full.to_xml();
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let uses: Vec<_> = parsed
        .descendants()
        .filter_map(|node| node.attribute("use"))
        .collect();
    assert_eq!(uses, ["signing", "encryption"]);
}
