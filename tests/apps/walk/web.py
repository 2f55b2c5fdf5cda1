"""HTTP as the walk needs it: a call that returns what was answered, and a browser that keeps cookies and follows redirects."""

import base64
import html
import http.client
import json
import re
import urllib.parse

SECONDS = 120


def call(method, url, body=None, headers=None):
    """Gives (status, headers, text). A dict or a list is sent as JSON."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.quote(parts.path or "/", safe="/%:@,;=+$!*'()~-._") + ("?" + parts.query if parts.query else "")
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Browser:
    """One person's browser at one address."""

    def __init__(self, origin):
        self.origin = origin
        self.cookies = {}

    def send(self, method, path, body=None, headers=None):
        headers = {"Accept": "text/html", **(headers or {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, answered, text = call(method, self.origin + path, body, headers)
        for line in answered.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name.strip()] = value.strip()
            if re.search(r"max-age=0\b|expires=thu, 01[ -]jan[ -]1970", line, re.I) or not value.strip():
                self.cookies.pop(name.strip(), None)
        return status, answered, text

    def get(self, path, headers=None):
        """Follows redirects; gives (status, path, text) of the last answer."""
        for _ in range(12):
            status, answered, text = self.send("GET", path, headers=headers)
            if status not in (301, 302, 303, 307, 308):
                return status, path, text
            path = self.here(urllib.parse.urljoin(self.origin + path, answered["Location"]))
        return status, path, text

    @staticmethod
    def here(url):
        parts = urllib.parse.urlsplit(url)
        return parts.path + ("?" + parts.query if parts.query else "")

    def sign_in(self, name, password):
        """By the form of Sidegate's own page; gives the status, which is 303 when the person is in."""
        _, _, page = self.get("/.sidegate/login?return_to=/")
        fields = {}
        for tag in re.findall(r'<input[^>]*type="?hidden"?[^>]*>', page):
            found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            fields[found["name"]] = html.unescape(found.get("value", ""))
        form = urllib.parse.urlencode({**fields, "username": name, "password": password})
        status, _, _ = self.send("POST", "/.sidegate/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        return status
