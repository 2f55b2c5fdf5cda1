"""IdP metadata variants and redirect-binding (SLO) messages."""
from __future__ import annotations

import base64
import urllib.parse

from lxml import etree

from core import *  # noqa: F401,F403


def _ki(c, cert, ds="", pre="", wrap=0, extra=""):
    b = c.keys.cert_b64(cert)
    if wrap:
        b = "\n" + "\n".join(b[i:i + wrap] for i in range(0, len(b), wrap)) + "\n"
    k = lambda n: q(ds, n)
    return (f'<{k("KeyInfo")}{decl(ds, DS)}>{pre}<{k("X509Data")}><{k("X509Certificate")}>{b}</{k("X509Certificate")}>{extra}'
            f'</{k("X509Data")}></{k("KeyInfo")}>')


def _kd(c, certs, md="", use="signing", **kw):
    u = f' use="{use}"' if use else ""
    return "".join(f'<{q(md, "KeyDescriptor")}{u}>{_ki(c, x, **kw)}</{q(md, "KeyDescriptor")}>' for x in certs)


SIGN_CERTS = ["idp1", "idp2", "idpec"]
META_CERTS = SIGN_CERTS + ["idpexp"]     # Entra lists inactive/expired certificates too


def _sso(md, base, post=True, slo=True):
    R, PO = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    e = lambda n, b, l: f'<{q(md, n)} Binding="{b}" Location="{l}"/>'
    return ((e("SingleLogoutService", R, base + "/slo") if slo else "")
            + e("SingleSignOnService", R, base + "/sso") + (e("SingleSignOnService", PO, base + "/sso") if post else ""))


def entra(c, base="http://127.0.0.1:21080", certs=None, sign_it=True, bom=True):
    certs = certs or META_CERTS
    claim = lambda u, d: (f'<auth:ClaimType xmlns:auth="http://docs.oasis-open.org/wsfed/authorization/200706" Uri="{u}">'
                          f'<auth:DisplayName>{d}</auth:DisplayName><auth:Description>{d} of the user.</auth:Description></auth:ClaimType>')
    addr = lambda u: f'<wsa:EndpointReference xmlns:wsa="http://www.w3.org/2005/08/addressing"><wsa:Address>{u}</wsa:Address></wsa:EndpointReference>'
    fed = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706"'
    x = (f'<EntityDescriptor xmlns="{MD}" ID="_{uuid.uuid4()}" entityID="{c.idp}">'
         f'<RoleDescriptor {fed} xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">'
         f'{_kd(c, certs)}<fed:ClaimTypesOffered>{claim(CLAIM + "name", "Name")}{claim(CLAIM + "emailaddress", "Email")}'
         f'{claim("http://schemas.microsoft.com/claims/groups.link", "GroupsOverageClaim")}</fed:ClaimTypesOffered>'
         f'<fed:SecurityTokenServiceEndpoint>{addr(base + "/wsfed")}</fed:SecurityTokenServiceEndpoint>'
         f'<fed:PassiveRequestorEndpoint>{addr(base + "/wsfed")}</fed:PassiveRequestorEndpoint></RoleDescriptor>'
         f'<RoleDescriptor {fed} xsi:type="fed:ApplicationServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706">'
         f'{_kd(c, certs)}<fed:TargetScopes>{addr(c.idp)}</fed:TargetScopes>'
         f'<fed:ApplicationServiceEndpoint>{addr(base + "/wsfed")}</fed:ApplicationServiceEndpoint>'
         f'<fed:PassiveRequestorEndpoint>{addr(base + "/wsfed")}</fed:PassiveRequestorEndpoint></RoleDescriptor>'
         f'<IDPSSODescriptor protocolSupportEnumeration="{P}">{_kd(c, certs)}{_kd(c, ["idpenc"], use="encryption")}{_sso("", base)}</IDPSSODescriptor>'
         f'</EntityDescriptor>')
    root = etree.fromstring(x)
    if sign_it:
        sign(c, root, ENTRA, where=0)
    out = b'<?xml version="1.0" encoding="utf-8"?>' + etree.tostring(root)
    return (b"\xef\xbb\xbf" if bom else b"") + out


