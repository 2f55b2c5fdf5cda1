#![expect(clippy::too_many_lines, reason = "tables of cases")]

use super::*;

const SIGNED: &str = "<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion' \
    xmlns:ds='http://www.w3.org/2000/09/xmldsig#' ID='_r'><saml:Issuer>i</saml:Issuer><samlp:Status/>\
    <saml:Assertion ID='_a'><saml:Issuer>i</saml:Issuer><ds:Signature><ds:SignedInfo>\
    <ds:CanonicalizationMethod Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>\
    <ds:SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/>\
    <ds:Reference URI='#_a'><ds:Transforms><ds:Transform Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/>\
    <ds:Transform Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/></ds:Transforms>\
    <ds:DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><ds:DigestValue>AAAA</ds:DigestValue>\
    </ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>\
    <saml:Subject><saml:NameID>n</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>";

fn refused(text: &str) -> Option<Check> {
    let screened = Screened::message(text, "Response");
    screened.err().map(|refusal| refusal.check())
}

#[test]
fn r43_r48_one_shape_of_signature_reaches_c_code() {
    let screened = Screened::message(SIGNED, "Response").unwrap();
    assert!(!screened.root_is_signed());
    assert_eq!(screened.signatures().len(), 1);
    let inclusive = "<ec:InclusiveNamespaces xmlns:ec='http://www.w3.org/2001/10/xml-exc-c14n#' PrefixList='xs'/>";
    let exclusive = "Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>";
    let with = |inside: &str| {
        let (method, transform) = ("CanonicalizationMethod", "Transform");
        let open = "Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'>";
        let text = SIGNED.replace(
            &format!("{method} {exclusive}"),
            &format!("{method} {open}{inside}</ds:{method}>"),
        );
        text.replace(
            &format!("{transform} {exclusive}"),
            &format!("{transform} {open}{inside}</ds:{transform}>"),
        )
    };
    for (name, text, want) in [
        ("prefixes", with(inclusive), None),
        (
            "a path in a canonicalisation",
            with("<ds:XPath>//*</ds:XPath>"),
            Some(Check::Reference),
        ),
        (
            "another canonicalisation",
            SIGNED.replacen("xml-exc-c14n#'/>", "xml-exc-c14n'/>", 1),
            Some(Check::Algorithm),
        ),
        (
            "more in SignedInfo",
            SIGNED.replace("<ds:Reference", "<ds:Object/><ds:Reference"),
            Some(Check::Reference),
        ),
        (
            "more in Reference",
            SIGNED.replace("<ds:DigestValue>", "<ds:Object/><ds:DigestValue>"),
            Some(Check::Reference),
        ),
        (
            "text in SignedInfo",
            SIGNED.replace("<ds:Reference", "x<ds:Reference"),
            Some(Check::Reference),
        ),
        (
            "an empty URI",
            SIGNED.replace("'#_a'", "''"),
            Some(Check::Reference),
        ),
        (
            "a URI of nothing",
            SIGNED.replace(" ID='_a'", "").replace("'#_a'", "'#'"),
            Some(Check::Reference),
        ),
        (
            "the other ID",
            SIGNED.replace("'#_a'", "'#_r'"),
            Some(Check::Reference),
        ),
        (
            "no base64",
            SIGNED.replace("AAAA</ds:SignatureValue>", "!</ds:SignatureValue>"),
            Some(Check::Reference),
        ),
    ] {
        assert_eq!(refused(&text), want, "{name}");
    }
}

#[test]
fn r43_an_assertion_holds_no_other() {
    let assertion = |inside: &str| {
        format!(
            "<Assertion xmlns='urn:oasis:names:tc:SAML:2.0:assertion'><Subject/><Advice>{inside}</Advice></Assertion>"
        )
    };
    for (inside, ok) in [
        ("<AssertionIDRef>_a</AssertionIDRef>", true),
        ("<Assertion/>", false),
        ("<EncryptedAssertion/>", false),
        ("<x xmlns='urn:x'><Assertion/></x>", false),
    ] {
        assert_eq!(
            Screened::assertion(&assertion(inside)).is_ok(),
            ok,
            "{inside}"
        );
    }
}

#[test]
fn r44_comments_stand_between_elements_or_nowhere() {
    let response = |status: &str| SIGNED.replace("<samlp:Status/>", status);
    for (status, want) in [
        ("<!-- a --><samlp:Status/>", None),
        (
            "<samlp:Status> <!-- a --> <samlp:StatusCode/></samlp:Status>",
            None,
        ),
        (
            "<samlp:Status><!-- a --></samlp:Status>",
            Some(Check::Comment),
        ),
        (
            "<samlp:Status>a<!-- a --><samlp:StatusCode/></samlp:Status>",
            Some(Check::Comment),
        ),
    ] {
        assert_eq!(refused(&response(status)), want, "{status}");
    }
}

/// What these cost is measured by `benches/run saml`; the numbers there hold as long as these do.
#[test]
fn r46_r48_what_makes_work_is_bounded_before_c_code_sees_it() {
    let filled = |more: &str| SIGNED.replace("<samlp:Status/>", more);
    let tags = SIGNED.matches('<').count().saturating_sub(1);
    let attributes = SIGNED.matches("='").count();
    let long = |length: usize| {
        let root = format!("<samlp:Response xmlns:q='{}'", "q".repeat(length));
        filled(&"<samlp:Status q:x=''/>".repeat(100)).replace("<samlp:Response", &root)
    };
    let numbered = |count: usize| {
        (0..count)
            .map(|n| format!("<samlp:Status ID='_{n}'/>"))
            .collect::<Vec<_>>()
            .concat()
    };
    // Each of the hundred declares it anew, ` xmlns:q=""` around it; the six others are ` xmlns:samlp=""` and so on.
    let others = SIGNED.len();
    for (name, text, want) in [
        (
            "tags",
            filled(&"<samlp:Status/>".repeat(10_000 - tags)),
            None,
        ),
        (
            "a tag more",
            filled(&"<samlp:Status/>".repeat(10_001 - tags)),
            Some(Check::Limits),
        ),
        (
            "attributes",
            filled(&"<samlp:Status a='' b=''/>".repeat((10_000 - attributes) / 2)),
            None,
        ),
        (
            "an attribute more",
            filled(&"<samlp:Status a='' b=''/>".repeat((10_000 - attributes) / 2 + 1)),
            Some(Check::Limits),
        ),
        ("IDs", filled(&numbered(62)), None),
        ("an ID more", filled(&numbered(63)), Some(Check::Limits)),
        (
            "namespaces in canonical form",
            long((256 * 1024 - others) / 100 - 11),
            None,
        ),
        (
            "a namespace a little longer",
            long(256 * 1024 / 100 - 11),
            Some(Check::Limits),
        ),
        (
            "bytes",
            filled(&format!(
                "<samlp:Status>{}</samlp:Status>",
                "x".repeat(256 * 1024)
            )),
            Some(Check::Limits),
        ),
        (
            "comments by the thousand",
            filled(&format!("<samlp:Status/>{}", "<!---->".repeat(15_000))),
            None,
        ),
    ] {
        assert_eq!(refused(&text), want, "{name}");
    }
}
