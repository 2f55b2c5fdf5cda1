"""Named SAML Response cases.  Every case says what a correct SP must do with it."""
from __future__ import annotations

import base64
import copy
import dataclasses
import random
import re
import textwrap

from lxml import etree

from core import *  # noqa: F401,F403
from core import _UNSET


@dataclasses.dataclass
class Case:
    name: str
    verdict: str        # accept | reject | either
    group: str
    why: str
    profile: str = "solicited"   # solicited: InResponseTo known, unsolicited forbidden
                                 # unsolicited-ok: the SP has IdP-initiated login switched on
    harm: str = "identity"       # identity: only dangerous if the evil identity comes out
                                 # policy: dangerous if accepted at all / dos: time, memory, SSRF
    steps: int = 1               # 2 = deliver twice (replay): second delivery must be refused
    nameid: str | None = None    # exact NameID a good SP must report when it accepts
    fn: object = None


CASES: dict[str, Case] = {}


class B64(str):
    """Already-encoded form value (not base64 of XML)."""


def case(name, verdict, group, why, **kw):
    def deco(fn):
        CASES[name] = Case(name, verdict, group, why, fn=fn, **kw)
        return fn
    return deco


def ok(name, why, group="valid", **kw):
    return case(name, "accept", group, why, **kw)


def bad(name, group, why, **kw):
    return case(name, "reject", group, why, **kw)


def make(c: Ctx, name: str) -> str:
    """Return the SAMLResponse form value of a case."""
    r = CASES[name].fn(c)
    if isinstance(r, B64):
        return str(r)
    if isinstance(r, str):
        r = r.encode()
    return base64.b64encode(r).decode()


# ============================================================ helpers
def std(c, s=ENTRA, which="assertion", **o):
    """Signed honest response; which = assertion | response | both | none."""
    sk = {k: o.pop(k) for k in list(o) if k in ("key", "alg", "dig", "c14n_mode", "keyinfo", "cert",
                                               "prefixlist", "transforms", "si_c14n")}
    root = build(c, s, **o)
    if which in ("assertion", "both"):
        sign(c, assertion(root), s, **sk)
    if which in ("response", "both"):
        sign(c, root, s, **sk)
    return root


# ============================================================ VALID
@ok("entra_assertion_signed", "Entra default: Sign SAML assertion, SHA-256")
def _(c): return ser(std(c, ENTRA, "assertion"))


@ok("entra_response_signed", "Entra option: Sign SAML response")
def _(c): return ser(std(c, ENTRA, "response"))


@ok("entra_both_signed", "Entra option: Sign SAML response and assertion")
def _(c): return ser(std(c, ENTRA, "both"))


@ok("entra_idp_initiated", "Entra My Apps tile: no InResponseTo anywhere", profile="unsolicited-ok")
def _(c): return ser(std(c, ENTRA, "assertion", irt=None))




@ok("entra_encrypted", "Entra token encryption: signed assertion inside EncryptedAssertion (aes256-cbc, rsa-oaep-mgf1p), Response unsigned")
def _(c):
    r = std(c, ENTRA, "assertion")
    encrypt_assertion(c, r, ENTRA, alg="aes256-cbc")
    return ser(r)


@ok("entra_encrypted_both_signed", "assertion signed, encrypted, then Response signed")
def _(c):
    r = std(c, ENTRA, "assertion")
    encrypt_assertion(c, r, ENTRA, alg="aes256-cbc")
    sign(c, r, ENTRA)
    return ser(r)


@ok("entra_encrypted_response_signed_only", "unsigned assertion encrypted, Response signed over the ciphertext")
def _(c):
    r = build(c, ENTRA)
    encrypt_assertion(c, r, ENTRA, alg="aes256-cbc")
    sign(c, r, ENTRA)
    return ser(r)


@ok("entra_groups_150", "150 group object ids (Entra's SAML limit)")
def _(c): return ser(std(c, ENTRA, "assertion", attrs=entra_attrs(c.nameid, groups=150)))




@ok("entra_persistent_nameid", "pairwise persistent NameID with SPNameQualifier/NameQualifier; e-mail only as a claim", nameid="S40rgb3XjhFTv6EQTETkEzcgVmToHKRkZUIsJlmLdVc")
def _(c):
    return ser(std(c, ENTRA, "assertion", nameid="S40rgb3XjhFTv6EQTETkEzcgVmToHKRkZUIsJlmLdVc",
                   nameid_format=F_PERSIST, nameid_attrs=f' NameQualifier="{c.idp}" SPNameQualifier="{c.sp}"',
                   attrs=entra_attrs(c.nameid)))


@ok("adfs_assertion_signed", "ADFS default (SamlResponseSignature=AssertionOnly), Consent attribute")
def _(c):
    return ser(std(c, ADFS, "assertion", attrs=[(CLAIM + "emailaddress", None, [c.nameid]),
                                               (CLAIM + "upn", None, [c.nameid]),
                                               (MSWS + "groups", None, ["Domain Users"])]))


@ok("adfs_message_and_assertion_signed", "ADFS MessageAndAssertion")
def _(c): return ser(std(c, ADFS, "both"))


@ok("adfs_encrypted", "ADFS with encryption certificate: aes256-cbc + oaep-mgf1p, KeyInfo in the default namespace")
def _(c):
    r = std(c, ADFS, "assertion")
    encrypt_assertion(c, r, ADFS, alg="aes256-cbc")
    return ser(r)


@ok("okta_both_signed", "Okta: Response and Assertion signed, InclusiveNamespaces PrefixList=xs, XML declaration")
def _(c): return ser(std(c, OKTA, "both"), OKTA)




@ok("okta_encrypted_aes256gcm", "Okta encrypted assertion aes256-gcm, Response signed")
def _(c):
    r = std(c, OKTA, "assertion")
    encrypt_assertion(c, r, OKTA, alg="aes256-gcm")
    sign(c, r, OKTA)
    return ser(r, OKTA)


@ok("keycloak_response_signed", "Keycloak default 'Sign documents': Response signed, KeyName+X509+KeyValue, multi-valued Role")
def _(c):
    return ser(std(c, KEYCLOAK, "response", attrs=[("Role", NF_BASIC, ["offline_access"]), ("Role", NF_BASIC, ["uma_authorization"]),
                                                   ("email", NF_BASIC, [c.nameid])]))


@ok("keycloak_both_signed", "Keycloak 'Sign documents' and 'Sign assertions'")
def _(c): return ser(std(c, KEYCLOAK, "both"))


@ok("keycloak_inclusive_c14n", "Keycloak canonicalization INCLUSIVE (C14N 1.0) on the Response")
def _(c): return ser(std(c, dataclasses.replace(KEYCLOAK, c14n="inc"), "response"))


@ok("keycloak_encrypted_aes128cbc", "Keycloak 'Encrypt assertions' (aes128-cbc), Response signed")
def _(c):
    r = build(c, KEYCLOAK)
    encrypt_assertion(c, r, KEYCLOAK, alg="aes128-cbc")
    sign(c, r, KEYCLOAK)
    return ser(r)


@ok("google_response_signed", "Google Workspace 'Signed response'")
def _(c): return ser(std(c, GOOGLE, "response", session_index=uid()), GOOGLE)


@ok("google_assertion_signed", "Google Workspace default: assertion signed, InResponseTo on both")
def _(c): return ser(std(c, GOOGLE, "assertion", session_index=uid()), GOOGLE)


@ok("simplesamlphp_both_signed", "SimpleSAMLphp: transient NameID with SPNameQualifier, SessionNotOnOrAfter", nameid="_3f7b3dcf1674ecb3a0e5c5a5d6f5c8f9")
def _(c):
    return ser(std(c, SSP, "both", nameid="_3f7b3dcf1674ecb3a0e5c5a5d6f5c8f9", nameid_attrs=f' SPNameQualifier="{c.sp}"',
                   attrs=oid_attrs(c.nameid)))


@ok("simplesamlphp_eptid", "eduPersonTargetedID: an AttributeValue holding a nested NameID element")
def _(c):
    ep = (f'<saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10" NameFormat="{NF_URI}"><saml:AttributeValue>'
          f'<saml:NameID Format="{F_PERSIST}" NameQualifier="{c.idp}" SPNameQualifier="{c.sp}">a1b2c3d4</saml:NameID>'
          f'</saml:AttributeValue></saml:Attribute>')
    return ser(std(c, SSP, "both", nameid=c.nameid, nameid_format=F_EMAIL, attrs=oid_attrs(c.nameid), attr_xml=ep))


