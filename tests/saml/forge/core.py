"""Keys, responses, signatures and encryption, with every byte in hand: lxml for C14N, cryptography for primitives."""
from __future__ import annotations

import base64
import copy
import dataclasses
import datetime as dt
import hashlib
import hmac
import os
import secrets
import uuid
import zlib
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from lxml import etree

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
XS = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NSMAP = {"samlp": P, "saml": A, "ds": DS, "xenc": XENC, "md": MD}

C14N = {
    "exc": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "exc-comments": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "inc": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "inc11": "http://www.w3.org/2006/12/xml-c14n11",
}
SIGALG = {
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-sha384": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "rsa-sha512": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "rsa-sha1": "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "rsa-md5": "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "ecdsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "hmac-sha1": "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "hmac-sha256": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "rsa-pss-sha256": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
}
DIGALG = {
    "sha1": "http://www.w3.org/2000/09/xmldsig#sha1",
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
    "md5": "http://www.w3.org/2001/04/xmldsig-more#md5",
}
HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
          "sha512": hashes.SHA512, "md5": hashes.MD5}
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOK = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
SENDER_VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"
REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"
AUTHNFAILED = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
F_EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
F_UNSPEC = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
F_PERSIST = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
F_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NF_BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
NF_URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
NF_UNSPEC = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"

GENUINE = "alice@example.com"
EVIL = "admin@example.com"

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
DEFAULT_IDP = f"https://sts.windows.net/{TENANT}/"
DEFAULT_SP = "https://app.example.com/saml2/service-provider-metadata/entra"
DEFAULT_ACS = "https://app.example.com/saml2/sso/entra"
DEFAULT_IRT = "_req0123456789abcdef0123456789abcdef"
OTHER_SP = "https://other-app.example.net/saml2/service-provider-metadata/entra"
OTHER_ACS = "https://other-app.example.net/saml2/sso/entra"