def plain(c, base="http://127.0.0.1:21080", certs=None, idp_attrs="", ent_attrs="", pre_role="", kd=None, md="md",
          post=True, slo=True, after="", nameid=True, decls="", kw=None):
    certs = certs or META_CERTS
    kw = kw or {}
    kdx = kd if kd is not None else _kd(c, certs, md, ds="ds", **kw) + _kd(c, ["idpenc"], md, use="encryption", ds="ds", **kw)
    ni = f'<{q(md, "NameIDFormat")}>{F_EMAIL}</{q(md, "NameIDFormat")}>' if nameid else ""
    sso = _sso(md, base, post, slo)
    slo_x, sso_x = sso[:sso.index(f'<{q(md, "SingleSignOnService")}')], sso[sso.index(f'<{q(md, "SingleSignOnService")}'):]
    return (f'<{q(md, "EntityDescriptor")}{decl(md, MD)} xmlns:ds="{DS}"{decls} entityID="{c.idp}"{ent_attrs}>'
            f'<{q(md, "IDPSSODescriptor")} protocolSupportEnumeration="{P}"{idp_attrs}>{pre_role}{kdx}{slo_x}{ni}{sso_x}'
            f'</{q(md, "IDPSSODescriptor")}>{after}</{q(md, "EntityDescriptor")}>').encode()


# name -> (verdict, why, fn)
METADATA = {}


def meta(name, verdict, why):
    def d(fn):
        METADATA[name] = (verdict, why, fn)
        return fn
    return d


meta("entra", "accept", "Entra federationmetadata.xml?appid=…: BOM, own Signature, two WS-Fed RoleDescriptors, 3 signing certs")(lambda c, b: entra(c, b))
meta("entra_no_bom", "accept", "same without BOM")(lambda c, b: entra(c, b, bom=False))
meta("plain", "accept", "minimal SAML metadata")(lambda c, b: plain(c, b))


@meta("adfs", "accept", "ADFS: RoleDescriptors, SPSSODescriptor before IDPSSODescriptor, many saml:Attribute, ContactPerson support")
def _(c, b):
    e = entra(c, b, sign_it=False, bom=False).decode().replace('<?xml version="1.0" encoding="utf-8"?>', "")
    sp = (f'<SPSSODescriptor WantAssertionsSigned="true" protocolSupportEnumeration="{P}">{_kd(c, ["idpenc"], use="encryption")}{_kd(c, ["idp1"])}'
          f'<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{b}/slo"/><NameIDFormat>{F_EMAIL}</NameIDFormat>'
          f'<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{b}/sso" index="0" isDefault="true"/>'
          f'<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="{b}/sso" index="1"/></SPSSODescriptor>')
    at = "".join(f'<Attribute Name="{CLAIM}{n}" NameFormat="{NF_URI}" FriendlyName="{n}" xmlns="{A}"/>' for n in ("emailaddress", "givenname", "name", "upn"))
    e = e.replace("<IDPSSODescriptor", sp + "<IDPSSODescriptor").replace("</IDPSSODescriptor>", at + "</IDPSSODescriptor>")
    return e.replace("</EntityDescriptor>", '<ContactPerson contactType="support"/></EntityDescriptor>').encode()


meta("okta", "accept", "Okta: WantAuthnRequestsSigned=false, wrapped certificate")(
    lambda c, b: b'<?xml version="1.0" encoding="UTF-8"?>' + plain(c, b, idp_attrs=' WantAuthnRequestsSigned="false"', kw=dict(wrap=64)))
meta("google", "accept", "Google: validUntil in five years, no SLO")(
    lambda c, b: plain(c, b, ent_attrs=f' validUntil="{c.t(5 * 365 * 86400, "ms")}"', slo=False))


@meta("keycloak", "accept", "Keycloak: KeyName in KeyInfo, SOAP/Artifact endpoints, ArtifactResolutionService")
def _(c, b):
    kd = "".join(f'<md:KeyDescriptor use="signing">{_ki(c, x, ds="ds", pre="<ds:KeyName>kid</ds:KeyName>")}</md:KeyDescriptor>' for x in SIGN_CERTS)
    x = plain(c, b, kd=kd, idp_attrs=' WantAuthnRequestsSigned="true"').decode()
    ars = f'<md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="{b}/resolve" index="0"/>'
    return x.replace("<md:SingleLogoutService", ars + "<md:SingleLogoutService", 1).encode()