@ok("shibboleth_encrypted_gcm", "Shibboleth IdP v4+: Response signed, assertion encrypted aes128-gcm + oaep-mgf1p, InclusiveNamespaces xsd, wrapped X509Certificate", nameid="AAdzZWNyZXQxabcdef")
def _(c):
    r = build(c, SHIB, nameid="AAdzZWNyZXQxabcdef", attrs=oid_attrs(c.nameid),
              nameid_attrs=f' NameQualifier="{c.idp}" SPNameQualifier="{c.sp}"')
    encrypt_assertion(c, r, SHIB, alg="aes128-gcm")
    sign(c, r, SHIB)
    return ser(r, SHIB)


@ok("ping_assertion_signed", "PingFederate: IDs without prefix rules, Destination present, unspecified NameID")
def _(c): return ser(std(c, dataclasses.replace(PING, idp="gZ8k."), "assertion"))


@ok("onelogin_both_signed", "OneLogin: pfx ids, SessionNotOnOrAfter")
def _(c): return ser(std(c, ONELOGIN, "both", session_index="_7b3f-1d2c"))


# ---- crypto variants
@ok("ecdsa_p256", "IdP signs with EC P-256 (ecdsa-sha256); metadata also has RSA certs before it", group="valid-crypto")
def _(c): return ser(std(c, KEYCLOAK, "response", key="idpec", alg="ecdsa-sha256", keyinfo="x509"))


@ok("rollover_second_cert", "signed with the second signing cert of the metadata", group="valid-crypto")
def _(c): return ser(std(c, ENTRA, "assertion", key="idp2"))


@ok("rsa_sha512", "rsa-sha512 / sha512", group="valid-crypto")
def _(c): return ser(std(c, SSP, "both", alg="rsa-sha512", dig="sha512", nameid_format=F_EMAIL))


@ok("no_keyinfo", "Signature without KeyInfo", group="valid-crypto")
def _(c): return ser(std(c, SSP, "assertion", keyinfo="none", nameid_format=F_EMAIL))


@ok("encrypted_oaep11_sha256", "xmlenc11#rsa-oaep with SHA-256 digest and MGF1-SHA256, aes256-gcm", group="valid-crypto")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, alg="aes256-gcm", transport="oaep11")
    return ser(r)


@ok("encrypted_oaep_mgf1p_sha256digest", "rsa-oaep-mgf1p with DigestMethod sha256 (MGF1 stays SHA-1)", group="valid-crypto")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, alg="aes128-gcm", transport="oaep-sha256digest")
    return ser(r)


@ok("encrypted_sibling_key", "EncryptedKey as sibling of EncryptedData, found by RetrievalMethod", group="valid-crypto")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, alg="aes256-cbc", style="sibling")
    sign(c, r, SSP)
    return ser(r)


@ok("encrypted_ns_inherited", "encrypted assertion relies on the saml prefix declared outside the ciphertext", group="valid-crypto")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    plain = c14n(assertion(r), "exc").decode().replace(f' xmlns:saml="{A}"', "", 1)
    encrypt_assertion(c, r, SSP, plain=plain.encode(), alg="aes256-cbc")
    return ser(r)


@ok("encrypted_with_xmldecl", "plaintext starts with an XML declaration (some .NET IdPs)", group="valid-crypto")
def _(c):
    r = std(c, ENTRA, "assertion")
    plain = b'<?xml version="1.0" encoding="utf-8"?>' + c14n(assertion(r), "exc")
    encrypt_assertion(c, r, ENTRA, plain=plain, alg="aes256-cbc")
    return ser(r)


# ---- syntax variants
@ok("base64_wrapped_76", "SAMLResponse base64 with CRLF every 76 characters", group="valid-syntax")
def _(c): return B64("\r\n".join(textwrap.wrap(base64.b64encode(ser(std(c)).encode()).decode(), 76)))


@ok("pretty_printed", "newlines between all elements, present before signing", group="valid-syntax")
def _(c): return ser(std(c, dataclasses.replace(SSP, pretty=True), "both", nameid_format=F_EMAIL))


@ok("xml_declaration_and_bom", "UTF-8 BOM plus XML declaration", group="valid-syntax")
def _(c): return b"\xef\xbb\xbf" + ('<?xml version="1.0" encoding="UTF-8"?>\n' + ser(std(c))).encode()


@ok("comment_between_elements", "harmless comments outside text content (C14N drops them)", group="valid-syntax")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    return x.replace("<saml:Subject>", "<!-- hello --><saml:Subject>", 1)


@ok("unicode_and_cdata", "CJK, emoji, escaped <>&, CDATA in attribute values", group="valid-syntax")
def _(c):
    ax = (f'<saml:Attribute Name="displayName" NameFormat="{NF_BASIC}"><saml:AttributeValue>Zoë 山田 🚀 &lt;x&gt; &amp; "q"</saml:AttributeValue></saml:Attribute>'
          f'<saml:Attribute Name="cd" NameFormat="{NF_BASIC}"><saml:AttributeValue><![CDATA[a<b>&c]]></saml:AttributeValue></saml:Attribute>')
    return ser(std(c, SSP, "both", nameid_format=F_EMAIL, attr_xml=ax))


@ok("empty_and_nil_attribute", "empty AttributeValue, xsi:nil, Attribute without values", group="valid-syntax")
def _(c):
    ax = ('<saml:Attribute Name="a"><saml:AttributeValue/></saml:Attribute>'
          f'<saml:Attribute Name="b"><saml:AttributeValue xmlns:xsi="{XSI}" xsi:nil="true"/></saml:Attribute>'
          '<saml:Attribute Name="c"/>')
    return ser(std(c, SSP, "both", nameid_format=F_EMAIL, attr_xml=ax))


@ok("multi_audience", "two Audience elements in one restriction (OR)", group="valid-policy")
def _(c): return ser(std(c, audiences=[["https://elsewhere.example/sp", c.sp]]))




@ok("two_bearer_confirmations", "first SubjectConfirmation is for another recipient, second is ours", group="valid-policy")
def _(c):
    return ser(std(c, SSP, nameid_format=F_EMAIL, confirmations=[
        dict(method=BEARER, recipient=OTHER_ACS, irt="_other", noa=300), dict(method=BEARER, recipient=c.acs, irt=c.irt, noa=300)]))


@ok("hok_plus_bearer", "holder-of-key confirmation (with ds:KeyInfo inside) next to a valid bearer one", group="valid-policy")
def _(c):
    ki = keyinfo_xml(c.keys, "idp1", "x509", "ds").replace("<ds:KeyInfo>", f'<ds:KeyInfo xmlns:ds="{DS}">')
    return ser(std(c, SSP, nameid_format=F_EMAIL, confirmations=[
        dict(method=HOK, recipient=c.acs, irt=c.irt, noa=300, inner=ki), dict(method=BEARER, recipient=c.acs, irt=c.irt, noa=300)]))


@ok("idp_clock_ahead_60s", "IdP clock 60 s ahead: IssueInstant/NotBefore slightly in the future", group="valid-policy")
def _(c): return ser(std(c, issue=60, nb=60))


@ok("idp_clock_behind_120s", "IdP clock 120 s behind: IssueInstant 120 s old", group="valid-policy")
def _(c): return ser(std(c, issue=-120, nb=-420))


@ok("user_slow_240s", "user took 4 minutes between issue and POST; all windows still open", group="valid-policy")
def _(c): return ser(std(c, issue=-240, nb=-540, scd_noa=60))


@ok("timestamps_ticks7", "7-digit fractional seconds (.NET round-trip format)", group="valid-syntax")
def _(c): return ser(std(c, ENTRA, tfmt="ticks"))


@ok("timestamps_no_fraction", "no fractional seconds", group="valid-syntax")
def _(c): return ser(std(c, ENTRA, tfmt="s"))


@ok("timestamps_nanos", "9-digit fraction (Java Instant)", group="valid-syntax")
def _(c): return ser(std(c, ENTRA, tfmt="ns"))


@ok("no_destination_assertion_signed", "no Destination on an unsigned Response", group="valid-policy")
def _(c): return ser(std(c, ENTRA, destination=None))


@ok("no_response_issuer", "Issuer missing on the Response (optional by schema), assertion signed", group="valid-policy")
def _(c): return ser(std(c, ENTRA, resp_issuer=None))


