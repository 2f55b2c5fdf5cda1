"""Messages of the identity provider, written, signed, encrypted and read by pysaml2 and xmlsec1."""

import functools
import secrets
import tempfile
import time

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, assertion, entity, mdstore, saml, samlp, sigver, time_util
from saml2.config import IdPConfig
from saml2.entity import Entity
from saml2.metadata import entity_descriptor
from saml2.s_utils import success_status_factory
from saml2.server import Server
from saml2.sigver import pre_encryption_part, verify_redirect_signature

from saml_keys import Key, Keys
from saml_people import attributes_of, name_of, people, persistent_id

BINDINGS = {"redirect": BINDING_HTTP_REDIRECT, "post": BINDING_HTTP_POST}
NAME_IDS = {
    "persistent": saml.NAMEID_FORMAT_PERSISTENT,
    "email": saml.NAMEID_FORMAT_EMAILADDRESS,
    "transient": saml.NAMEID_FORMAT_TRANSIENT,
    "unspecified": saml.NAMEID_FORMAT_UNSPECIFIED,
}
# Left to itself pysaml2 encrypts with 3DES. What xmlsec1 calls the session key, by the algorithm.
CIPHERS = {
    "aes128-cbc": ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "aes-128"),
    "aes192-cbc": ("http://www.w3.org/2001/04/xmlenc#aes192-cbc", "aes-192"),
    "aes256-cbc": ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "aes-256"),
    "aes128-gcm": ("http://www.w3.org/2009/xmlenc11#aes128-gcm", "aes-128"),
    "aes256-gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
}