# --------------------------------------------------------------------------- keys
class Keys:
    """Key directory.  Names: idp1 (current), idp2 (rollover), idpec (EC P-256), idpenc (metadata
    use=encryption only), idpexp (signing cert in metadata, expired a year ago), otheridp (another trusted-looking
    IdP), attacker, sp, spold (ours before), sp2 (not ours)."""

    RSA = ["idp1", "idp2", "idpexp", "idpenc", "otheridp", "attacker", "sp", "spold", "sp2"]
    EC = ["idpec"]

    def __init__(self, d: str | Path, now: dt.datetime):
        self.dir, self.now = Path(d), now
        self._k: dict = {}

    def path(self, name: str, ext: str) -> Path:
        return self.dir / f"{name}.{ext}"

    def generate(self, force: bool = False) -> None:
        self.dir.mkdir(parents=True, exist_ok=True)
        for n in self.RSA + self.EC:
            if self.path(n, "key").exists() and not force:
                continue
            key = (ec.generate_private_key(ec.SECP256R1()) if n in self.EC
                   else rsa.generate_private_key(public_exponent=65537, key_size=2048))
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, {
                "idp1": "Microsoft Azure Federated SSO Certificate",
                "idp2": "Microsoft Azure Federated SSO Certificate",
            }.get(n, f"forge {n}"))])
            now = self.now
            start, end = (-730, -365) if n == "idpexp" else (-30, 3650)
            cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                    .public_key(key.public_key()).serial_number(x509.random_serial_number())
                    .not_valid_before(now + dt.timedelta(days=start))
                    .not_valid_after(now + dt.timedelta(days=end))
                    .sign(key, hashes.SHA256()))
            self.path(n, "key").write_bytes(key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
            os.chmod(self.path(n, "key"), 0o600)
            self.path(n, "crt").write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def key(self, n):
        if ("k", n) not in self._k:
            self._k["k", n] = serialization.load_pem_private_key(
                self.path(n, "key").read_bytes(), None)
        return self._k["k", n]

    def cert(self, n):
        if ("c", n) not in self._k:
            self._k["c", n] = x509.load_pem_x509_certificate(self.path(n, "crt").read_bytes())
        return self._k["c", n]

    def cert_b64(self, n) -> str:
        return base64.b64encode(
            self.cert(n).public_bytes(serialization.Encoding.DER)).decode()


# --------------------------------------------------------------------------- context
@dataclasses.dataclass
class Ctx:
    keys: Keys
    acs: str = DEFAULT_ACS
    sp: str = DEFAULT_SP
    idp: str = DEFAULT_IDP
    irt: str | None = DEFAULT_IRT
    now: dt.datetime = None
    sp_cert: x509.Certificate = None      # encryption target; default keys/sp.crt
    nameid: str = GENUINE
    evil: str = EVIL
    canary: str = "http://127.0.0.1:21999/canary"
    big: int = 8 * 1024 * 1024             # size of "huge" documents

    def __post_init__(self):
        if self.now is None:
            self.now = dt.datetime.now(dt.timezone.utc)
        if self.sp_cert is None:
            self.sp_cert = self.keys.cert("sp")

    def t(self, off: float = 0, fmt: str = "ms") -> str:
        x = self.now + dt.timedelta(seconds=off)
        base = x.strftime("%Y-%m-%dT%H:%M:%S")
        return {"ms": base + f".{x.microsecond // 1000:03d}Z",
                "s": base + "Z",
                "us": base + f".{x.microsecond:06d}Z",
                "ticks": base + f".{x.microsecond:06d}7Z",
                "ns": base + f".{x.microsecond:06d}123Z",
                "offset": base + "+00:00",
                "offset2": (x + dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S") + "+02:00",
                }[fmt]


def uid(prefix: str = "_") -> str:
    return prefix + str(uuid.uuid4())


# --------------------------------------------------------------------------- vendor shapes
@dataclasses.dataclass
class Shape:
    """How a product writes its XML."""
    p: str = "samlp"            # protocol prefix
    a: str = "saml"             # assertion prefix ('' = default namespace)
    a_on_root: bool = True      # is the assertion prefix declared on Response?
    ds: str = "ds"              # signature prefix ('' = default namespace)
    issuer_format: bool = False
    tfmt: str = "s"
    idp: str = "_"              # id prefix
    keyinfo: str = "x509"       # x509 | none | keyname | keyvalue | x509wrapped
    prefixlist: str | None = None  # InclusiveNamespaces PrefixList
    xsi: bool = False           # xsi:type="xs:string" on AttributeValue
    consent: bool = False
    c14n: str = "exc"
    pretty: bool = False
    authn_first: bool = False   # AuthnStatement before AttributeStatement
    nameid_format: str | None = F_EMAIL
    enc: str = "generic"        # adfs | okta | generic | sibling | dsig-default
    cls: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    session_noa: bool = False
    xmldecl: bool = False


ENTRA = Shape(a="", a_on_root=False, ds="", tfmt="ms", enc="adfs",
              cls="urn:oasis:names:tc:SAML:2.0:ac:classes:Password")
ADFS = Shape(a="", a_on_root=False, ds="ds", tfmt="ms", consent=True, enc="adfs")
OKTA = Shape(p="saml2p", a="saml2", a_on_root=False, ds="ds", issuer_format=True, tfmt="ms",
             idp="id", prefixlist="xs", xsi=True, authn_first=True, enc="okta", xmldecl=True)
KEYCLOAK = Shape(p="samlp", a="saml", a_on_root=True, ds="dsig", tfmt="ms", idp="ID_",
                 keyinfo="keyname", xsi=True, authn_first=True, session_noa=True)
GOOGLE = Shape(p="saml2p", a="saml2", a_on_root=False, ds="ds", tfmt="ms", xmldecl=True,
               cls="urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified")
SSP = Shape(p="samlp", a="saml", a_on_root=True, ds="ds", tfmt="s", xsi=True, authn_first=True,
            session_noa=True, nameid_format=F_TRANSIENT)
SHIB = Shape(p="saml2p", a="saml2", a_on_root=False, ds="ds", tfmt="ms", prefixlist="xsd",
             xsi=True, authn_first=True, enc="okta", xmldecl=True,
             keyinfo="x509wrapped", nameid_format=F_TRANSIENT)
PING = Shape(p="samlp", a="saml", a_on_root=False, ds="ds", tfmt="ms", idp="", xsi=True,
             authn_first=True, nameid_format=F_UNSPEC)
ONELOGIN = Shape(p="samlp", a="saml", a_on_root=True, ds="ds", tfmt="s", idp="pfx", xsi=True,
                 authn_first=True, session_noa=True)

CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MSID = "http://schemas.microsoft.com/identity/claims/"
MSWS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"


def entra_attrs(email: str, groups: int = 3, overage: bool = False):
    out = [
        (MSID + "tenantid", None, [TENANT]),
        (MSID + "objectidentifier", None, ["3f2504e0-4f89-11d3-9a0c-0305e82c3301"]),
        (MSID + "displayname", None, ["Alice Example"]),
        (MSID + "identityprovider", None, [DEFAULT_IDP]),
        ("http://schemas.microsoft.com/claims/authnmethodsreferences", None,
         ["http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
          "http://schemas.microsoft.com/claims/multipleauthn"]),
        (CLAIM + "givenname", None, ["Alice"]),
        (CLAIM + "surname", None, ["Example"]),
        (CLAIM + "emailaddress", None, [email]),
        (CLAIM + "name", None, [email]),
    ]
    if overage:
        out.append(("http://schemas.microsoft.com/claims/groups.link", None,
                    [f"https://graph.windows.net/{TENANT}/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301/getMemberObjects"]))
    elif groups:
        out.append((MSWS + "groups", None,
                    [str(uuid.UUID(int=i + 1)) for i in range(groups)]))
    out.append((MSWS + "role", None, ["App.User"]))
    return out


def basic_attrs(email: str):
    return [("email", NF_BASIC, [email]), ("firstName", NF_BASIC, ["Alice"]),
            ("lastName", NF_BASIC, ["Example"]), ("groups", NF_BASIC, ["staff", "editors"])]


def oid_attrs(email: str):
    return [("urn:oid:0.9.2342.19200300.100.1.3", NF_URI, [email]),
            ("urn:oid:2.5.4.42", NF_URI, ["Alice"]), ("urn:oid:2.5.4.4", NF_URI, ["Example"]),
            ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", NF_URI, ["member@example.com"])]


_UNSET = object()


def q(prefix: str, local: str) -> str:
    return f"{prefix}:{local}" if prefix else local


def decl(prefix: str, uri: str) -> str:
    return f' xmlns:{prefix}="{uri}"' if prefix else f' xmlns="{uri}"'


def build(c: Ctx, s: Shape, *, resp_id=None, asrt_id=None, irt=_UNSET, scd_irt=_UNSET,
          destination=_UNSET, resp_issuer=_UNSET, asrt_issuer=_UNSET, status=(SUCCESS,),
          status_msg=None, nameid=None, nameid_xml=None, nameid_format=_UNSET, nameid_attrs="",
          confirmations=None, conditions=_UNSET, nb=-300, noa=3600, audiences=None, attrs=None,
          attr_xml="", authn=True, version="2.0", asrt_version="2.0", issue=0, asrt_issue=None,
          session_index=_UNSET, extra_asrt="", extra_resp="", pre_status="", subject=True,
          recipient=_UNSET, scd_noa=300, scd_nb=None, scd_extra="", no_status=False,
          extra_conditions="", asrt_decls="", resp_decls="", session_noa=None, assertion=True,
          audience_text=None, root_local="Response", p_uri=P, a_uri=A, tfmt=None,
          status_detail="") -> etree._Element:
    """Return the root of an unsigned Response with one plain Assertion."""
    n = "\n" if s.pretty else ""
    tf = tfmt or s.tfmt
    rid = resp_id or uid(s.idp or "_")
    aid = asrt_id or uid(s.idp or "_")
    if irt is _UNSET:
        irt = c.irt
    if scd_irt is _UNSET:
        scd_irt = irt
    if destination is _UNSET:
        destination = c.acs
    if resp_issuer is _UNSET:
        resp_issuer = c.idp
    if asrt_issuer is _UNSET:
        asrt_issuer = c.idp
    if recipient is _UNSET:
        recipient = c.acs
    if audiences is None:
        audiences = [[c.sp]]
    if nameid_format is _UNSET:
        nameid_format = s.nameid_format
    nameid = nameid or c.nameid
    if attrs is None:
        attrs = entra_attrs(nameid) if s is ENTRA else basic_attrs(nameid)
    asrt_issue = issue if asrt_issue is None else asrt_issue
    a, p = s.a, s.p
    ad_root = decl(a, a_uri) if (s.a_on_root and a) else ""
    ad = "" if ad_root else decl(a, a_uri)
    isf = ' Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"' if s.issuer_format else ""
    o = []
    o.append(f'<{q(p, root_local)}{decl(p, p_uri)}{ad_root}{resp_decls}'
             + (f' ID="{rid}"' if rid != "-" else "")
             + (f' Version="{version}"' if version else "")
             + f' IssueInstant="{c.t(issue, tf)}"'
             + (f' Destination={quoteattr(destination)}' if destination is not None else "")
             + (' Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified"' if s.consent else "")
             + (f' InResponseTo="{irt}"' if irt is not None else "") + ">" + n)
    if resp_issuer is not None:
        o.append(f'<{q(a, "Issuer")}{ad}{isf}>{escape(resp_issuer)}</{q(a, "Issuer")}>{n}')
    o.append(pre_status)
    if not no_status:
        o.append(f'<{q(p, "Status")}>')
        for i, code in enumerate(status):
            last = i == len(status) - 1
            o.append(f'<{q(p, "StatusCode")} Value="{code}"' + ("/>" if last else ">"))
        o.append(f'</{q(p, "StatusCode")}>' * (len(status) - 1))
        if status_msg:
            o.append(f'<{q(p, "StatusMessage")}>{escape(status_msg)}</{q(p, "StatusMessage")}>')
        if status_detail:
            o.append(f'<{q(p, "StatusDetail")}>{status_detail}</{q(p, "StatusDetail")}>')
        o.append(f'</{q(p, "Status")}>{n}')
    if assertion:
        xs = f' xmlns:xs="{XS}"' if (s.xsi or (s.prefixlist and "xs" in s.prefixlist.split())) else ""
        if s.prefixlist and "xsd" in s.prefixlist.split():
            xs = f' xmlns:xsd="{XS}"'
        xst = "xsd:string" if "xmlns:xsd" in xs else "xs:string"
        o.append(f'<{q(a, "Assertion")}{ad}{xs}{asrt_decls}'
                 + (f' ID="{aid}"' if aid != "-" else "")
                 + f' IssueInstant="{c.t(asrt_issue, tf)}"'
                 + (f' Version="{asrt_version}"' if asrt_version else "") + ">" + n)
        if asrt_issuer is not None:
            o.append(f'<{q(a, "Issuer")}{isf}>{escape(asrt_issuer)}</{q(a, "Issuer")}>{n}')
        if subject:
            o.append(f'<{q(a, "Subject")}>{n}')
            if nameid_xml is not None:
                o.append(nameid_xml)
            else:
                o.append(f'<{q(a, "NameID")}'
                         + (f' Format="{nameid_format}"' if nameid_format else "")
                         + nameid_attrs + f'>{escape(nameid)}</{q(a, "NameID")}>{n}')
            if confirmations is None:
                confirmations = [dict(method=BEARER, recipient=recipient, irt=scd_irt,
                                      noa=scd_noa, nb=scd_nb, inner=scd_extra)]
            for cf in confirmations:
                o.append(f'<{q(a, "SubjectConfirmation")} Method="{cf["method"]}">')
                if not cf.get("nodata"):
                    o.append(f'<{q(a, "SubjectConfirmationData")}{cf.get("attrs", "")}'
                             + (f' InResponseTo="{cf["irt"]}"' if cf.get("irt") else "")
                             + (f' NotBefore="{c.t(cf["nb"], tf)}"' if cf.get("nb") is not None else "")
                             + (f' NotOnOrAfter="{c.t(cf["noa"], tf)}"' if cf.get("noa") is not None else "")
                             + (f' Recipient={quoteattr(cf["recipient"])}' if cf.get("recipient") else "")
                             + (f'>{cf["inner"]}</{q(a, "SubjectConfirmationData")}>' if cf.get("inner") else "/>"))
                o.append(f'</{q(a, "SubjectConfirmation")}>')
            o.append(f'</{q(a, "Subject")}>{n}')
        if conditions is _UNSET:
            o.append(f'<{q(a, "Conditions")}'
                     + (f' NotBefore="{c.t(nb, tf)}"' if nb is not None else "")
                     + (f' NotOnOrAfter="{c.t(noa, tf)}"' if noa is not None else "") + ">")
            for ar in audiences:
                o.append(f'<{q(a, "AudienceRestriction")}>')
                for au in ar:
                    o.append(f'<{q(a, "Audience")}>{audience_text or escape(au)}</{q(a, "Audience")}>')
                o.append(f'</{q(a, "AudienceRestriction")}>')
            o.append(extra_conditions)
            o.append(f'</{q(a, "Conditions")}>{n}')
        elif conditions:
            o.append(conditions)
        si = aid if session_index is _UNSET else session_index
        authn_x = ""
        if authn:
            snoa = session_noa if session_noa is not None else (28800 if s.session_noa else None)
            authn_x = (f'<{q(a, "AuthnStatement")} AuthnInstant="{c.t(-20, tf)}"'
                       + (f' SessionIndex="{si}"' if si else "")
                       + (f' SessionNotOnOrAfter="{c.t(snoa, tf)}"' if snoa is not None else "")
                       + f'><{q(a, "AuthnContext")}><{q(a, "AuthnContextClassRef")}>{s.cls}'
                       f'</{q(a, "AuthnContextClassRef")}></{q(a, "AuthnContext")}></{q(a, "AuthnStatement")}>{n}')
        attr_x = ""
        if attrs or attr_xml:
            attr_x = f'<{q(a, "AttributeStatement")}>{n}'
            for name, nf, vals in attrs:
                attr_x += (f'<{q(a, "Attribute")} Name={quoteattr(name)}'
                           + (f' NameFormat="{nf}"' if nf else "") + ">")
                for v in vals:
                    ty = f' xmlns:xsi="{XSI}" xsi:type="{xst}"' if s.xsi else ""
                    attr_x += f'<{q(a, "AttributeValue")}{ty}>{escape(v)}</{q(a, "AttributeValue")}>'
                attr_x += f'</{q(a, "Attribute")}>{n}'
            attr_x += attr_xml + f'</{q(a, "AttributeStatement")}>{n}'
        o.append(authn_x + attr_x if s.authn_first else attr_x + authn_x)
        o.append(extra_asrt)
        o.append(f'</{q(a, "Assertion")}>{n}')
    o.append(extra_resp)
    o.append(f'</{q(p, root_local)}>')
    return etree.fromstring("".join(o).encode(), etree.XMLParser(remove_blank_text=False,
                                                                 huge_tree=True))


# --------------------------------------------------------------------------- XML-DSig
def c14n(el, mode="exc", prefixes=None) -> bytes:
    if mode in ("exc", "exc-comments"):
        return etree.tostring(el, method="c14n", exclusive=True,
                              with_comments=mode.endswith("comments"),
                              inclusive_ns_prefixes=prefixes or None, with_tail=False)
    return etree.tostring(el, method="c14n", exclusive=False, with_comments=False, with_tail=False)


def raw_sign(keys: Keys, key: str, alg: str, data: bytes, hmac_key: bytes | None = None) -> bytes:
    if alg.startswith("hmac"):
        return hmac.new(hmac_key, data, alg.split("-")[1]).digest()
    h = HASHES[alg.split("-")[-1]]()
    k = keys.key(key)
    if alg.startswith("ecdsa"):
        r, sv = decode_dss_signature(k.sign(data, ec.ECDSA(h)))
        return r.to_bytes(32, "big") + sv.to_bytes(32, "big")
    if alg.startswith("rsa-pss"):
        return k.sign(data, padding.PSS(padding.MGF1(h), h.digest_size), h)
    return k.sign(data, padding.PKCS1v15(), h)


def keyinfo_xml(keys: Keys, cert: str, style: str, ds: str) -> str:
    if style == "none":
        return ""
    b = keys.cert_b64(cert)
    k = lambda n: q(ds, n)
    if style == "x509wrapped":
        b = "\n" + "\n".join(b[i:i + 64] for i in range(0, len(b), 64)) + "\n"
    x509d = f'<{k("X509Data")}><{k("X509Certificate")}>{b}</{k("X509Certificate")}></{k("X509Data")}>'
    kv = ""
    if style in ("keyname", "keyvalue"):
        pub = keys.cert(cert).public_key()
        if isinstance(pub, rsa.RSAPublicKey):
            nn = pub.public_numbers()
            enc = lambda i: base64.b64encode(i.to_bytes((i.bit_length() + 7) // 8, "big")).decode()
            kv = (f'<{k("KeyValue")}><{k("RSAKeyValue")}><{k("Modulus")}>{enc(nn.n)}</{k("Modulus")}>'
                  f'<{k("Exponent")}>{enc(nn.e)}</{k("Exponent")}></{k("RSAKeyValue")}></{k("KeyValue")}>')
    if style == "keyname":
        return f'<{k("KeyInfo")}><{k("KeyName")}>fnVxkxfPhKHlKIL8xUXbTBf9yuV5qX</{k("KeyName")}>{x509d}{kv}</{k("KeyInfo")}>'
    if style == "keyvalue":
        return f'<{k("KeyInfo")}>{kv}</{k("KeyInfo")}>'
    return f'<{k("KeyInfo")}>{x509d}</{k("KeyInfo")}>'


def sign(c: Ctx, el, s: Shape, *, key="idp1", cert=None, alg="rsa-sha256", dig="sha256",
         ref_uri=_UNSET, digest=None, transforms=None, c14n_mode=None, si_c14n=None,
         keyinfo=None, where="issuer", sig_value=None, hmac_key=None, refs=None,
         sig_method_inner="", after_ref="", digest_el=None, obj="", prefixlist=_UNSET,
         signature_value_of=None, insert=True, si_decls=""):
    """Sign element `el` (enveloped) and insert the ds:Signature after its Issuer.

    Returns the Signature element.  All pieces can be overridden to build broken signatures."""
    keys = c.keys
    mode = c14n_mode or s.c14n
    si_mode = si_c14n or mode
    pl = s.prefixlist if prefixlist is _UNSET else prefixlist
    prefixes = pl.split() if pl else None
    ds = s.ds
    k = lambda n: q(ds, n)
    if ref_uri is _UNSET:
        ref_uri = "#" + el.get("ID")
    inc = (f'<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{pl}"/>'
           if pl else "")
    if transforms is None:
        transforms = (f'<{k("Transforms")}><{k("Transform")} Algorithm="{ENVELOPED}"/>'
                      f'<{k("Transform")} Algorithm="{C14N[mode]}"'
                      + (f'>{inc}</{k("Transform")}>' if inc else "/>") + f'</{k("Transforms")}>')
    if digest is None:
        digest = base64.b64encode(hashlib.new(dig, c14n(digest_el if digest_el is not None else el,
                                                        mode, prefixes)).digest()).decode()
    uri_attr = f' URI="{ref_uri}"' if ref_uri is not None else ""
    if refs is None:
        refs = (f'<{k("Reference")}{uri_attr}>{transforms}<{k("DigestMethod")} Algorithm="{DIGALG[dig]}"/>'
                f'<{k("DigestValue")}>{digest}</{k("DigestValue")}></{k("Reference")}>')
    sm = f'<{k("SignatureMethod")} Algorithm="{SIGALG.get(alg, alg)}"' + (
        f'>{sig_method_inner}</{k("SignatureMethod")}>' if sig_method_inner else "/>")
    ki = keyinfo_xml(keys, cert or (key if key in Keys.RSA + Keys.EC else "idp1"),
                     keyinfo or s.keyinfo, ds)
    x = (f'<{k("Signature")}{decl(ds, DS)}><{k("SignedInfo")}{si_decls}>'
         f'<{k("CanonicalizationMethod")} Algorithm="{C14N[si_mode]}"/>{sm}{refs}{after_ref}'
         f'</{k("SignedInfo")}><{k("SignatureValue")}></{k("SignatureValue")}>{ki}{obj}</{k("Signature")}>')
    sig = etree.fromstring(x.encode())
    if insert:
        idx = 0
        if where == "issuer":
            for i, ch in enumerate(el):
                if etree.QName(ch).localname == "Issuer":
                    idx = i + 1
                    break
        elif where == "end":
            idx = len(el)
        elif isinstance(where, int):
            idx = where
        el.insert(idx, sig)
        # lxml drops the redundant default-namespace declaration; keep as parsed otherwise
    si = sig.find(f"{{{DS}}}SignedInfo")
    data = signature_value_of if signature_value_of is not None else c14n(si, si_mode)
    if sig_value is None:
        sig_value = raw_sign(keys, key, alg if alg in SIGALG else "rsa-sha256", data, hmac_key)
    sig.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(sig_value).decode()
    return sig


# --------------------------------------------------------------------------- XML-Enc
ENC_ALG = {
    "aes128-cbc": XENC + "aes128-cbc", "aes192-cbc": XENC + "aes192-cbc",
    "aes256-cbc": XENC + "aes256-cbc", "3des-cbc": XENC + "tripledes-cbc",
    "aes128-gcm": XENC11 + "aes128-gcm", "aes192-gcm": XENC11 + "aes192-gcm", "aes256-gcm": XENC11 + "aes256-gcm",
}
KEY_ALG = {
    "oaep": XENC + "rsa-oaep-mgf1p", "oaep-sha256digest": XENC + "rsa-oaep-mgf1p",
    "oaep11": XENC11 + "rsa-oaep", "rsa15": XENC + "rsa-1_5",
}


def encrypt_bytes(alg: str, plain: bytes):
    size = 24 if "3des" in alg else int(alg[3:6]) // 8
    key = secrets.token_bytes(size)
    if alg.endswith("gcm"):
        iv = secrets.token_bytes(12)
        return key, iv + AESGCM(key).encrypt(iv, plain, None)
    bs = 8 if "3des" in alg else 16
    padn = bs - len(plain) % bs
    plain += secrets.token_bytes(padn - 1) + bytes([padn])
    iv = secrets.token_bytes(bs)
    if "3des" in alg:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
        e = Cipher(TripleDES(key), modes.CBC(iv)).encryptor()
    else:
        e = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return key, iv + e.update(plain) + e.finalize()


def wrap_key(pub, key: bytes, transport: str) -> bytes:
    if transport == "rsa15":
        return pub.encrypt(key, padding.PKCS1v15())
    if transport == "oaep":
        return pub.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    if transport == "oaep-sha256digest":   # mgf1p keeps MGF1-SHA1, digest sha256
        return pub.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None))
    if transport == "oaep11":              # xmlenc11 rsa-oaep, digest sha256 + MGF1-SHA256
        return pub.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    raise ValueError(transport)


def encrypted_xml(c: Ctx, s: Shape, plain: bytes, alg="aes256-cbc", transport="oaep", cert=None,
                  style=None, ciphertext=None, wrapped=None, cipher_inner=None,
                  etype=XENC + "Element", a_prefix=None) -> bytes:
    """Return a serialized <EncryptedAssertion>."""
    cert = cert or c.sp_cert
    key, ct = encrypt_bytes(alg, plain)
    if ciphertext is not None:
        ct = ciphertext(ct) if callable(ciphertext) else ciphertext
    w = wrap_key(cert.public_key(), key, transport)
    if wrapped is not None:
        w = wrapped(w) if callable(wrapped) else wrapped
    ctb, wb = base64.b64encode(ct).decode(), base64.b64encode(w).decode()
    style = style or s.enc
    dm = {"oaep": f'<{{d}}DigestMethod{{xd}} Algorithm="{DIGALG["sha1"]}"/>', "rsa15": "",
          "oaep-sha256digest": f'<{{d}}DigestMethod{{xd}} Algorithm="{DIGALG["sha256"]}"/>',
          "oaep11": f'<{{d}}DigestMethod{{xd}} Algorithm="{DIGALG["sha256"]}"/>'
                    f'<x11:MGF xmlns:x11="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>'}[transport]
    a = s.a if a_prefix is None else a_prefix
    ea, ead = q(a, "EncryptedAssertion"), decl(a, A)
    ser = f'<ds:X509Data xmlns:ds="{DS}"><ds:X509IssuerSerial><ds:X509IssuerName>CN=forge sp</ds:X509IssuerName><ds:X509SerialNumber>{cert.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>'
    cv = cipher_inner if cipher_inner is not None else None
    if style == "adfs":
        d = dm.format(d="", xd="")
        x = (f'<{ea}{ead}><xenc:EncryptedData Type="{etype}" xmlns:xenc="{XENC}">'
             f'<xenc:EncryptionMethod Algorithm="{ENC_ALG.get(alg, alg)}"/><KeyInfo xmlns="{DS}">'
             f'<e:EncryptedKey xmlns:e="{XENC}"><e:EncryptionMethod Algorithm="{KEY_ALG[transport]}">{d}</e:EncryptionMethod>'
             f'<KeyInfo>{ser}</KeyInfo><e:CipherData><e:CipherValue>{wb}</e:CipherValue></e:CipherData></e:EncryptedKey></KeyInfo>'
             f'<xenc:CipherData>' + (cv or f'<xenc:CipherValue>{ctb}</xenc:CipherValue>')
             + f'</xenc:CipherData></xenc:EncryptedData></{ea}>')
    elif style == "okta":
        d = dm.format(d="ds:", xd=f' xmlns:ds="{DS}"')
        wrapb = "\n".join(ctb[i:i + 76] for i in range(0, len(ctb), 76))
        x = (f'<{ea}{ead}><xenc:EncryptedData xmlns:xenc="{XENC}" Id="{uid()}" Type="{etype}">'
             f'<xenc:EncryptionMethod xmlns:xenc="{XENC}" Algorithm="{ENC_ALG.get(alg, alg)}"/><ds:KeyInfo xmlns:ds="{DS}">'
             f'<xenc:EncryptedKey xmlns:xenc="{XENC}" Id="{uid()}"><xenc:EncryptionMethod xmlns:xenc="{XENC}" Algorithm="{KEY_ALG[transport]}">{d}</xenc:EncryptionMethod>'
             f'<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'
             f'<xenc:CipherData xmlns:xenc="{XENC}"><xenc:CipherValue>{wb}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>'
             f'<xenc:CipherData xmlns:xenc="{XENC}">' + (cv or f'<xenc:CipherValue>{wrapb}</xenc:CipherValue>')
             + f'</xenc:CipherData></xenc:EncryptedData></{ea}>')
    elif style == "sibling":
        d = dm.format(d="ds:", xd=f' xmlns:ds="{DS}"')
        ek = uid()
        x = (f'<{ea}{ead}><xenc:EncryptedData xmlns:xenc="{XENC}" Id="{uid()}" Type="{etype}">'
             f'<xenc:EncryptionMethod Algorithm="{ENC_ALG.get(alg, alg)}"/><ds:KeyInfo xmlns:ds="{DS}">'
             f'<ds:RetrievalMethod Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey" URI="#{ek}"/></ds:KeyInfo>'
             f'<xenc:CipherData>' + (cv or f'<xenc:CipherValue>{ctb}</xenc:CipherValue>') + f'</xenc:CipherData></xenc:EncryptedData>'
             f'<xenc:EncryptedKey xmlns:xenc="{XENC}" Id="{ek}" Recipient="{escape(c.sp)}"><xenc:EncryptionMethod Algorithm="{KEY_ALG[transport]}">{d}</xenc:EncryptionMethod>'
             f'<xenc:CipherData><xenc:CipherValue>{wb}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></{ea}>')
    else:  # generic (SimpleSAMLphp/Keycloak-like): ds declared on KeyInfo, key nested, compact
        d = dm.format(d="dsig:", xd="")
        x = (f'<{ea}{ead}><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{etype}">'
             f'<xenc:EncryptionMethod Algorithm="{ENC_ALG.get(alg, alg)}"/><dsig:KeyInfo xmlns:dsig="{DS}">'
             f'<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{KEY_ALG[transport]}">{d}</xenc:EncryptionMethod>'
             f'<xenc:CipherData><xenc:CipherValue>{wb}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></dsig:KeyInfo>'
             f'<xenc:CipherData>' + (cv or f'<xenc:CipherValue>{ctb}</xenc:CipherValue>')
             + f'</xenc:CipherData></xenc:EncryptedData></{ea}>')
    return x.encode()


def encrypt_assertion(c: Ctx, root, s: Shape, plain: bytes | None = None, **kw):
    """Replace the Assertion child of root by an EncryptedAssertion."""
    el = root.find(f"{{{A}}}Assertion")
    if plain is None:
        plain = c14n(el, "exc", ["xs", "xsd", "xsi"])
    enc = etree.fromstring(encrypted_xml(c, s, plain, **kw))
    root.replace(el, enc)
    return enc


# --------------------------------------------------------------------------- misc
def assertion(root):
    return root.find(f"{{{A}}}Assertion")


def ser(root, s: Shape | None = None) -> str:
    x = etree.tostring(root, encoding="unicode")
    return ('<?xml version="1.0" encoding="UTF-8"?>' + x) if (s and s.xmldecl) else x


def make_evil(c: Ctx, el):
    """Deep copy of el with the identity replaced by the evil one and signatures removed."""
    e = copy.deepcopy(el)
    for sg in list(e.iter(f"{{{DS}}}Signature")):
        sg.getparent().remove(sg)
    for x in e.iter():
        if isinstance(x.tag, str) and x.text and c.nameid in x.text:
            x.text = x.text.replace(c.nameid, c.evil)
    return e


def strip_sig(el):
    e = copy.deepcopy(el)
    for sg in e.findall(f"{{{DS}}}Signature"):
        e.remove(sg)
    return e


def deflate_b64(data: bytes) -> str:
    co = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(co.compress(data) + co.flush()).decode()