@ok("status_message", "Success with StatusMessage", group="valid-policy")
def _(c): return ser(std(c, SSP, "both", status_msg="ok", nameid_format=F_EMAIL))


@ok("onetimeuse_and_proxy", "OneTimeUse and ProxyRestriction in Conditions", group="valid-policy")
def _(c):
    return ser(std(c, SSP, "both", nameid_format=F_EMAIL, extra_conditions='<saml:OneTimeUse/><saml:ProxyRestriction Count="1"/>'))


@ok("advice_element", "saml:Advice with an AssertionIDRef", group="valid-policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    adv = etree.fromstring(f'<saml:Advice xmlns:saml="{A}"><saml:AssertionIDRef>_old</saml:AssertionIDRef></saml:Advice>')
    el.find(f"{{{A}}}Conditions").addnext(adv)
    sign(c, el, SSP)
    return ser(r)


@ok("two_attribute_statements", "AttributeStatement split in two", group="valid-policy")
def _(c):
    return ser(std(c, SSP, "both", nameid_format=F_EMAIL, extra_asrt='<saml:AttributeStatement><saml:Attribute Name="dept"><saml:AttributeValue>R&amp;D</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>'))


@ok("nameid_whitespace", "pretty-printing IdP: whitespace around NameID and Audience text", group="valid-syntax", nameid=GENUINE)
def _(c):
    return ser(std(c, SSP, "both", nameid_xml=f'<saml:NameID Format="{F_EMAIL}">\n      {c.nameid}\n    </saml:NameID>',
                   audience_text=f"\n        {c.sp}\n      "))




@ok("prefixes_unusual", "prefixes swapped: saml = protocol, samlp = assertion", group="valid-syntax")
def _(c): return ser(std(c, Shape(p="saml", a="samlp", ds="sig"), "both"))




@case("comment_in_nameid", "either", "injection",
      "genuine document, comment inserted in NameID after signing: reject, or accept with the FULL text (never the truncated one)",
      nameid="admin@example.com.attacker.example", harm="identity")
def _(c):
    c2 = dataclasses.replace(c, nameid="admin@example.com.attacker.example")
    x = ser(std(c2, SSP, "both", nameid_format=F_EMAIL))
    return x.replace(">admin@example.com.attacker.example</saml:NameID>", ">admin@example.com<!---->.attacker.example</saml:NameID>")


@case("comment_in_nameid_response_signed", "either", "injection", "same, only Response signed",
      nameid="admin@example.com.attacker.example")
def _(c):
    c2 = dataclasses.replace(c, nameid="admin@example.com.attacker.example")
    x = ser(std(c2, ENTRA, "response"))
    return x.replace(">admin@example.com.attacker.example</NameID>", ">admin@example.com<!--x-->.attacker.example</NameID>")


@case("comment_in_attribute", "either", "injection", "comment inside an AttributeValue after signing",
      nameid=GENUINE)
def _(c):
    x = ser(std(c, SSP, "both", nameid_format=F_EMAIL))
    return x.replace(f'>{c.nameid}</saml:AttributeValue>', f'>{c.nameid[:5]}<!---->{c.nameid[5:]}</saml:AttributeValue>')


# ============================================================ ATTACKS: signature wrapping
def xsw(c, n, s=SSP):
    if n in (1, 2):
        r = std(c, s, "response", nameid_format=F_EMAIL)
        orig = strip_sig(r)
        sg = r.find(f"{{{DS}}}Signature")
        evil = make_evil(c, r)
        evil.set("ID", "_evil_response_ID")
        sg = copy.deepcopy(sg)
        evil.insert(1, sg)
        if n == 1:
            sg.append(orig)
        else:
            evil.insert(1, orig)
        return evil
    r = std(c, s, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil_assertion_ID")
    if n == 3:
        el.addprevious(evil)
    elif n == 4:
        r.replace(el, evil)
        evil.append(el)
    elif n == 5:
        orig = strip_sig(el)
        evil.insert(1, copy.deepcopy(el.find(f"{{{DS}}}Signature")))
        r.replace(el, evil)
        r.append(orig)
    elif n == 6:
        orig = strip_sig(el)
        sg = copy.deepcopy(el.find(f"{{{DS}}}Signature"))
        evil.insert(1, sg)
        r.replace(el, evil)
        sg.append(orig)
    elif n == 7:
        ext = etree.Element(f"{{{P}}}Extensions", nsmap={"samlp": P})
        el.addprevious(ext)
        ext.append(evil)
    elif n == 8:
        orig = strip_sig(el)
        sg = copy.deepcopy(el.find(f"{{{DS}}}Signature"))
        evil.insert(1, sg)
        r.replace(el, evil)
        ob = etree.SubElement(sg, f"{{{DS}}}Object")
        ob.append(orig)
    return r


_XSW = {1: "signed Response moved into the Signature of an evil Response", 2: "signed Response beside the detached Signature in an evil Response",
        3: "evil Assertion before the signed one", 4: "evil Assertion wraps the signed one",
        5: "evil Assertion carries the Signature, original appended at the end", 6: "original hidden inside the Signature of the evil Assertion",
        7: "evil Assertion inside samlp:Extensions", 8: "original inside ds:Object of the evil Assertion's Signature"}
for _n, _w in _XSW.items():
    bad(f"xsw{_n}", "xsw", _w)(lambda c, _n=_n: ser(xsw(c, _n)))
for _n in (3, 4, 5, 6, 8):
    bad(f"xsw{_n}_entra_shape", "xsw", _XSW[_n] + " (default-namespace Entra shape)")(lambda c, _n=_n: ser(xsw(c, _n, ENTRA)))


@bad("xsw9_original_in_extensions", "xsw", "signed Assertion hidden in Extensions, evil unsigned Assertion in its place")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    r.replace(el, evil)
    ext = etree.Element(f"{{{P}}}Extensions", nsmap={"samlp": P})
    r.find(f"{{{P}}}Status").addprevious(ext)
    ext.append(el)
    return ser(r)


@bad("xsw10_original_in_statusdetail", "xsw", "signed Assertion hidden in StatusDetail")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    r.replace(el, evil)
    sd = etree.SubElement(r.find(f"{{{P}}}Status"), f"{{{P}}}StatusDetail")
    sd.append(el)
    return ser(r)




@bad("xsw12_original_in_scd", "xsw", "signed Assertion inside SubjectConfirmationData of the evil one")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    r.replace(el, evil)
    evil.find(f".//{{{A}}}SubjectConfirmationData").append(el)
    return ser(r)


@bad("xsw13_evil_after_signed", "xsw", "two sibling Assertions: signed first, evil second")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    evil.set("ID", "_evil")
    r.append(evil)
    return ser(r)


@bad("xsw14_same_id_evil_first", "xsw", "evil Assertion with the SAME ID before the signed one")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    assertion(r).addprevious(make_evil(c, assertion(r)))
    return ser(r)


@bad("xsw15_same_id_evil_last", "xsw", "evil Assertion with the SAME ID after the signed one")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    r.append(make_evil(c, assertion(r)))
    return ser(r)


@bad("xsw16_evil_plus_encrypted_genuine", "xsw", "evil unsigned Assertion beside a genuine EncryptedAssertion")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    evil.set("ID", "_evil")
    encrypt_assertion(c, r, SSP, alg="aes256-cbc")
    r.append(evil)
    return ser(r)




@bad("xsw18_signed_plus_forged_encrypted_first", "xsw", "forged EncryptedAssertion first, genuine signed Assertion second")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    evil.set("ID", "_evil")
    assertion(r).addprevious(etree.fromstring(encrypted_xml(c, SSP, c14n(evil), alg="aes128-cbc")))
    return ser(r)


@bad("xsw19_foreign_ns_assertion", "xsw", "evil Assertion with the right local name in a foreign namespace, before the signed one")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    evil.set("ID", "_evil")
    x = etree.tostring(evil).decode().replace(A, "urn:evil")
    assertion(r).addprevious(etree.fromstring(x))
    return ser(r)


@bad("xsw20_signed_metadata_wrapped", "xsw", "Response wraps a genuinely signed but unrelated IdP document (EntityDescriptor), assertion unsigned")
def _(c):
    md = etree.fromstring(f'<md:EntityDescriptor xmlns:md="{MD}" ID="_md1" entityID="{c.idp}"><md:Organization/></md:EntityDescriptor>')
    sign(c, md, SSP, where=0)
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    ext = etree.Element(f"{{{P}}}Extensions", nsmap={"samlp": P})
    r.find(f"{{{P}}}Status").addprevious(ext)
    ext.append(md)
    return ser(r)




@bad("xsw22_response_signature_covers_assertion_only", "xsw", "Signature child of Response references the genuine Assertion, evil one sits first")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    sg = sign(c, el, SSP, insert=False, transforms=None)
    r.insert(1, sg)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    el.addprevious(evil)
    return ser(r)


# ============================================================ ATTACKS: signature
@bad("unsigned", "signature", "no signature at all", harm="policy")
def _(c): return ser(build(c, ENTRA, nameid=c.evil))


@bad("signature_stripped", "signature", "genuine message, Signature removed", harm="policy")
def _(c): return ser(strip_sig(build(c, ENTRA, nameid=c.evil)))


@bad("tampered_nameid", "signature", "NameID changed after signing")
def _(c): return ser(std(c)).replace(c.nameid, c.evil)


@bad("empty_signature_element", "signature", "Signature element without content", harm="policy")
def _(c):
    r = build(c, ENTRA, nameid=c.evil)
    assertion(r).insert(1, etree.Element(f"{{{DS}}}Signature", nsmap={None: DS}))
    return ser(r)


@bad("empty_signature_value", "signature", "SignatureValue empty", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, sig_value=b"")
    return ser(r)


@bad("signed_by_attacker", "signature", "attacker key, attacker cert in KeyInfo", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="attacker"))


@bad("signed_by_attacker_genuine_cert_in_keyinfo", "signature", "attacker key, genuine cert in KeyInfo", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="attacker", cert="idp1"))