@meta("keycloak_entities", "accept", "old Keycloak: EntitiesDescriptor Name=urn:keycloak around one EntityDescriptor")
def _(c, b): return f'<EntitiesDescriptor xmlns="{MD}" Name="urn:keycloak">{plain(c, b).decode()}</EntitiesDescriptor>'.encode()


@meta("shibboleth", "accept", "Shibboleth IdP: Extensions (shibmd:Scope, mdui), AttributeAuthorityDescriptor, comments, Organization")
def _(c, b):
    ext = ('<md:Extensions><shibmd:Scope xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" regexp="false">example.com</shibmd:Scope>'
           '<mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="en">Example</mdui:DisplayName></mdui:UIInfo></md:Extensions>')
    aad = (f'<md:AttributeAuthorityDescriptor protocolSupportEnumeration="{P}">{_kd(c, ["idp1"], "md", ds="ds")}'
           f'<md:AttributeService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="{b}/aa"/></md:AttributeAuthorityDescriptor>'
           '<md:Organization><md:OrganizationName xml:lang="en">Ex</md:OrganizationName><md:OrganizationDisplayName xml:lang="en">Ex</md:OrganizationDisplayName>'
           '<md:OrganizationURL xml:lang="en">https://example.com/</md:OrganizationURL></md:Organization>')
    return plain(c, b, pre_role="<!-- keys -->" + ext, after=aad).replace(b"<md:IDPSSODescriptor", b"<!-- x --><md:IDPSSODescriptor", 1)


meta("cacheduration_entity", "accept", "cacheDuration=PT6H on EntityDescriptor (SimpleSAMLphp, Shibboleth)")(
    lambda c, b: plain(c, b, ent_attrs=' cacheDuration="PT6H"'))
meta("cacheduration_role", "accept", "cacheDuration=PT1440M on IDPSSODescriptor (legal xs:duration)")(
    lambda c, b: plain(c, b, idp_attrs=' cacheDuration="PT1440M"'))
meta("no_use_attribute", "accept", "KeyDescriptor without use (both purposes)")(
    lambda c, b: plain(c, b, kd=_kd(c, SIGN_CERTS, "md", use=None, ds="ds")))
meta("mixed_use", "accept", "first KeyDescriptor use=signing (idp2), second without use (idp1): both are signing keys")(
    lambda c, b: plain(c, b, kd=_kd(c, ["idp2"], "md", ds="ds") + _kd(c, ["idp1", "idpec"], "md", use=None, ds="ds")))
meta("two_certs_one_x509data", "accept", "two X509Certificate in one X509Data")(
    lambda c, b: plain(c, b, kd=_kd(c, ["idp1"], "md", ds="ds", extra=f'<ds:X509Certificate>{c.keys.cert_b64("idp2")}</ds:X509Certificate>')))
meta("x509_subjectname", "accept", "X509Data with X509SubjectName and X509IssuerSerial next to the certificate")(
    lambda c, b: plain(c, b, kd=_kd(c, SIGN_CERTS, "md", ds="ds", extra="<ds:X509SubjectName>CN=x</ds:X509SubjectName>")))
meta("multi_x509data", "accept", "KeyInfo with two X509Data")(
    lambda c, b: plain(c, b).replace(b"</ds:X509Data></ds:KeyInfo>", b"</ds:X509Data><ds:X509Data><ds:X509Certificate>" + c.keys.cert_b64("idp2").encode() + b"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>", 1))
meta("validuntil_ns", "accept", "validUntil with 9 fractional digits and offset")(
    lambda c, b: plain(c, b, ent_attrs=f' validUntil="{c.t(86400, "ns")}"'))
meta("expired_validuntil", "reject", "validUntil yesterday")(
    lambda c, b: plain(c, b, ent_attrs=f' validUntil="{c.t(-86400, "s")}"'))
meta("no_keys", "reject", "IDPSSODescriptor without KeyDescriptor: must not mean 'signatures optional'")(
    lambda c, b: plain(c, b, kd=""))
meta("encryption_key_only", "reject", "only use=encryption keys: must not mean 'signatures optional'")(
    lambda c, b: plain(c, b, kd=_kd(c, ["idpenc"], "md", use="encryption", ds="ds")))
meta("keyvalue_only", "reject", "KeyInfo with RSAKeyValue but no certificate")(
    lambda c, b: plain(c, b, kd=f'<md:KeyDescriptor use="signing">{keyinfo_xml(c.keys, "idp1", "keyvalue", "ds")}</md:KeyDescriptor>'))
