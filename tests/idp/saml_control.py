"""What a test can see and change while the SAML identity provider runs. JSON in, JSON out, no authentication.

  GET    /test/state           {entity_id, keys, signing, settings, sp, sessions: [{user, name_id, index}], requests: [{kind, id, binding,
                               signed, force_authn, name_id_format, authn_context}, …], logout_log, orders, clock, outages}
  PUT    /test/sp              {"metadata": XML} or {"url": …} or {"file": …}: the service provider's metadata
  PUT    /test/settings        merges: {"sign": "both" | "assertion" | "response", "encrypt": "" | "aes256-cbc" | "aes128-gcm" | …,
                               "name_id": "persistent" | "email" | "transient" | "unspecified" (when none is asked for),
                               "signed_requests": true demands them, "session_seconds": 600 says SessionNotOnOrAfter, "authn_age": 600 ago the person
                               proved who they are,
                               "impostor": "" | "keys" | "entity": metadata and messages with another key, or another name too,
                               "logout_binding": "redirect" | "post", "sign_logout": true, "partial_logout": false}
  PUT    /test/users/NAME      merges attributes; null removes one
  DELETE /test/users/NAME
  POST   /test/check-sp        {"metadata": XML, "certificate": PEM} → {"signed": whether that certificate's key signed it}
  POST   /test/auto-login      {"user": "alice"}, or "" for the form again
  POST   /test/roll-keys       {"mode": "add" | "switch" | "drop"}; see saml_keys.py
  POST   /test/clock           {"seconds": -600}: how far this provider's clock is ahead
  POST   /test/logout-user     {"user": "alice"}: ends the sessions → [{url, fields}], what a browser would bring; fields for a form, else null
  GET    /test/logout-log      what the service provider answered: [{in_response_to, status, signature: "good" | "bad" | "none"}]
  POST   /test/down            {"endpoint": "metadata" | "sso" | "slo" | "all", "times": 1, "status": 503, "body": "…", "type": "text/html" | "close": true}
  DELETE /test/down            everything is up again"""

import json
import urllib.request
from urllib.parse import unquote

from saml_keys import clock
from saml_people import people

KINDS = {"sign": ("both", "assertion", "response"), "impostor": ("", "keys", "entity"), "logout_binding": ("redirect", "post")}


class Control:
    """What is known and set beside the provider."""

    def __init__(self, provider, auto_login):
        self.provider = provider
        self.auto_login = auto_login
        self.requests = []
        self.logout_log = []
        self.orders = []
        self.outages = {}

    def answer(self, method, path, text):
        """(status, value) for a control."""
        try:
            value = self.change(method, path, json.loads(text) if text else {})
        except Exception as error:
            return 400, {"error": repr(error)}
        return (404, {"error": f"no such control: {method} {path}"}) if value is None else (200, value)

    def change(self, method, path, body):
        if path.startswith("/test/users/"):
            return self.change_person(method, unquote(path.removeprefix("/test/users/")), body)
        match f"{method} {path}":
            case "GET /test/state":
                return self.state()
            case "PUT /test/sp":
                return self.trust(body)
            case "POST /test/check-sp":
                return {"signed": self.provider.metadata_is_signed_by(body["metadata"], body["certificate"])}
            case "PUT /test/settings":
                return self.set(body)
            case "POST /test/auto-login":
                self.auto_login = body.get("user", "")
                return {"user": self.auto_login}
            case "POST /test/roll-keys":
                self.provider.keys.roll(body.get("mode"))
                self.provider.rebuild()
                return {"keys": [key.name for key in self.provider.keys.published], "signing": self.provider.keys.signing.name}
            case "POST /test/clock":
                clock.offset = body.get("seconds", 0)
                return {"seconds": clock.offset}
            case "POST /test/logout-user":
                self.orders = [{"url": url, "fields": fields} for url, fields in self.provider.logout_requests(body["user"])]
                return self.orders
            case "GET /test/logout-log":
                return self.logout_log
            case "POST /test/down":
                self.outages[body.pop("endpoint", "all")] = {"times": -1, **body}
                return self.outages
            case "DELETE /test/down":
                self.outages.clear()
                return {}
        return None

    def state(self):
        provider = self.provider
        sessions = [
            {"user": one["user"], "name_id": one["name_id"].text, "index": one["index"]} for one in provider.sessions
        ]
        return {
            "entity_id": provider.entity_id,
            "keys": [key.name for key in provider.keys.published],
            "signing": provider.keys.signing.name,
            "settings": provider.settings,
            "sp": provider.sp_entity_id() if provider.sp_metadata else None,
            "sessions": sessions,
            "requests": self.requests,
            "logout_log": self.logout_log,
            "orders": self.orders,
            "clock": clock.offset,
            "outages": self.outages,
        }

    def trust(self, body):
        if "url" in body:
            with urllib.request.urlopen(body["url"], timeout=10) as answer:
                text = answer.read().decode()
        elif "file" in body:
            with open(body["file"], encoding="utf-8") as file:
                text = file.read()
        else:
            text = body["metadata"]
        before, self.provider.sp_metadata = self.provider.sp_metadata, text
        try:
            self.provider.rebuild()
            return {"entity_id": self.provider.sp_entity_id()}
        except Exception:
            self.provider.sp_metadata = before
            self.provider.rebuild()
            raise

    def set(self, changes):
        for name, value in changes.items():
            if name not in self.provider.settings or value not in KINDS.get(name, (value,)):
                raise ValueError(f"{name} cannot be {value!r}")
        self.provider.settings |= changes
        self.provider.rebuild()
        return self.provider.settings

    def change_person(self, method, name, attributes):
        if method == "DELETE":
            people.pop(name, None)
        else:
            people[name] = {**people.get(name, {}), **attributes}
        return people.get(name, {})

    def note_request(self, kind, request, signed, binding):
        policy = getattr(request, "name_id_policy", None)
        context = getattr(request, "requested_authn_context", None)
        self.requests.append(
            {
                "kind": kind,
                "id": request.id,
                "binding": binding.rsplit("-", 1)[1].lower(),
                "signed": signed,
                "force_authn": getattr(request, "force_authn", None) == "true",
                "name_id_format": getattr(policy, "format", None),
                "authn_context": context and [context.comparison, *(one.text for one in context.authn_context_class_ref)],
            }
        )

    def outage(self, endpoint):
        """How this endpoint fails now; None when it is up."""
        down = self.outages.get(endpoint) or self.outages.get("all")
        if not down or down["times"] == 0:
            return None
        down["times"] -= 1
        return down