@bad("signed_by_attacker_keyvalue", "signature", "attacker key with bare RSAKeyValue", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="attacker", keyinfo="keyvalue"))




@bad("signed_by_expired_cert", "signature", "signed by a certificate of the metadata that expired a year ago (Entra App Gallery validation requires refusal)", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", key="idpexp"))


@bad("signed_by_other_idp", "signature", "another IdP's key while Issuer claims ours", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="otheridp"))


@bad("signed_by_sp_key", "signature", "signed with the SP's own key (reflection)", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="sp"))


@bad("sha1_signature", "algorithm", "rsa-sha1 + sha1 digest by the genuine key: refused by policy", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", alg="rsa-sha1", dig="sha1"))


@bad("sha1_digest_only", "algorithm", "rsa-sha256 over a sha1 digest", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", dig="sha1"))




def _hmac(c, alg, keyb, inner=""):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, alg=alg, hmac_key=keyb, sig_method_inner=inner, key="idp1")
    return ser(r)


@bad("hmac_with_public_cert_der", "algorithm", "hmac-sha256 keyed with the public cert DER", harm="policy")
def _(c): return _hmac(c, "hmac-sha256", c.keys.cert("idp1").public_bytes(serialization.Encoding.DER))


@bad("hmac_with_public_cert_pem", "algorithm", "hmac-sha256 keyed with the public cert PEM", harm="policy")
def _(c): return _hmac(c, "hmac-sha256", c.keys.cert("idp1").public_bytes(serialization.Encoding.PEM))


@bad("hmac_with_spki", "algorithm", "hmac-sha1 keyed with the SPKI", harm="policy")
def _(c):
    return _hmac(c, "hmac-sha1", c.keys.cert("idp1").public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@bad("hmac_truncated_zero", "algorithm", "hmac-sha256 with HMACOutputLength 0", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, alg="hmac-sha256", hmac_key=b"x", sig_value=b"",
         sig_method_inner="<ds:HMACOutputLength>0</ds:HMACOutputLength>")
    return ser(r)


@bad("unknown_signature_algorithm", "algorithm", "SignatureMethod 'none'", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, alg="http://example.com/none", sig_value=b"\0")
    return ser(r)






# ============================================================ ATTACKS: references, transforms, SignedInfo
@bad("reference_uri_missing", "reference", "Reference without URI attribute, genuine key signs evil document: application-defined reference must be refused", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri=None, digest_el=r)
    return ser(r)


@bad("reference_uri_empty_in_assertion", "reference", "URI='' inside the Assertion's Signature (covers the whole document, not the parent)", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri="", digest_el=r)
    return ser(r)




@bad("reference_xpointer_root", "reference", "URI=#xpointer(/)", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri="#xpointer(/)", digest_el=r)
    return ser(r)


@bad("reference_xpointer_id_evil_sibling", "reference", "URI=#xpointer(id('..')) to the genuine assertion, evil one first")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    sign(c, el, SSP, ref_uri=f"#xpointer(id('{el.get('ID')}'))")
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    el.addprevious(evil)
    return ser(r)


@bad("reference_xpointer_expression", "reference", "URI=#xpointer(//*[local-name()='Status'])", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    st = r.find(f"{{{P}}}Status")
    sign(c, assertion(r), SSP, ref_uri="#xpointer(//*[local-name()='Status'])", digest_el=st)
    return ser(r)


@bad("reference_external_http", "reference", "Reference URI=http://canary: verifier must not fetch (SSRF)", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri=c.canary + "/reference", digest="AAAA",
         transforms="")
    return ser(r)


@bad("reference_external_file", "reference", "Reference URI=file:///etc/passwd", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri="file:///etc/passwd", digest="AAAA", transforms="")
    return ser(r)


@bad("reference_device_file", "reference", "Reference URI=file:///dev/zero: endless read", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, ref_uri="file:///dev/zero", digest="AAAA", transforms="")
    return ser(r)


@bad("manifest_external_http", "reference", "ds:Manifest in ds:Object with external Reference", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    m = (f'<ds:Object><ds:Manifest Id="m1"><ds:Reference URI="{c.canary}/manifest"><ds:DigestMethod Algorithm="{DIGALG["sha256"]}"/>'
         f'<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object>')
    sign(c, assertion(r), SSP, key="attacker", obj=m)
    return ser(r)


@bad("retrievalmethod_external", "reference", "KeyInfo/RetrievalMethod to http://canary", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sg = sign(c, assertion(r), SSP, key="attacker", keyinfo="none")
    sg.append(etree.fromstring(f'<ds:KeyInfo xmlns:ds="{DS}"><ds:RetrievalMethod URI="{c.canary}/keyinfo" Type="http://www.w3.org/2000/09/xmldsig#X509Data"/></ds:KeyInfo>'))
    return ser(r)




@bad("two_signedinfo_forged_first", "reference", "two SignedInfo: forged one first, genuine second (CVE-2025-29774 shape)")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    for x in el.iter():
        if isinstance(x.tag, str) and x.text and c.nameid in x.text and etree.QName(x).namespace == A:
            x.text = x.text.replace(c.nameid, c.evil)
    sg = el.find(f"{{{DS}}}Signature")
    si = sg.find(f"{{{DS}}}SignedInfo")
    forged = copy.deepcopy(si)
    forged.find(f".//{{{DS}}}DigestValue").text = base64.b64encode(hashlib.sha256(c14n(strip_sig(el))).digest()).decode()
    si.addprevious(forged)
    return ser(r)


@bad("two_signedinfo_genuine_first", "reference", "two SignedInfo: genuine first, forged second")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    for x in el.iter():
        if isinstance(x.tag, str) and x.text and c.nameid in x.text and etree.QName(x).namespace == A:
            x.text = x.text.replace(c.nameid, c.evil)
    sg = el.find(f"{{{DS}}}Signature")
    si = sg.find(f"{{{DS}}}SignedInfo")
    forged = copy.deepcopy(si)
    forged.find(f".//{{{DS}}}DigestValue").text = base64.b64encode(hashlib.sha256(c14n(strip_sig(el))).digest()).decode()
    si.addnext(forged)
    return ser(r)


@bad("comment_in_digestvalue", "reference", "comment splits DigestValue: forged + genuine digest (CVE-2025-29775)")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    for x in el.iter():
        if isinstance(x.tag, str) and x.text and c.nameid in x.text and etree.QName(x).namespace == A:
            x.text = x.text.replace(c.nameid, c.evil)
    dv = el.find(f".//{{{DS}}}DigestValue")
    genuine = dv.text
    dv.text = None
    cm = etree.Comment(base64.b64encode(hashlib.sha256(c14n(strip_sig(el))).digest()).decode())
    cm.tail = genuine
    dv.append(cm)
    return ser(r)


@bad("digest_smuggled_in_statusdetail", "reference", "forged DigestValue in StatusDetail, evil assertion with the genuine Signature (CVE-2024-45409)")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    sg = copy.deepcopy(el.find(f"{{{DS}}}Signature"))
    evil = make_evil(c, el)
    fd = base64.b64encode(hashlib.sha256(c14n(evil)).digest()).decode()
    evil.insert(1, sg)
    r.replace(el, evil)
    sd = etree.SubElement(r.find(f"{{{P}}}Status"), f"{{{P}}}StatusDetail")
    dv = etree.SubElement(sd, f"{{{DS}}}DigestValue", nsmap={"ds": DS})
    dv.text = fd
    return ser(r)


@bad("transform_xslt", "transform", "XSLT transform in an attacker-signed Signature (must not run before trust)", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    xsl = ('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
           f'<xsl:copy-of select="document(\'{c.canary}/xslt\')"/></xsl:template></xsl:stylesheet>')
    tr = (f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{C14N["exc"]}"/>'
          f'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{xsl}</ds:Transform></ds:Transforms>')
    sign(c, assertion(r), SSP, key="attacker", transforms=tr)
    return ser(r)


@bad("transform_xslt_loop", "transform", "XSLT recursion bomb in an attacker-signed Signature", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    xsl = ('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
           '<xsl:template match="/"><xsl:call-template name="a"><xsl:with-param name="n" select="40"/></xsl:call-template></xsl:template>'
           '<xsl:template name="a"><xsl:param name="n"/><xsl:if test="$n &gt; 0">'
           '<xsl:call-template name="a"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>'
           '<xsl:call-template name="a"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>'
           '</xsl:if></xsl:template></xsl:stylesheet>')
    tr = (f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{C14N["exc"]}"/>'
          f'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{xsl}</ds:Transform></ds:Transforms>')
    sign(c, assertion(r), SSP, key="attacker", transforms=tr)
    return ser(r)


@bad("transform_xpath_bomb", "transform", "expensive XPath filter in an attacker-signed Signature", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL, attr_xml='<saml:Attribute Name="pad">' + "<saml:AttributeValue>x</saml:AttributeValue>" * 400 + "</saml:Attribute>")
    xp = "count(//*[count(//*[count(//*)>0])>0])>0"
    tr = (f'<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
          f'<ds:XPath>{xp.replace(">", "&gt;")}</ds:XPath></ds:Transform><ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>')
    sign(c, assertion(r), SSP, key="attacker", transforms=tr, digest="AAAA")
    return ser(r)


@bad("transform_xpath_excludes_nameid_genuine_key", "transform", "GENUINE key, but an XPath transform leaves NameID unsigned; NameID changed afterwards", harm="identity")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    part = copy.deepcopy(el)
    ni = part.find(f".//{{{A}}}NameID")
    ni.getparent().remove(ni)
    xp = "not(ancestor-or-self::ds:Signature) and not(ancestor-or-self::saml:NameID)"
    tr = (f'<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
          f'<ds:XPath xmlns:ds="{DS}" xmlns:saml="{A}">{xp}</ds:XPath></ds:Transform><ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>')
    sign(c, el, SSP, transforms=tr, digest_el=part)
    el.find(f".//{{{A}}}NameID").text = c.evil
    return ser(r)




@bad("no_transforms_enveloped_missing", "transform", "no enveloped-signature transform; SignatureValue not covered correctly", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, key="attacker", transforms="")
    return ser(r)


@bad("many_references_dos", "transform", "2 000 References over a 300 kB assertion: pre-auth hashing bomb", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL, attrs=[("pad", NF_BASIC, ["x" * 300_000])])
    el = assertion(r)
    d = base64.b64encode(hashlib.sha256(c14n(el)).digest()).decode()
    tr = f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>'
    rf = f'<ds:Reference URI="#{el.get("ID")}">{tr}<ds:DigestMethod Algorithm="{DIGALG["sha256"]}"/><ds:DigestValue>{d}</ds:DigestValue></ds:Reference>'
    sign(c, el, SSP, key="attacker", refs=rf * 2000)
    return ser(r)


@bad("many_signatures_dos", "transform", "400 attacker Signatures in one document", harm="dos")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL, attrs=[("pad", NF_BASIC, ["x" * 100_000])])
    el = assertion(r)
    sg = sign(c, el, SSP, key="attacker", insert=True)
    for _i in range(399):
        sg.addnext(copy.deepcopy(sg))
    return ser(r)


@bad("void_c14n_digest", "reference", "relative namespace URI makes libxml2 C14N fail; DigestValue = SHA-256 of nothing (void canonicalization), SignedInfo signed by the genuine key", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL, asrt_decls=' xmlns:v="1"')
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    sg = sign(c, assertion(r), SSP, digest=empty, insert=False)
    assertion(r).insert(1, sg)
    return ser(r)


@bad("void_c14n_signedinfo", "reference", "SignedInfo not canonicalizable; SignatureValue = RSA over empty string", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, signature_value_of=b"", si_decls=' xmlns:v="1"')
    return ser(r)


@bad("c14n_with_comments_comment_injection", "transform", "exc-c14n#WithComments, comment added to NameID after signing", harm="identity")
def _(c):
    c2 = dataclasses.replace(c, nameid="admin@example.com.attacker.example")
    x = ser(std(c2, SSP, "assertion", nameid_format=F_EMAIL, c14n_mode="exc-comments"))
    return x.replace(">admin@example.com.attacker.example</saml:NameID>", ">admin@example.com<!---->.attacker.example</saml:NameID>")


# ============================================================ ATTACKS: IDs and attributes




@bad("xml_id_collision", "ids", "evil assertion claims the signed ID through xml:id")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    evil.set("{http://www.w3.org/XML/1998/namespace}id", el.get("ID"))
    el.addprevious(evil)
    return ser(r)




@bad("polluted_response_attributes", "ids", "unsigned Response with evil:Destination / evil:InResponseTo polluting the real ones; assertion for other request", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL, irt="_someone_elses_request",
            resp_decls=f' xmlns:ev="urn:ev" ev:InResponseTo="{c.irt}"')
    return ser(r)


@bad("ns_redefined_ds_prefix", "ids", "Signature in a look-alike namespace (…xmldsig) must not count as signature", harm="policy")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid=c.evil, nameid_format=F_EMAIL, key="attacker"))
    return x.replace(DS, DS[:-1] + "-core#")




@bad("doctype_notation_differential", "xml", "internal subset with NOTATION/comment quoting trick, evil assertion beside the signed one")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    x = ser(r).replace("<saml:Assertion", etree.tostring(evil).decode() + "<saml:Assertion", 1)
    return "<!DOCTYPE response [ <!NOTATION x SYSTEM 'x\">]><!--'> ]>\n" + x


@bad("namespace_parser_differential", "xml", "CVE-2025-25292 shape: two Signatures, one visible only when default namespaces are resolved properly")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", el.get("ID") + "x")
    forged_digest = base64.b64encode(hashlib.sha256(c14n(evil)).digest()).decode()
    sg = etree.tostring(el.find(f"{{{DS}}}Signature")).decode()
    sg = re.sub(r"<ds:DigestValue>[^<]*", "<ds:DigestValue>" + forged_digest, sg)
    sg = sg.replace(el.get("ID"), evil.get("ID"))
    # forged Signature written with a default namespace that one of two parsers ignores
    sg2 = sg.replace(f'xmlns:ds="{DS}"', f'xmlns:ds="urn:not-dsig" xmlns="{DS}"').replace("<ds:SignedInfo>", "<SignedInfo>").replace("</ds:SignedInfo>", "</SignedInfo>")
    evil.insert(1, etree.fromstring(sg2))
    el.addprevious(evil)
    return ser(r)


# ============================================================ ATTACKS: XML
def _dtd(c, dtd, x=None):
    return f"<!DOCTYPE samlp:Response [{dtd}]>" + (x or ser(std(c, SSP, "both", nameid_format=F_EMAIL)))




@bad("xxe_file", "xml", "external general entity file:///etc/passwd in NameID", harm="policy")
def _(c):
    x = ser(std(c, SSP, "none", nameid="@@E@@", nameid_format=F_EMAIL)).replace("@@E@@", "&xxe;")
    return _dtd(c, '<!ENTITY xxe SYSTEM "file:///etc/passwd">', x)


@bad("xxe_http_parameter_entity", "xml", "external parameter entity to http://canary", harm="dos")
def _(c): return _dtd(c, f'<!ENTITY % p SYSTEM "{c.canary}/pe"> %p;')


@bad("xxe_external_subset", "xml", "DOCTYPE SYSTEM http://canary", harm="dos")
def _(c): return f'<!DOCTYPE samlp:Response SYSTEM "{c.canary}/dtd">' + ser(std(c, SSP, "both", nameid_format=F_EMAIL))


@bad("billion_laughs", "xml", "nested internal entities in text", harm="dos")
def _(c):
    d = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{i} "{("&l%d;" % (i - 1)) * 10}">' for i in range(1, 10))
    x = ser(std(c, SSP, "none", nameid="@@E@@", nameid_format=F_EMAIL)).replace("@@E@@", "&l9;")
    return _dtd(c, d, x)


@bad("billion_laughs_in_id_attribute", "xml", "nested entities in the ID attribute (read before any signature check)", harm="dos")
def _(c):
    d = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{i} "{("&l%d;" % (i - 1)) * 10}">' for i in range(1, 10))
    x = ser(build(c, SSP, asrt_id="@@E@@", nameid=c.evil, nameid_format=F_EMAIL, session_index="_s")).replace("@@E@@", "&l9;")
    return _dtd(c, d, x)


@bad("quadratic_blowup_id_attribute", "xml", "one 60 kB entity used 20 000 times in the ID attribute", harm="dos")
def _(c):
    d = f'<!ENTITY a "{"A" * 60_000}">'
    x = ser(build(c, SSP, asrt_id="@@E@@", nameid=c.evil, nameid_format=F_EMAIL, session_index="_s")).replace("@@E@@", "&a;" * 20_000)
    return _dtd(c, d, x)


@bad("quadratic_blowup_text", "xml", "one 60 kB entity used 20 000 times in text", harm="dos")
def _(c):
    d = f'<!ENTITY a "{"A" * 60_000}">'
    x = ser(build(c, SSP, nameid="@@E@@", nameid_format=F_EMAIL)).replace("@@E@@", "&a;" * 20_000)
    return _dtd(c, d, x)


@bad("entity_in_signed_nameid", "xml", "after signing, NameID text replaced by an internal entity with the same expansion (differential)", harm="policy")
def _(c):
    x = ser(std(c, SSP, "both", nameid_format=F_EMAIL))
    return _dtd(c, f'<!ENTITY n "{c.nameid}">', x.replace(f">{c.nameid}</saml:NameID>", ">&n;</saml:NameID>"))


@bad("dtd_default_attribute", "xml", "ATTLIST default adds attributes to signed elements", harm="policy")
def _(c):
    return _dtd(c, '<!ATTLIST saml:NameID Format CDATA "urn:evil"> <!ATTLIST saml:Assertion xmlns:saml CDATA #FIXED "urn:oasis:names:tc:SAML:2.0:assertion">')




@bad("processing_instruction", "xml", "xml-stylesheet PI before the root (signed content untouched)", harm="policy")
def _(c): return '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:21999/canary/xsl"?>' + ser(std(c, SSP, "both", nameid_format=F_EMAIL))


@bad("pi_in_nameid", "injection", "PI inserted in NameID after signing (C14N keeps PIs: digest breaks)", harm="identity")
def _(c):
    c2 = dataclasses.replace(c, nameid="admin@example.com.attacker.example")
    x = ser(std(c2, SSP, "both", nameid_format=F_EMAIL))
    return x.replace(">admin@example.com.attacker.example</saml:NameID>", ">admin@example.com<?x y?>.attacker.example</saml:NameID>")


@bad("cdata_in_nameid", "injection", "placeholder")
def _(c): return ""


CASES["cdata_in_nameid"] = Case("cdata_in_nameid", "either", "injection",
                               "NameID re-spelled as text+CDATA after signing (same C14N): reject or full text",
                               nameid="admin@example.com.attacker.example",
                               fn=lambda c: ser(std(dataclasses.replace(c, nameid="admin@example.com.attacker.example"), SSP, "both", nameid_format=F_EMAIL)).replace(
                                   ">admin@example.com.attacker.example</saml:NameID>", ">admin@example.com<![CDATA[.attacker.example]]></saml:NameID>"))


@bad("element_in_nameid", "injection", "child element in a (genuinely signed) NameID: text must not be truncated/concatenated silently", harm="policy")
def _(c):
    return ser(std(c, SSP, "both", nameid_xml=f'<saml:NameID Format="{F_EMAIL}">{c.evil}<x:x xmlns:x="urn:x">.attacker.example</x:x></saml:NameID>'))


@bad("two_nameids", "injection", "two NameID elements in Subject (genuine key, sloppy IdP)", harm="policy")
def _(c):
    return ser(std(c, SSP, "both", nameid_xml=f'<saml:NameID Format="{F_EMAIL}">{c.nameid}</saml:NameID><saml:NameID Format="{F_EMAIL}">{c.evil}</saml:NameID>'))


@bad("foreign_ns_nameid", "injection", "first NameID-like element in a foreign namespace (genuine key)", harm="identity")
def _(c):
    return ser(std(c, SSP, "both", nameid_xml=f'<x:NameID xmlns:x="urn:x">{c.evil}</x:NameID><saml:NameID Format="{F_EMAIL}">{c.nameid}</saml:NameID>'))


@bad("nul_byte", "xml", "NUL byte in NameID", harm="policy")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL)).replace(c.nameid, "alice\0@example.com").encode()


@bad("nul_charref", "xml", "&#0; character reference", harm="policy")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL)).replace(c.nameid, "alice&#0;@example.com")