meta("javascript_location", "reject", "SSO Location=javascript:… must not reach a redirect")(
    lambda c, b: plain(c, b).replace(f'Location="{b}/sso"'.encode(), b'Location="javascript:alert(1)//"'))
meta("doctype", "reject", "metadata with a DOCTYPE")(lambda c, b: b'<!DOCTYPE x [<!ENTITY a "b">]>' + plain(c, b))
meta("html_error_page", "reject", "HTML instead of metadata (proxy error page)")(lambda c, b: b"<html><body>502 Bad Gateway</body></html>")
meta("sp_metadata", "reject", "an SP's metadata (no IDPSSODescriptor)")(
    lambda c, b: plain(c, b).replace(b"IDPSSODescriptor", b"SPSSODescriptor"))
meta("two_entities", "reject", "EntitiesDescriptor with two IdPs and no selector: ambiguous")(
    lambda c, b: f'<EntitiesDescriptor xmlns="{MD}">{plain(c, b).decode()}{plain(c, b).decode().replace(c.idp, "https://evil.example/idp")}</EntitiesDescriptor>'.encode())
meta("entity_id_mismatch", "reject", "entityID is not the pinned one")(lambda c, b: plain(c, b).replace(c.idp.encode(), b"https://evil.example/idp"))
meta("truncated", "reject", "truncated download")(lambda c, b: plain(c, b)[:-200])


# ---------------------------------------------------------------- SLO over HTTP-Redirect
def logout_request(c, s=ENTRA, nameid=None, session="_sess1", dest="https://app.example.com/saml2/slo/entra", noa=300, issuer=None, rid=None, irt_attr=""):
    a, p = s.a or "", s.p
    ad = decl(a, A)
    return (f'<{q(p, "LogoutRequest")}{decl(p, P)} ID="{rid or uid()}" Version="2.0" IssueInstant="{c.t(0, s.tfmt)}" Destination="{dest}"'
            + (f' NotOnOrAfter="{c.t(noa, s.tfmt)}"' if noa is not None else "") + f'{irt_attr}>'
            f'<{q(a, "Issuer")}{ad}>{issuer or c.idp}</{q(a, "Issuer")}><{q(a, "NameID")}{ad} Format="{F_EMAIL}">{nameid or c.nameid}</{q(a, "NameID")}>'
            + (f'<{q(p, "SessionIndex")}>{session}</{q(p, "SessionIndex")}>' if session else "") + f'</{q(p, "LogoutRequest")}>')


def logout_response(c, irt="_lr1", dest="https://app.example.com/saml2/slo/entra", issuer=None, status=SUCCESS):
    return (f'<samlp:LogoutResponse xmlns:samlp="{P}" ID="{uid()}" Version="2.0" IssueInstant="{c.t(0, "ms")}" Destination="{dest}" InResponseTo="{irt}">'
            f'<Issuer xmlns="{A}">{issuer or c.idp}</Issuer><samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status></samlp:LogoutResponse>')


def redirect_query(c, xml: str, param="SAMLRequest", relay=None, key="idp1", alg="rsa-sha256", quote="std", order="spec", sig=True, tamper=None):
    """Build a HTTP-Redirect query string.  quote: std (%2B), lower (%2b, .NET style), plus (form encoding)."""
    def enc(v):
        if quote == "plus":
            return urllib.parse.quote_plus(v)
        e = urllib.parse.quote(v, safe="")
        if quote == "lower":
            e = __import__("re").sub(r"%[0-9A-F]{2}", lambda m: m.group(0).lower(), e)
        return e
    parts = [f"{param}={enc(deflate_b64(xml.encode()))}"]
    if relay is not None:
        parts.append(f"RelayState={enc(relay)}")
    if not sig:
        return "&".join(parts)
    parts.append(f"SigAlg={enc(SIGALG.get(alg, alg))}")
    data = "&".join(parts).encode()
    s = raw_sign(c.keys, key, alg if alg in SIGALG else "rsa-sha256", data)
    parts.append(f"Signature={enc(base64.b64encode(s).decode())}")
    out = "&".join(parts)
    if order == "shuffled":
        out = "&".join([parts[-1], parts[0]] + parts[1:-1])
    return tamper(out) if tamper else out


SLO = {}