class Provider:
    """One identity provider, for one service provider. Not for several threads at once: pysaml2 keeps state in its modules."""

    def __init__(self, base, folder):
        self.base = base
        self.folder = folder
        self.keys = Keys(folder)
        self.sp_metadata = ""
        self.settings = {
            "sign": "both",
            "encrypt": "",
            "name_id": "persistent",
            "signed_requests": False,
            "session_seconds": 0,
            "authn_age": 0,
            "impostor": "",
            "logout_binding": "redirect",
            "sign_logout": True,
            "partial_logout": False,
        }
        self.sessions = []
        self.rebuild()

    @property
    def entity_id(self):
        return self.server.config.entityid

    def rebuild(self):
        """After a change of keys, settings or the service provider's metadata."""
        keys, entity_id = self.keys, f"{self.base}/metadata"
        if self.settings["impostor"]:
            keys = Keys.__new__(Keys)
            keys.signing = Key(self.folder)
            keys.published = [keys.signing]
        if self.settings["impostor"] == "entity":
            entity_id = "https://impostor.example.org/metadata"
        ways = [(path, binding) for binding in BINDINGS.values() for path in ("sso", "slo")]
        places = {"sso": "single_sign_on_service", "slo": "single_logout_service"}
        endpoints = {}
        for path, binding in ways:
            endpoints.setdefault(places[path], []).append((f"{self.base}/{path}", binding))
        settings = {
            "entityid": entity_id,
            "xmlsec_binary": sigver.get_xmlsec_binary(),
            "key_file": keys.signing.key_file,
            "cert_file": keys.signing.certificate_file,
            "additional_cert_files": [one.certificate_file for one in keys.published if one is not keys.signing],
            "metadata_key_usage": "signing",
            "accepted_time_diff": 300,
            "allow_unknown_attributes": True,
            "service": {
                "idp": {
                    "endpoints": endpoints,
                    "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                    "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
                    "want_authn_requests_signed": self.settings["signed_requests"],
                    "name_id_format": list(NAME_IDS.values()),
                    "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": saml.NAME_FORMAT_URI}},
                }
            },
        }
        if self.sp_metadata:
            settings["metadata"] = {"inline": [self.sp_metadata]}
        self.server = Server(config=IdPConfig().load(settings))

    def metadata(self):
        return str(entity_descriptor(self.server.config))

    def metadata_is_signed_by(self, text, certificate):
        """Whether a service provider's metadata is good, not over, and signed by this certificate (PEM)."""
        with tempfile.NamedTemporaryFile("w", suffix=".pem", dir=self.folder) as file:
            file.write(certificate)
            file.flush()
            read = mdstore.InMemoryMetaData(None, text)
            read.cert, read.security = file.name, self.server.sec
            try:
                read.parse_and_check_signature(text.encode())
            except sigver.SignatureError:
                return False
            return read.signed() and len(read.entity) == 1

    # Sign-in

    def read_request(self, fields, binding):
        """The AuthnRequest; its signature holds if it has one."""
        return self._read(self.server.parse_authn_request, fields, binding)

    def signed(self, fields, binding, name):
        """Whether a message claims to be signed."""
        if binding == BINDING_HTTP_REDIRECT:
            return "Signature" in fields
        return "Signature" in Entity.unravel(fields[name], binding, "request").decode()

    def _read(self, parse, fields, binding):
        must = self.settings["signed_requests"] or self.signed(fields, binding, "SAMLRequest")
        self.server.config.setattr("idp", "want_authn_requests_signed", must)
        try:
            parts = {"relay_state": fields.get("RelayState"), "sigalg": fields.get("SigAlg"), "signature": fields.get("Signature")}
            return parse(fields["SAMLRequest"], binding, **parts).message
        finally:
            self.server.config.setattr("idp", "want_authn_requests_signed", self.settings["signed_requests"])

    def answer_to(self, request):
        """Where an AuthnRequest is answered, and as what."""
        place = self.server.response_args(request, [BINDING_HTTP_POST])
        wanted = getattr(request.name_id_policy, "format", None)
        return {"request": request.id, "sp": place["sp_entity_id"], "acs": place["destination"], "format": wanted}

    def unsolicited(self):
        """Where a sign-in goes that nobody asked for."""
        sp = self.sp_entity_id()
        _, acs = self.server.pick_binding("assertion_consumer_service", [BINDING_HTTP_POST], "spsso", entity_id=sp)
        return {"request": None, "sp": sp, "acs": acs, "format": None}

    def sp_entity_id(self):
        return next(iter(self.server.metadata.keys()))

    def respond(self, name, answer):
        """The response that signs this person in, in base64 as a form carries it."""
        settings = self.settings
        cipher, session_key = CIPHERS.get(settings["encrypt"], (None, None))
        entity.pre_encryption_part = functools.partial(pre_encryption_part, msg_enc=cipher) if cipher else pre_encryption_part
        encrypt = type(self.server.sec).encrypt_assertion.__get__(self.server.sec)
        self.server.sec.encrypt_assertion = functools.partial(encrypt, key_type=session_key) if cipher else encrypt
        index = secrets.token_hex(16)
        statement = functools.partial(_statement_with, f"_{index}")
        name_id = self._name_id(name, answer)
        ends = settings["session_seconds"]
        proved = int(time.time()) - settings["authn_age"]
        assertion.authn_statement, before = statement, assertion.authn_statement
        try:
            response = self.server.create_authn_response(
                attributes_of(name),
                in_response_to=answer["request"],
                destination=answer["acs"],
                sp_entity_id=answer["sp"],
                userid=name,
                name_id=name_id,
                authn={"class_ref": saml.AUTHN_PASSWORD_PROTECTED, "authn_auth": self.base, "authn_instant": proved},
                sign_response=settings["sign"] in ("both", "response"),
                sign_assertion=settings["sign"] in ("both", "assertion"),
                encrypt_assertion=bool(cipher),
                session_not_on_or_after=time_util.in_a_while(seconds=ends) if ends else None,
            )
        finally:
            assertion.authn_statement = before
        self.sessions.append({"user": name, "name_id": name_id, "index": f"_{index}", "sp": answer["sp"]})
        return self._form(response, answer["acs"])

    def refuse(self, answer, code, message):
        """A response that signs nobody in; unsigned, as Entra's are."""
        response = self.server.create_error_response(answer["request"], answer["acs"], (code, message), sign=False)
        return self._form(response, answer["acs"])

    def _name_id(self, name, answer):
        kind = self.settings["name_id"]
        wanted = answer["format"]
        if wanted in NAME_IDS.values() and wanted != saml.NAMEID_FORMAT_UNSPECIFIED:
            kind = next(one for one, its in NAME_IDS.items() if its == wanted)
        text = {"email": people[name]["mail"], "transient": f"_{secrets.token_hex(16)}", "unspecified": name}
        qualifiers = {}
        if kind in ("persistent", "transient"):
            qualifiers = {"name_qualifier": self.entity_id, "sp_name_qualifier": answer["sp"]}
        return saml.NameID(format=NAME_IDS[kind], text=text.get(kind, persistent_id(name)), **qualifiers)

    def _form(self, message, destination):
        made = self.server.apply_binding(BINDING_HTTP_POST, str(message), destination, response=True)
        return destination, {"SAMLResponse": made["data"].split('name="SAMLResponse" value="')[1].split('"')[0]}

    # Sign-out

    def read_logout(self, fields, binding):
        """The service provider's LogoutRequest; its signature holds if it has one."""
        return self._read(self.server.parse_logout_request, fields, binding)

    def end(self, request):
        """Ends the sessions that a LogoutRequest names; gives their people."""
        indexes = [one.text for one in request.session_index]
        ended = [
            session
            for session in self.sessions
            if session["name_id"].text == request.name_id.text and (not indexes or session["index"] in indexes)
        ]
        self.sessions = [session for session in self.sessions if session not in ended]
        return [session["user"] for session in ended] or [name_of(request.name_id.text)]

    def logout_answer(self, request, relay_state):
        """What answers a LogoutRequest: a message to send by `logout_binding`."""
        status = success_status_factory()
        if self.settings["partial_logout"]:
            # As Shibboleth and SimpleSAMLphp say it: below Success (Core 3.2.2.2).
            status.status_code.status_code = samlp.StatusCode(value=samlp.STATUS_PARTIAL_LOGOUT)
        binding, embedded = self._logout_binding()
        answer = self.server.create_logout_response(request, [binding], status=status, sign=embedded)
        _, place = self.server.pick_binding("single_logout_service", [binding], "spsso", entity_id=request.issuer.text)
        return self._send(answer, place, "SAMLResponse", relay_state)

    def logout_requests(self, user):
        """A LogoutRequest for each session of this person, and they are over here."""
        own = [session for session in self.sessions if session["user"] == user]
        self.sessions = [session for session in self.sessions if session["user"] != user]
        binding, embedded = self._logout_binding()
        for session in own:
            _, place = self.server.pick_binding("single_logout_service", [binding], "spsso", entity_id=session["sp"])
            _, request = self.server.create_logout_request(
                place,
                session["sp"],
                name_id=session["name_id"],
                session_indexes=[session["index"]],
                expire=time_util.in_a_while(minutes=5),
                sign=embedded,
            )
            yield self._send(request, place, "SAMLRequest", "")

    def _logout_binding(self):
        binding = BINDINGS[self.settings["logout_binding"]]
        return binding, self.settings["sign_logout"] and binding == BINDING_HTTP_POST

    def _send(self, message, place, name, relay_state):
        """(address, fields) for a form, or (address with query, None)."""
        binding, _ = self._logout_binding()
        response = name == "SAMLResponse"
        sign = self.settings["sign_logout"]
        made = self.server.apply_binding(binding, str(message), place, relay_state, response=response, sign=sign)
        if binding == BINDING_HTTP_REDIRECT:
            return dict(made["headers"])["Location"], None
        fields = {name: made["data"].split(f'name="{name}" value="')[1].split('"')[0]}
        if relay_state:
            fields["RelayState"] = relay_state
        return place, fields

    def read_logout_answer(self, fields, binding):
        """What the service provider answered: status, request and whether its signature holds."""
        signature = "none"
        if self.signed(fields, binding, "SAMLResponse"):
            signature = "good"
        if binding == BINDING_HTTP_REDIRECT and signature == "good":
            parts = {name: fields[name] for name in ("SAMLResponse", "RelayState", "SigAlg", "Signature") if name in fields}
            certificates = self.server.metadata.certs(self.sp_entity_id(), "any", "signing")
            checks = [verify_redirect_signature(parts, self.server.sec.sec_backend, one) for _, one in certificates]
            signature = "good" if any(checks) else "bad"
        message = samlp.logout_response_from_string(Entity.unravel(fields["SAMLResponse"], binding, "response"))
        if binding == BINDING_HTTP_POST and signature == "good":
            text = Entity.unravel(fields["SAMLResponse"], binding, "response").decode()
            self.server.sec.correctly_signed_logout_response(text, must=True)
        return {"in_response_to": message.in_response_to, "status": message.status.status_code.value, "signature": signature}


def _statement_with(index, *args, **kwargs):
    made = _original_statement(*args, **kwargs)
    made.session_index = index
    return made


_original_statement = assertion.authn_statement
