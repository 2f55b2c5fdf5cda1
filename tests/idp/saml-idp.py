#!/usr/bin/env python3
"""A SAML identity provider for tests, made of pysaml2 and xmlsec1: a second implementation, on 127.0.0.1 only. It ends when its
stdin closes. The first line on stdout is {"base", "entity_id", "metadata", "sso", "slo", "tls"} once it listens. Run it with the Python
of the environment `saml` that tests/setup/packages makes.

  PORT                         0 (the default) takes any free port
  PUBLIC_URL                   what it calls itself, such as https://idp.example.net; else http://127.0.0.1:PORT
  CERTIFICATE_FILE, KEY_FILE   it answers on a second port too, by TLS; the field `tls` of the first line has its address
  SP_METADATA                  a file with the service provider's metadata, or PUT /test/sp
  AUTO_LOGIN                   this person is signed in without the form

Sign in with the form (saml_people.py; the password is "password"), with a session that this provider has from an earlier sign-in,
or with login_hint=NAME&auto_login=1 on the address. For a sign-in that nobody asked for, and a sign-out that begins here:

  GET /idp-init?user=alice&RelayState=…      posts a response to the service provider
  GET /idp-logout?user=alice                 sends the browser to the service provider with a LogoutRequest, and then back to /slo

saml_control.py has what a test can change while it runs."""

import html
import http.server
import json
import os
import secrets
import shutil
import ssl
import sys
import tempfile
import threading
import traceback
import warnings
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

warnings.simplefilter("ignore")  # of pysaml2, about itself
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, samlp
from saml2.response import IncorrectlySigned
from saml2.sigver import SigverError

from saml_control import Control
from saml_people import people
from saml_provider import Provider

COOKIE = "saml_idp_session"
MAX_BODY = 1024 * 1024