@bad("utf16", "xml", "document encoded as UTF-16 (with BOM)", harm="policy")
def _(c): return ('<?xml version="1.0" encoding="UTF-16"?>' + ser(std(c, SSP, "both", nameid_format=F_EMAIL))).encode("utf-16")


@bad("encoding_lie_utf7", "xml", "declares encoding UTF-7", harm="policy")
def _(c): return '<?xml version="1.0" encoding="UTF-7"?>' + ser(std(c, SSP, "both", nameid_format=F_EMAIL))


@bad("encoding_lie_latin1", "xml", "declares ISO-8859-1 while bytes are UTF-8 (parser differential on non-ASCII)", harm="policy")
def _(c):
    return '<?xml version="1.0" encoding="ISO-8859-1"?>' + ser(std(c, SSP, "both", nameid="zoë@example.com", nameid_format=F_EMAIL))


@bad("invalid_utf8", "xml", "invalid UTF-8 sequence", harm="policy")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL)).encode().replace(b"Alice", b"Al\xff\xfeice")


@bad("xml11", "xml", "XML 1.1 declaration", harm="policy")
def _(c): return '<?xml version="1.1"?>' + ser(std(c, SSP, "both", nameid_format=F_EMAIL))




@bad("two_roots_evil_first", "xml", "evil Response followed by the signed one (CVE-2022-39299)")
def _(c):
    return ser(build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)) + ser(std(c, SSP, "both", nameid_format=F_EMAIL))


