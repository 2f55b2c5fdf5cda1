"""Cases beside those of cases.py: encrypted names, our previous key, every cipher, and more places to hide an assertion."""
from cases import *  # noqa: F401,F403
from cases import _enc


def encrypted_id(c, key_of="sp", transport="oaep", alg="aes256-gcm", nameid=None, wrap=lambda x: x):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    n = el.find(f".//{{{A}}}NameID")
    if nameid:
        n.text = nameid
    x = encrypted_xml(c, SSP, wrap(c14n(n)), alg=alg, transport=transport, cert=c.keys.cert(key_of)).decode()
    n.getparent().replace(n, etree.fromstring(x.replace("EncryptedAssertion", "EncryptedID")))
    return r


@ok("encrypted_nameid", "EncryptedID in a signed assertion", group="valid-crypto")
def _(c):
    r = encrypted_id(c)
    sign(c, assertion(r), SSP)
    return ser(r)


@ok("encrypted_nameid_in_encrypted_assertion", "EncryptedID in a signed assertion that is encrypted", group="valid-crypto")
def _(c):
    r = encrypted_id(c, alg="aes128-cbc")
    sign(c, assertion(r), SSP)
    encrypt_assertion(c, r, SSP, alg="aes256-gcm")
    return ser(r)


@ok("encrypted_nameid_previous_key", "EncryptedID for our previous key", group="valid-crypto")
def _(c):
    r = encrypted_id(c, key_of="spold")
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("encrypted_nameid_other_sp", "encryption", "EncryptedID for another SP's key", harm="policy")
def _(c):
    r = encrypted_id(c, key_of="sp2")
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("encrypted_nameid_is_issuer", "encryption", "EncryptedID holds another element", harm="policy")
def _(c):
    r = encrypted_id(c, wrap=lambda x: x.replace(b"NameID", b"Issuer"))
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("encrypted_and_plain_nameid", "encryption", "NameID beside an EncryptedID (genuine key)", harm="policy")
def _(c):
    r = encrypted_id(c)
    subject = assertion(r).find(f"{{{A}}}Subject")
    n = etree.SubElement(subject, f"{{{A}}}NameID")
    n.text = c.evil
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("encrypted_attribute", "encryption", "EncryptedAttribute: not supported, so not ignored (genuine key)", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    st = assertion(r).find(f"{{{A}}}AttributeStatement")
    x = encrypted_xml(c, SSP, b"<x/>").decode().replace("EncryptedAssertion", "EncryptedAttribute")
    st.append(etree.fromstring(x))
    sign(c, assertion(r), SSP)
    return ser(r)


for _alg in ("aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm"):
    for _transport in ("oaep", "oaep-sha256digest", "oaep11"):
        @ok(f"encrypted_{_alg}_{_transport}", f"{_alg} under {_transport}, assertion signed inside", group="valid-crypto")
        def _(c, _alg=_alg, _transport=_transport):
            r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
            encrypt_assertion(c, r, SSP, alg=_alg, transport=_transport)
            return ser(r)


for _key in ("sp", "spold"):
    @ok(f"encrypted_for_{_key}", f"encrypted for our key {_key}", group="valid-crypto")
    def _(c, _key=_key):
        r = std(c, ENTRA, "assertion")
        encrypt_assertion(c, r, ENTRA, cert=c.keys.cert(_key))
        return ser(r)


@ok("encrypted_ns_inherited_default", "ciphertext relies on the default namespace declared outside", group="valid-crypto")
def _(c):
    r = std(c, ENTRA, "assertion")
    plain = c14n(assertion(r), "exc").decode().replace(f' xmlns="{A}"', "", 1)
    encrypt_assertion(c, r, ENTRA, plain=plain.encode(), alg="aes256-gcm")
    return ser(r)


def signed_inside(name, why, **o):
    kw = {k: o.pop(k) for k in list(o) if k in ("key",)}

    @bad("enc_inside_" + name, "encryption", why, harm="policy")
    def _(c):
        r = std(c, ENTRA, "assertion", **kw, **{k: v(c) if callable(v) else v for k, v in o.items()})
        encrypt_assertion(c, r, ENTRA, alg="aes256-gcm")
        return ser(r)


signed_inside("by_attacker", "encrypted, signed inside by an attacker", key="attacker", nameid=lambda c: c.evil)
signed_inside("by_expired", "encrypted, signed inside by an expired certificate", key="idpexp")
signed_inside("for_other_sp", "encrypted, signed inside, for another audience", audiences=[[OTHER_SP]])
signed_inside("unknown_request", "encrypted, signed inside, for a request we never sent", irt="_someone_elses_request")


@bad("enc_signed_response_unsigned_tampered_inside", "encryption", "Response signed, inner signature does not hold", harm="policy")
def _(c):
    r = std(c, ENTRA, "assertion")
    encrypt_assertion(c, r, ENTRA, plain=c14n(assertion(r), "exc").replace(c.nameid.encode(), c.evil.encode()))
    sign(c, r, ENTRA)
    return ser(r)


@bad("enc_nested_response", "encryption", "plaintext is a whole signed Response", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, plain=c14n(std(c, SSP, "both", nameid_format=F_EMAIL)))
    return ser(r)


@bad("enc_encrypted_twice", "encryption", "plaintext is an EncryptedAssertion", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, plain=encrypted_xml(c, SSP, c14n(assertion(r))))
    return ser(r)


@bad("enc_five_keys", "encryption", "five EncryptedKey: more private operations than anybody needs", harm="dos")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    e = encrypt_assertion(c, r, SSP)
    k = e.find(f".//{{{XENC}}}EncryptedKey")
    for _i in range(4):
        k.addnext(copy.deepcopy(k))
    return ser(r)


@bad("enc_oaep_params", "encryption", "OAEPparams", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    e = encrypt_assertion(c, r, SSP)
    etree.SubElement(e.find(f".//{{{XENC}}}EncryptedKey/{{{XENC}}}EncryptionMethod"), f"{{{XENC}}}OAEPparams").text = "AAAA"
    return ser(r)


@bad("enc_content_type", "encryption", "EncryptedData of type Content", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    encrypt_assertion(c, r, SSP, etype=XENC + "Content")
    return ser(r)


# ---- signatures
@bad("ecdsa_zero", "algorithm", "ECDSA with r = s = 0 (CVE-2022-21449)", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, key="idpec", alg="ecdsa-sha256", sig_value=b"\0" * 64)
    return ser(r)


@bad("rsa_sha256_value_from_ec_key", "algorithm", "SignatureMethod says RSA, value by the EC key", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, key="idpec", alg="rsa-sha256", sig_value=b"\x01" * 256)
    return ser(r)


for _alg in ("rsa-md5", "rsa-pss-sha256"):
    @bad("algorithm_" + _alg.replace("-", "_"), "algorithm", _alg + " by the genuine key", harm="policy")
    def _(c, _alg=_alg):
        return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, alg=_alg))


@bad("digest_md5", "algorithm", "MD5 digest by the genuine key", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, dig="md5"))