class Handler(http.server.BaseHTTPRequestHandler):
    """One request. All take turns: pysaml2 is not made for several at once."""

    turn = threading.Lock()
    provider: Provider
    control: Control
    browsers = {}  # who is signed in here, by cookie

    def do_GET(self):
        self.handle_with(BINDING_HTTP_REDIRECT)

    def do_POST(self):
        self.handle_with(BINDING_HTTP_POST)

    do_PUT = do_DELETE = do_POST

    def handle_with(self, binding):
        address = urlsplit(self.path)
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BODY)).decode()
        with self.turn:
            try:
                if address.path.startswith("/test/"):
                    return self.answer_json(*self.control.answer(self.command, address.path, body))
                down = self.control.outage(address.path.strip("/"))
                if down is not None:
                    return self.fail_on_purpose(down)
                query = dict(parse_qsl(address.query, keep_blank_values=True))
                form = dict(parse_qsl(body, keep_blank_values=True))
                return self.route(address.path, query, form, binding)
            except (IncorrectlySigned, SigverError) as error:
                return self.page("Refused", html.escape(repr(error)), 403)
            except Exception as error:
                traceback.print_exc()
                return self.page("Error", html.escape(repr(error)), 500)

    def route(self, path, query, form, binding):
        match path:
            case "/metadata":
                return self.answer(200, self.provider.metadata(), "application/samlmetadata+xml")
            case "/sso":
                return self.sign_in({**query, **form}, binding)
            case "/login":
                # The form carries the request on, and says how it came.
                came = BINDING_HTTP_POST if form.pop("came") == "post" else BINDING_HTTP_REDIRECT
                return self.sign_in(form, came)
            case "/idp-init":
                name = query.get("user") or self.known_person()
                if name not in people:
                    return self.page("Error", "nobody is signed in", 400)
                return self.signed_in(name, self.provider.unsolicited(), query.get("RelayState", ""))
            case "/slo":
                return self.sign_out({**query, **form}, binding)
            case "/idp-logout":
                return self.begin_sign_out(query.get("user") or self.known_person())
        return self.page("Not found", "", 404)

    # Sign-in

    def sign_in(self, fields, binding):
        request = self.provider.read_request(fields, binding)
        self.control.note_request("authn", request, self.provider.signed(fields, binding, "SAMLRequest"), binding)
        answer = self.provider.answer_to(request)
        relay_state = fields.get("RelayState", "")
        if "cancel" in fields:
            place, form = self.provider.refuse(answer, samlp.STATUS_AUTHN_FAILED, "The person cancelled.")
            return self.post_onwards(place, {**form, "RelayState": relay_state})
        name = self.who(fields, request.force_authn == "true")
        if name is None:
            return self.sign_in_form(fields, binding)
        return self.signed_in(name, answer, relay_state)

    def who(self, fields, force):
        if "username" in fields:
            typed = fields["username"]
            return typed if typed in people and fields.get("password") == "password" else None
        if fields.get("auto_login"):
            return fields.get("login_hint")
        return None if force else self.known_person() or self.control.auto_login or None

    def known_person(self):
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        return self.browsers.get(cookie.value) if cookie else None

    def signed_in(self, name, answer, relay_state):
        place, form = self.provider.respond(name, answer)
        if relay_state:
            form["RelayState"] = relay_state
        token = secrets.token_hex(16)
        self.browsers[token] = name
        self.post_onwards(place, form, {"Set-Cookie": f"{COOKIE}={token}; Path=/; HttpOnly"})

    def sign_in_form(self, fields, binding):
        kept = {name: fields[name] for name in ("SAMLRequest", "RelayState", "SigAlg", "Signature") if name in fields}
        kept["came"] = "post" if binding == BINDING_HTTP_POST else "redirect"
        wrong = "Wrong user name or password" if "username" in fields else ""
        hint = html.escape(fields.get("login_hint", ""))
        body = (
            f"<p id=error role=alert>{wrong}</p><form method=post action=/login>{hidden(kept)}"
            f'<p><label>User name <input id=username name=username value="{hint}"></label>'
            "<p><label>Password <input id=password name=password type=password></label>"
            "<p><button id=login>Sign in</button> <button id=cancel name=cancel value=1>Cancel</button></form>"
        )
        self.page("Sign in", body, 401 if wrong else 200)

    # Sign-out

    def sign_out(self, fields, binding):
        if "SAMLResponse" in fields:
            self.control.logout_log.append(self.provider.read_logout_answer(fields, binding))
            return self.page("Signed out everywhere", "")
        request = self.provider.read_logout(fields, binding)
        self.control.note_request("logout", request, self.provider.signed(fields, binding, "SAMLRequest"), binding)
        self.forget(self.provider.end(request))
        return self.send(*self.provider.logout_answer(request, fields.get("RelayState", "")))

    def begin_sign_out(self, name):
        orders = list(self.provider.logout_requests(name))
        self.forget([name])
        if not orders:
            return self.page("Signed out", "there was no session")
        # A browser can be sent to one place only; a test asks for the others.
        self.control.orders = [{"url": place, "fields": fields} for place, fields in orders]
        return self.send(*orders[-1])

    def forget(self, names):
        for token in [token for token, name in self.browsers.items() if name in names]:
            del self.browsers[token]

    # Answers

    def send(self, place, fields):
        if fields is None:
            return self.answer(302, "", "text/plain", {"Location": place})
        return self.post_onwards(place, fields)

    def post_onwards(self, place, fields, headers=None):
        body = (
            f'<form method=post action="{html.escape(place)}">{hidden(fields)}<button id=continue>Continue</button></form>'
            "<script>document.forms[0].submit()</script>"
        )
        self.page("One moment", body, 200, headers)

    def page(self, title, body, status=200, headers=None):
        text = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}</html>"
        self.answer(status, text, "text/html; charset=utf-8", headers)

    def answer_json(self, status, value):
        self.answer(status, json.dumps(value), "application/json")

    def answer(self, status, text, kind, headers=None):
        body = text.encode()
        self.send_response(status)
        fields = {"Content-Type": kind, "Content-Length": len(body), "Cache-Control": "no-store", **(headers or {})}
        for name, value in fields.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def fail_on_purpose(self, down):
        if down.get("close"):
            self.close_connection = True
            return self.connection.close()
        return self.answer(down.get("status", 503), down.get("body", "down for a test"), down.get("type", "text/plain"))

    def log_message(self, *args):
        """Stdout is ours, and nobody reads the other."""


def hidden(fields):
    return "".join(f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items())


class Listener(http.server.ThreadingHTTPServer):
    """A port of this machine."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that goes away in the middle of a handshake is nobody's mistake."""


def listen(port):
    return Listener(("127.0.0.1", port), Handler)


def main():
    folder = tempfile.mkdtemp(prefix="sidegate-test-saml-idp-")
    try:
        servers = [listen(int(os.environ.get("PORT", "0")))]
        base = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{servers[0].server_port}")
        said = {"base": f"http://127.0.0.1:{servers[0].server_port}"}
        if "CERTIFICATE_FILE" in os.environ:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.environ["CERTIFICATE_FILE"], os.environ["KEY_FILE"])
            servers.append(listen(0))
            # The handshake is made in the connection's own thread: a browser opens some that it never uses.
            servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True, do_handshake_on_connect=False)
            said["tls"] = f"127.0.0.1:{servers[1].server_port}"
        Handler.provider = Provider(base, folder)
        Handler.control = Control(Handler.provider, os.environ.get("AUTO_LOGIN", ""))
        if "SP_METADATA" in os.environ:
            Handler.control.answer("PUT", "/test/sp", json.dumps({"file": os.environ["SP_METADATA"]}))
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        said |= {"entity_id": f"{base}/metadata", "metadata": f"{base}/metadata", "sso": f"{base}/sso", "slo": f"{base}/slo"}
        print(json.dumps(said), flush=True)
        # A test run that was killed leaves nobody behind.
        while sys.stdin.buffer.read(4096):
            pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