@bad("trailing_garbage", "xml", "text after the root element (recovering parsers accept)", harm="policy")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL)) + "<!-- x --> trailing"






@bad("undeclared_prefix", "xml", "undeclared namespace prefix on an element outside the signature", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL)).replace("</samlp:Response>", "<zz:x/></samlp:Response>")


@bad("duplicate_attribute", "xml", "same attribute twice on Response (not well-formed)", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL)).replace('Version="2.0"', 'Version="2.0" Version="2.0"', 1)


@bad("deep_nesting", "xml", "5 000 nested elements", harm="dos")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    n = 5000
    return x.replace("<samlp:Status>", "<samlp:Extensions>" + "<a>" * n + "</a>" * n + "</samlp:Extensions><samlp:Status>", 1)


@bad("deep_nesting_200", "xml", "200 nested elements (under libxml2's own limit of 256)", harm="dos")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    n = 200
    return x.replace("<samlp:Status>", "<samlp:Extensions>" + "<a>" * n + "</a>" * n + "</samlp:Extensions><samlp:Status>", 1)


@bad("huge_document", "xml", "document of several MB must be refused by size before parsing", harm="dos")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL, attrs=[("pad", NF_BASIC, ["x" * c.big])]))


@bad("many_attributes", "xml", "50 000 attributes on one element", harm="dos")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    return x.replace("<samlp:Status>", "<samlp:Extensions " + " ".join(f'a{i}="1"' for i in range(50_000)) + "/><samlp:Status>", 1)