@bad("signed_by_encryption_cert", "signature", "signed by a certificate that the metadata has for encryption only", harm="policy")
def _(c): return ser(std(c, ENTRA, "both", nameid=c.evil, key="idpenc"))


@bad("digest_value_empty", "reference", "DigestValue empty", harm="policy")
def _(c):
    r = build(c, SSP, nameid=c.evil, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, digest="")
    return ser(r)


@bad("reference_to_other_element", "reference", "genuine signature of the Assertion over its Subject alone; the rest is the attacker's", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    s = assertion(r).find(f"{{{A}}}Subject")
    s.set("ID", "_subject")
    sign(c, assertion(r), SSP, ref_uri="#_subject", digest_el=s)
    return ser(r)


@bad("two_references", "reference", "one reference to the assertion, one to the status", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    d = base64.b64encode(hashlib.sha256(c14n(el)).digest()).decode()
    tr = f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>'
    rf = f'<ds:Reference URI="#{el.get("ID")}">{tr}<ds:DigestMethod Algorithm="{DIGALG["sha256"]}"/><ds:DigestValue>{d}</ds:DigestValue></ds:Reference>'
    sign(c, el, SSP, refs=rf * 2)
    return ser(r)


@bad("transforms_twice", "transform", "enveloped, C14N, and C14N once more", harm="policy")
def _(c):
    tr = (f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{C14N["exc"]}"/>'
          f'<ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>')
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, transforms=tr)
    return ser(r)


@bad("c14n_without_enveloped", "transform", "C14N alone, genuine key", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, transforms=f'<ds:Transforms><ds:Transform Algorithm="{C14N["exc"]}"/></ds:Transforms>')
    return ser(r)


@bad("signature_last", "reference", "Signature at the end of the Assertion (schema: behind the Issuer), genuine key", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, where="end")
    return ser(r)


@bad("signature_twice", "reference", "the same genuine Signature twice", harm="policy")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    sg = assertion(r).find(f"{{{DS}}}Signature")
    sg.addnext(copy.deepcopy(sg))
    return ser(r)


@bad("rsa_response_ec_assertion", "signature", "Response signed by RSA, assertion by an attacker's EC key", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, key="idpec", alg="ecdsa-sha256", sig_value=b"\x01" * 64)
    sign(c, r, SSP)
    return ser(r)


@bad("both_signed_inner_broken", "signature", "Response signed, but the signature of the assertion does not hold", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, key="attacker")
    sign(c, r, SSP)
    return ser(r)


@bad("reference_uri_case", "reference", "Reference to the ID in another case", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL, asrt_id="_aBc")
    sign(c, assertion(r), SSP, ref_uri="#_abc")
    return ser(r)


# ---- places to hide
def hidden(name, why, put, s=SSP):
    @bad("hidden_" + name, "xsw", why)
    def _(c):
        r = std(c, s, "assertion", nameid_format=F_EMAIL)
        el = assertion(r)
        evil = make_evil(c, el)
        evil.set("ID", "_evil")
        put(r, el, evil)
        return ser(r)


def _advice(r, el, evil):
    r.replace(el, evil)
    etree.SubElement(evil, f"{{{A}}}Advice").append(el)


def _subject(r, el, evil):
    r.replace(el, evil)
    evil.find(f"{{{A}}}Subject").append(el)


def _value(r, el, evil):
    r.replace(el, evil)
    evil.find(f".//{{{A}}}AttributeValue").append(el)


def _object(r, el, evil):
    r.replace(el, evil)
    sg = el.find(f"{{{DS}}}Signature")
    evil.insert(1, copy.deepcopy(sg))
    etree.SubElement(evil[1].find(f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data").append(strip_sig(el))


def _wrapped_response(r, el, evil):
    inner = copy.deepcopy(r)
    r.replace(el, evil)
    r.insert(1, etree.fromstring(f'<samlp:Extensions xmlns:samlp="{P}"/>'))
    r[1].append(inner)


def _conditions(r, el, evil):
    r.replace(el, evil)
    evil.find(f"{{{A}}}Conditions").append(el)


hidden("in_advice", "signed assertion inside Advice of the evil one", _advice)
hidden("in_subject", "signed assertion inside Subject of the evil one", _subject)
hidden("in_attribute_value", "signed assertion inside an AttributeValue of the evil one", _value)
hidden("in_key_info", "signed assertion inside KeyInfo of the evil one's copied Signature", _object)
hidden("in_wrapped_response", "whole genuine Response inside Extensions", _wrapped_response)
hidden("in_conditions", "signed assertion inside Conditions of the evil one", _conditions)


@bad("evil_in_signed_advice", "xsw", "genuine key signs an assertion whose Advice holds an evil one")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    el = assertion(r)
    evil = make_evil(c, el)
    evil.set("ID", "_evil")
    etree.SubElement(el, f"{{{A}}}Advice").append(evil)
    sign(c, el, SSP)
    return ser(r)


@bad("id_lower_case_twin", "ids", "evil element claims the signed ID as Id")
def _(c):
    r = std(c, SSP, "assertion", nameid_format=F_EMAIL)
    x = etree.fromstring(f'<samlp:Extensions xmlns:samlp="{P}"><x Id="{assertion(r).get("ID")}"/></samlp:Extensions>')
    r.find(f"{{{P}}}Status").addprevious(x)
    return ser(r)


@bad("id_starts_with_digit", "ids", "ID that is no NCName (genuine key)", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, asrt_id="1abc"))


@bad("two_assertions_both_signed", "structure", "two genuine assertions", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    twin = copy.deepcopy(assertion(r))
    twin.set("ID", "_twin")
    assertion(r).addnext(twin)
    for el in r.findall(f"{{{A}}}Assertion"):
        sign(c, el, SSP)
    return ser(r)


@bad("two_subjects", "structure", "two Subject elements (genuine key)", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    s = assertion(r).find(f"{{{A}}}Subject")
    s.addnext(copy.deepcopy(s))
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("two_conditions", "structure", "two Conditions elements (genuine key)", harm="policy")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    s = assertion(r).find(f"{{{A}}}Conditions")
    s.addnext(copy.deepcopy(s))
    sign(c, assertion(r), SSP)
    return ser(r)


@bad("two_statuses", "structure", "Success beside Responder (assertion signed)", harm="policy")
def _(c):
    x = f'<samlp:Status><samlp:StatusCode Value="{RESPONDER}"/></samlp:Status>'
    return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, pre_status=x))


@bad("truncated", "xml", "document without its end", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))[:-20]


@bad("wrong_end_tag", "xml", "end tag of another name", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid_format=F_EMAIL)).replace("</samlp:Status>", "</samlp:State>")