def slo(name, verdict, why):
    def d(fn):
        SLO[name] = (verdict, why, fn)
        return fn
    return d


slo("slo_request_signed", "accept", "LogoutRequest, RSA-SHA256, RelayState")(lambda c: redirect_query(c, logout_request(c), relay="x/y+z"))
slo("slo_request_lower_hex", "accept", "signature over lower-case percent encoding (.NET/ADFS/Entra); verifier must use the raw query bytes")(lambda c: redirect_query(c, logout_request(c), relay="a b/c", quote="lower"))
slo("slo_request_plus_encoding", "accept", "form-style encoding (space as +)")(lambda c: redirect_query(c, logout_request(c), relay="a b", quote="plus"))
slo("slo_request_param_order", "accept", "parameters arrive in another order; signature is over the spec order")(lambda c: redirect_query(c, logout_request(c), relay="r", order="shuffled"))
slo("slo_request_second_cert", "accept", "signed by the rollover cert")(lambda c: redirect_query(c, logout_request(c), key="idp2"))
slo("slo_response_signed", "accept", "LogoutResponse for our request")(lambda c: redirect_query(c, logout_response(c), param="SAMLResponse", relay="r"))
slo("slo_request_unsigned", "reject", "unsigned LogoutRequest (forced logout)")(lambda c: redirect_query(c, logout_request(c), sig=False))
slo("slo_request_attacker_key", "reject", "signed by attacker")(lambda c: redirect_query(c, logout_request(c), key="attacker"))
slo("slo_request_sha1", "reject", "rsa-sha1 by genuine key")(lambda c: redirect_query(c, logout_request(c), alg="rsa-sha1"))
slo("slo_request_sigalg_pss", "reject", "SigAlg sha256-rsa-MGF1 with garbage signature")(lambda c: redirect_query(c, logout_request(c)).replace(urllib.parse.quote(SIGALG["rsa-sha256"], safe=""), urllib.parse.quote(SIGALG["rsa-pss-sha256"], safe="")))
slo("slo_request_sigalg_missing", "reject", "Signature without SigAlg")(lambda c: "&".join(p for p in redirect_query(c, logout_request(c)).split("&") if not p.startswith("SigAlg")))
slo("slo_request_signature_missing", "reject", "SigAlg without Signature")(lambda c: "&".join(p for p in redirect_query(c, logout_request(c)).split("&") if not p.startswith("Signature")))
slo("slo_request_relaystate_added", "reject", "RelayState added after signing")(lambda c: redirect_query(c, logout_request(c), tamper=lambda q_: q_ + "&RelayState=https%3A%2F%2Fevil.example"))
slo("slo_request_duplicate_param", "reject", "second SAMLRequest parameter (pollution)")(lambda c: redirect_query(c, logout_request(c), tamper=lambda q_: q_ + "&SAMLRequest=" + urllib.parse.quote(deflate_b64(logout_request(c, nameid=c.evil).encode()), safe="")))
slo("slo_request_wrong_destination", "reject", "Destination of another SP")(lambda c: redirect_query(c, logout_request(c, dest="https://other.example/slo")))
slo("slo_request_wrong_issuer", "reject", "other Issuer")(lambda c: redirect_query(c, logout_request(c, issuer="https://evil.example")))
slo("slo_request_expired", "reject", "NotOnOrAfter in the past")(lambda c: redirect_query(c, logout_request(c, noa=-3600)))
slo("slo_deflate_bomb", "reject", "200 MB of zeros deflated")(lambda c: "SAMLRequest=" + urllib.parse.quote(deflate_b64(b"<a>" + b" " * 200_000_000), safe=""))
slo("slo_not_deflated", "reject", "plain base64 instead of deflate")(lambda c: "SAMLRequest=" + urllib.parse.quote(base64.b64encode(logout_request(c).encode()).decode(), safe=""))
slo("slo_request_as_response", "reject", "LogoutRequest sent in SAMLResponse")(lambda c: redirect_query(c, logout_request(c), param="SAMLResponse"))
slo("slo_response_unknown_request", "reject", "LogoutResponse for a request we never sent")(lambda c: redirect_query(c, logout_response(c, irt="_nope"), param="SAMLResponse"))
slo("slo_request_expired_cert", "reject", "signed by an expired certificate of the metadata")(lambda c: redirect_query(c, logout_request(c), key="idpexp"))