@bad("many_ids", "xml", "40 000 elements with an ID attribute before the signature", harm="dos")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    return x.replace("<samlp:Status>", "<samlp:Extensions>" + "".join(f'<a ID="_i{i}"/>' for i in range(40_000)) + "</samlp:Extensions><samlp:Status>", 1)


@bad("many_children_signed", "xml", "genuine key signs an assertion with 6 000 attribute values (matching cost in reducing verifiers)", harm="dos")
def _(c):
    return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, attrs=[("pad", NF_BASIC, ["v%d" % i for i in range(6000)])]))


# "#id" references drop comments before C14N even with #WithComments, so the signature stays valid
CASES["c14n_with_comments_comment_injection"].verdict = "either"
CASES["c14n_with_comments_comment_injection"].nameid = "admin@example.com.attacker.example"
CASES["nameid_whitespace"].verdict = "either"        # anyURI collapses, NameID is xs:string; trim or refuse
CASES["pi_in_nameid"].verdict = "either"             # parsers that drop PIs before C14N see the original text
CASES["pi_in_nameid"].nameid = "admin@example.com.attacker.example"
CASES["encrypted_with_xmldecl"].verdict = "either"   # libxmlsec itself refuses it
CASES["encrypted_with_xmldecl"].nameid = GENUINE
CASES["many_children_signed"].verdict = "either"
CASES["many_children_signed"].nameid = GENUINE


@bad("wrong_root_logoutresponse", "xml", "a genuinely signed LogoutResponse posted to the ACS", harm="policy")
def _(c):
    r = build(c, SSP, root_local="LogoutResponse", assertion=False)
    sign(c, r, SSP)
    return ser(r)