@bad("many_namespaces", "xml", "3 000 namespace declarations in scope: canonicalisation looks at all of them for each element", harm="dos")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL))
    d = "".join(f' xmlns:n{i}="u:{i}"' for i in range(3000))
    return x.replace("<samlp:Status>", f"<samlp:Extensions{d}><a/></samlp:Extensions><samlp:Status>", 1)


@bad("comment_in_audience", "injection", "comment splits the audience after signing", harm="policy")
def _(c):
    x = ser(std(c, SSP, "assertion", nameid_format=F_EMAIL, audiences=[[c.sp + ".evil.example"]]))
    return x.replace(f">{c.sp}.evil.example<", f">{c.sp}<!---->.evil.example<")


@bad("nameid_control", "injection", "line break inside NameID (genuine key)", harm="policy")
def _(c): return ser(std(c, SSP, "assertion", nameid="alice@example.com\nadmin", nameid_format=F_EMAIL))


@bad("not_before_confirmation", "policy", "SubjectConfirmationData NotBefore in an hour", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", scd_nb=3600, scd_noa=7200))


@bad("response_in_future", "policy", "Response issued in a day, its assertion now", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", issue=86400, asrt_issue=0, nb=-300))


@bad("assertion_in_future", "policy", "assertion issued in a day, its Response now", harm="policy")
def _(c): return ser(std(c, ENTRA, "assertion", issue=0, asrt_issue=86400, nb=-300))


@bad("no_issue_instant", "policy", "Assertion without IssueInstant, Response signed", harm="policy")
def _(c):
    r = build(c, ENTRA)
    del assertion(r).attrib["IssueInstant"]
    sign(c, r, ENTRA)
    return ser(r)


@bad("year_262142", "policy", "IssueInstant in the year 262142", harm="dos")
def _(c):
    r = build(c, ENTRA)
    assertion(r).set("IssueInstant", "262142-01-01T00:00:00Z")
    sign(c, assertion(r), ENTRA)
    return ser(r)


@bad("time_without_zone", "policy", "NotOnOrAfter without a zone (genuine key)", harm="policy")
def _(c):
    r = build(c, ENTRA)
    k = assertion(r).find(f"{{{A}}}Conditions")
    k.set("NotOnOrAfter", k.get("NotOnOrAfter").rstrip("Z"))
    sign(c, assertion(r), ENTRA)
    return ser(r)


@ok("unsolicited_with_request", "idp-initiated is allowed, and this one answers a request of ours", profile="unsolicited-ok")
def _(c): return ser(std(c, ENTRA, "assertion"))


@ok("entra_group_overage", "more than 150 groups: a link instead of them")
def _(c): return ser(std(c, ENTRA, "assertion", attrs=entra_attrs(c.nameid, overage=True)))


@ok("okta_response_signed", "Okta, only the Response signed")
def _(c): return ser(std(c, OKTA, "response"), OKTA)


@ok("rsa_sha384", "rsa-sha384 / sha384", group="valid-crypto")
def _(c): return ser(std(c, SSP, "both", alg="rsa-sha384", dig="sha384", nameid_format=F_EMAIL))


@ok("enveloped_alone", "the enveloped transform without a canonicalisation: C14N 1.0 by default", group="valid-crypto")
def _(c):
    r = build(c, SSP, nameid_format=F_EMAIL)
    sign(c, assertion(r), SSP, c14n_mode="inc", si_c14n="exc", transforms=f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/></ds:Transforms>')
    return ser(r)