@bad("wrong_root_bare_assertion", "xml", "a bare genuinely signed Assertion without Response", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    return etree.tostring(etree.fromstring(c14n(assertion(r)))).decode()




@bad("soap_envelope", "xml", "Response wrapped in a SOAP envelope", harm="policy")
def _(c):
    return '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + ser(std(c, SSP, "both", nameid_format=F_EMAIL)) + "</s:Body></s:Envelope>"


@bad("wrong_namespace_response", "xml", "Response element in the wrong namespace, signed by the genuine key", harm="policy")
def _(c): return ser(std(c, SSP, "both", nameid_format=F_EMAIL, p_uri="urn:oasis:names:tc:SAML:1.0:protocol"))


@bad("wrong_namespace_assertion", "xml", "Assertion in a foreign namespace inside a genuinely signed Response", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    x = etree.tostring(assertion(r)).decode().replace(A, "urn:evil:assertion")
    r.replace(assertion(r), etree.fromstring(x))
    sign(c, r, SSP, where=1)
    return ser(r)


@bad("base64_garbage", "format", "not base64", harm="policy")
def _(c): return B64("!!!! not base64 ****")


@bad("empty_value", "format", "empty SAMLResponse", harm="policy")
def _(c): return B64("")




@bad("only_xml_decl", "format", "XML declaration without root", harm="policy")
def _(c): return '<?xml version="1.0"?>'


@bad("deflated_in_post", "format", "DEFLATE-compressed document in the POST binding", harm="policy")
def _(c): return B64(deflate_b64(ser(std(c, SSP, "both", nameid_format=F_EMAIL)).encode()))




# ============================================================ ATTACKS: policy (genuine signature, wrong content)
def pol(name, why, which="assertion", **o):
    bad(name, "policy", why, harm="policy", **{k: o.pop(k) for k in ("profile", "steps") if k in o})(
        lambda c, o=o, which=which: ser(std(c, ENTRA, which, **{k: (v(c) if callable(v) else v) for k, v in o.items()})))


pol("wrong_audience", "AudienceRestriction for another SP", audiences=[[OTHER_SP]])
pol("missing_audience_restriction", "Conditions without AudienceRestriction", audiences=[])
pol("missing_conditions", "no Conditions element", conditions=None)
pol("empty_audience", "AudienceRestriction with an empty Audience", audiences=[[""]])
pol("audience_prefix_match", "audience = our entity id + '.evil.example'", audiences=lambda c: [[c.sp + ".evil.example"]])
pol("audience_case_mismatch", "audience differs in case", audiences=lambda c: [[c.sp.upper()]])
pol("two_audience_restrictions_one_mismatch", "two AudienceRestriction, one without us (AND semantics)", audiences=lambda c: [[c.sp], [OTHER_SP]])
pol("response_for_other_sp", "audience, recipient and Destination of another SP", audiences=[[OTHER_SP]], recipient=OTHER_ACS, destination=OTHER_ACS)
pol("wrong_recipient", "SubjectConfirmationData Recipient is another ACS", recipient=OTHER_ACS)
pol("missing_recipient", "no Recipient", recipient=None)
pol("recipient_prefix_match", "Recipient = our ACS + '/../evil'", recipient=lambda c: c.acs + "/../evil")
pol("wrong_destination_response_signed", "Destination is another ACS, Response signed", which="both", destination=OTHER_ACS)
pol("wrong_destination_unsigned_response", "Destination is another ACS, only assertion signed", destination=OTHER_ACS)
pol("missing_destination_response_signed", "signed Response without Destination", which="response", destination=None)
pol("wrong_response_issuer", "Response Issuer differs (assertion signed)", resp_issuer="https://evil.example/idp")
pol("wrong_assertion_issuer", "Assertion Issuer differs", asrt_issuer="https://evil.example/idp")
pol("missing_assertion_issuer", "Assertion without Issuer", which="response", asrt_issuer=None)
pol("issuer_trailing_slash_missing", "Issuer without the trailing slash (exact match needed)", asrt_issuer=DEFAULT_IDP.rstrip("/"), resp_issuer=DEFAULT_IDP.rstrip("/"))
pol("expired_conditions", "Conditions NotOnOrAfter one hour ago", nb=-7200, noa=-3600)
pol("expired_subject_confirmation", "SubjectConfirmationData NotOnOrAfter one hour ago", scd_noa=-3600)
pol("not_yet_valid", "NotBefore one hour ahead", nb=3600, noa=7200)
pol("issued_in_future", "IssueInstant one day ahead, no NotBefore", issue=86400, nb=None, noa=2 * 86400, scd_noa=2 * 86400)
pol("stale_issue_instant", "IssueInstant one day old, windows long", issue=-86400, nb=-86400, noa=86400, scd_noa=86400)
pol("missing_scd_notonorafter", "bearer confirmation without NotOnOrAfter", scd_noa=None)
pol("session_expired", "SessionNotOnOrAfter in the past", session_noa=-3600)
pol("missing_subject", "Assertion without Subject", subject=False)
pol("missing_subject_confirmation", "Subject without SubjectConfirmation", confirmations=[])
pol("bearer_without_data", "bearer confirmation without SubjectConfirmationData", confirmations=[dict(method=BEARER, nodata=True)])
pol("holder_of_key_only", "only holder-of-key confirmation", confirmations=lambda c: [dict(method=HOK, recipient=c.acs, irt=c.irt, noa=300)])
pol("sender_vouches_only", "only sender-vouches confirmation", confirmations=lambda c: [dict(method=SENDER_VOUCHES, recipient=c.acs, irt=c.irt, noa=300)])
pol("missing_authn_statement", "no AuthnStatement", authn=False)
pol("missing_nameid", "Subject without NameID and without identifying attributes", nameid_xml="", attrs=[("x", None, ["y"])])
pol("empty_nameid", "empty NameID", nameid_xml=f'<NameID Format="{F_EMAIL}"></NameID>')
pol("version_11", "Assertion Version=1.1", asrt_version="1.1")
pol("response_version_11", "Response Version=1.1 (signed)", which="response", version="1.1")
pol("inresponseto_other_request", "InResponseTo of a request we never sent (both places)", irt="_someone_elses_request")
pol("inresponseto_inner_mismatch", "Response InResponseTo ours, SubjectConfirmationData of another request", scd_irt="_someone_elses_request")
pol("inresponseto_outer_mismatch", "SubjectConfirmationData ours, Response of another request", irt="_someone_elses_request", scd_irt=lambda c: c.irt)
pol("inresponseto_missing_inner", "stolen unsolicited assertion (no InResponseTo) in an unsigned Response claiming our request", scd_irt=None)
pol("unsolicited_when_disallowed", "IdP-initiated while the SP forbids it", irt=None)
pol("unsolicited_ok_but_unknown_irt", "unsolicited allowed, but InResponseTo names a request we never sent", irt="_someone_elses_request", profile="unsolicited-ok")
pol("status_responder_with_assertion", "StatusCode Responder but an assertion is present (assertion signed)", status=(RESPONDER,))
pol("status_responder_response_signed", "StatusCode Responder, Response signed", which="response", status=(RESPONDER, AUTHNFAILED))
pol("status_missing", "no Status element (assertion signed)", no_status=True)
pol("status_missing_response_signed", "no Status element, Response signed", which="response", no_status=True)
pol("error_response_unsigned", "plain error response without assertion (AADSTS text): must be an error, message shown safely", which="none", assertion=False, status=(REQUESTER, "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"), status_msg="AADSTS75006: <script>alert(1)</script>")
pol("success_without_assertion", "Success but no assertion, Response signed", which="response", assertion=False)
pol("replay_same_response", "same bytes delivered twice", steps=2)
pol("unknown_condition", "unknown extension Condition element must invalidate", extra_conditions=f'<Condition xmlns:xsi="{XSI}" xmlns:x="urn:x" xsi:type="x:Unknown"/>')


@bad("replay_new_response_id", "policy", "same signed assertion re-wrapped in a new unsigned Response with a fresh ID", harm="policy", steps=2)
def _(c): return ser(std(c, ENTRA, "assertion"))


def rewrap_response(b64: str) -> str:
    """Second delivery of replay_new_response_id: change ID and IssueInstant of the unsigned Response."""
    x = base64.b64decode(b64).decode()
    head, tail = x.split(">", 1)
    head = re.sub(r' ID="[^"]*"', f' ID="{uid()}"', head)
    return base64.b64encode((head + ">" + tail).encode()).decode()


# ============================================================ ATTACKS: encryption
def _enc(c, plain=None, sign_resp=False, evil=True, signed=None, **kw):
    r = build(c, SSP, nameid=c.evil if evil else c.nameid, nameid_format=F_EMAIL)
    if signed:
        sign(c, assertion(r), SSP, key=signed)
    encrypt_assertion(c, r, SSP, plain=plain, **kw)
    if sign_resp:
        sign(c, r, SSP)
    return ser(r)


@bad("enc_forged_unsigned", "encryption", "unsigned assertion encrypted with the SP's public key, unsigned Response", harm="policy")
def _(c): return _enc(c, alg="aes128-cbc")




@bad("enc_ciphertext_empty", "encryption", "empty CipherValue (unsigned Response)", harm="dos")
def _(c): return _enc(c, alg="aes128-cbc", ciphertext=b"")


@bad("enc_ciphertext_5_bytes", "encryption", "CipherValue shorter than the IV", harm="dos")
def _(c): return _enc(c, alg="aes128-cbc", ciphertext=b"12345")


@bad("enc_gcm_20_bytes", "encryption", "GCM CipherValue shorter than IV+tag", harm="dos")
def _(c): return _enc(c, alg="aes128-gcm", ciphertext=b"x" * 20)


@bad("enc_ciphertext_5_bytes_response_signed", "encryption", "short CipherValue in a genuinely signed Response (buggy IdP): error, not panic", harm="dos")
def _(c): return _enc(c, alg="aes128-cbc", ciphertext=b"12345", sign_resp=True)


@bad("enc_gcm_5_bytes_response_signed", "encryption", "GCM CipherValue of 5 bytes in a signed Response: error, not panic", harm="dos")
def _(c): return _enc(c, alg="aes128-gcm", ciphertext=b"12345", sign_resp=True)


@bad("enc_cbc_unaligned", "encryption", "CBC ciphertext not a multiple of 16", harm="dos")
def _(c): return _enc(c, alg="aes256-cbc", ciphertext=lambda x: x[:-3])


@bad("enc_cbc_bad_padding", "encryption", "CBC ciphertext tampered in the last block (padding oracle probe)", harm="policy")
def _(c): return _enc(c, alg="aes256-cbc", ciphertext=lambda x: x[:-1] + bytes([x[-1] ^ 1]), evil=False, signed="idp1")


@bad("enc_gcm_bad_tag", "encryption", "GCM tag flipped", harm="policy")
def _(c): return _enc(c, alg="aes256-gcm", ciphertext=lambda x: x[:-1] + bytes([x[-1] ^ 1]), evil=False, signed="idp1")


@bad("enc_key_garbage", "encryption", "EncryptedKey is random bytes", harm="policy")
def _(c): return _enc(c, alg="aes256-cbc", wrapped=lambda w: secrets.token_bytes(len(w)), evil=False, signed="idp1")


@bad("enc_key_empty", "encryption", "EncryptedKey empty", harm="dos")
def _(c): return _enc(c, alg="aes256-cbc", wrapped=b"")


@bad("enc_key_wrong_size", "encryption", "session key of 16 bytes for aes256", harm="dos")
def _(c): return _enc(c, alg="aes256-cbc", wrapped=lambda w: wrap_key(c.sp_cert.public_key(), b"k" * 16, "oaep"))


@bad("enc_wrong_sp_key", "encryption", "encrypted to another SP's certificate", harm="policy")
def _(c): return _enc(c, alg="aes256-cbc", cert=c.keys.cert("sp2"), evil=False, signed="idp1")


@bad("enc_rsa15", "encryption", "rsa-1_5 key transport (Bleichenbacher): refused by policy", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, alg="aes256-cbc", transport="rsa15")
    sign(c, r, SSP)
    return ser(r)


@bad("enc_rsa15_aes128", "encryption", "rsa-1_5 + aes128-cbc with the Response genuinely signed", harm="policy")
def _(c): return _enc(c, alg="aes128-cbc", transport="rsa15", evil=False, sign_resp=True)


@bad("enc_3des", "encryption", "3DES content encryption: refused by policy", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, alg="3des-cbc")
    sign(c, r, SSP)
    return ser(r)


@bad("enc_two_roots_plaintext", "encryption", "plaintext holds two assertions: evil unsigned + genuine signed")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    evil.set("ID", "_evil")
    encrypt_assertion(c, r, SSP, plain=c14n(evil) + c14n(assertion(r)), alg="aes256-cbc")
    return ser(r)


@bad("enc_breakout_plaintext", "encryption", "plaintext closes the wrapper and opens new elements", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    evil = make_evil(c, assertion(r))
    encrypt_assertion(c, r, SSP, plain=b"</x>" + c14n(evil) + b"<x>", alg="aes256-cbc")
    return ser(r)


@bad("enc_plaintext_dtd", "encryption", "plaintext contains a DOCTYPE with entities", harm="dos")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    d = b'<!DOCTYPE x [<!ENTITY a "' + b"A" * 1000 + b'">]>'
    encrypt_assertion(c, r, SSP, plain=d + c14n(assertion(r)), alg="aes256-cbc")
    return ser(r)




@bad("enc_xsw_in_plaintext", "encryption", "plaintext: evil assertion carrying the genuine signature, original in ds:Object (XSW8 inside the ciphertext)")
def _(c):
    r = xsw(c, 8)
    encrypt_assertion(c, r, SSP, alg="aes256-cbc")
    return ser(r)


@bad("enc_cipherreference_http", "encryption", "CipherReference URI=http://canary instead of CipherValue (SSRF)", harm="dos")
def _(c): return _enc(c, alg="aes256-cbc", cipher_inner=f'<xenc:CipherReference URI="{c.canary}/cipherref"/>')


@bad("enc_comment_in_plaintext_nameid", "encryption", "comment in NameID inside the plaintext of a genuinely signed assertion", harm="identity")
def _(c):
    c2 = dataclasses.replace(c, nameid="admin@example.com.attacker.example")
    r = std(c2, SSP, "assertion", nameid_format=F_EMAIL)
    plain = c14n(assertion(r)).replace(b">admin@example.com.attacker.example</saml:NameID>", b">admin@example.com<!---->.attacker.example</saml:NameID>")
    encrypt_assertion(c2, r, SSP, plain=plain, alg="aes256-cbc")
    return ser(r)


CASES["enc_comment_in_plaintext_nameid"].verdict = "either"
CASES["enc_comment_in_plaintext_nameid"].nameid = "admin@example.com.attacker.example"


@bad("enc_many_encrypted_keys", "encryption", "500 EncryptedAssertion elements: RSA-decryption bomb", harm="dos")
def _(c):
    r = build(c, SSP, assertion=False)
    r.append(etree.fromstring(encrypted_xml(c, SSP, b"<x/>", alg="aes256-cbc")))
    e = r[-1]
    for _i in range(499):
        r.append(copy.deepcopy(e))
    return ser(r)
