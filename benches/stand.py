"""What is measured: nginx, the bare proxy and Sidegate, each on free loopback ports and in a temporary folder."""

import contextlib
import html.parser
import http.cookiejar
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

USER, PASSWORD = "bench", "correct horse battery"


class Stand:
    """Everything that was started, and the folder it works in."""

    def __init__(self, sidegate, bare):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sidegate-bench-"))
        # nginx's workers are another user's when root starts it.
        self.folder.chmod(0o711)
        self.sidegate, self.tools, self.processes = sidegate, bare, []

    def start(self, name, argv, **options):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(argv, **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **options})
        self.processes.append((name, process))
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes = [(name, other) for name, other in self.processes if other is not process]

    def close(self, keep):
        for _name, process in reversed(list(self.processes)):
            self.stop(process)
        if keep:
            print(f"logs are in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder)

    def wait_for(self, port, process, name, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.002)
        raise SystemExit(f"{name} does not answer:\n" + (self.folder / f"{name}.log").read_text()[-3000:])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Target:
    """One proxy under load."""

    def __init__(self, name, process, port, cookie="", tls=False):
        self.name, self.process, self.port, self.cookie = name, process, port, cookie
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"

    def tree(self):
        found, left = [], [self.process.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    left += [int(child) for child in task.read_text().split()]
        return found

    def cpu(self):
        """Nanoseconds of every thread that lives."""
        spent = {}
        for pid in self.tree():
            for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    spent[str(stat)] = int(stat.read_text().split()[0])
        return spent

    def pss(self):
        """KiB of memory, shared pages divided by who shares them."""
        roll = "".join(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.tree())
        return sum(int(kib) for kib in re.findall(r"(?m)^Pss:\s+(\d+)", roll))


def cpu_between(before, after):
    return sum(spent - before.get(thread, 0) for thread, spent in after.items())


NGINX = """
worker_processes {cores}; daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 0;
  client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy; fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s;
  {body}
}}
"""
PLAIN = """
  upstream small {{ server 127.0.0.1:{small}; keepalive 512; keepalive_requests 100000000; }}
  upstream long {{ server 127.0.0.1:{long}; keepalive 512; keepalive_requests 100000000; }}
  proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; proxy_set_header Connection "";
  ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key; ssl_session_cache off; ssl_session_tickets off;
  server {{ listen 127.0.0.1:{plain} reuseport; location / {{ proxy_pass http://small; }} }}
  server {{ listen 127.0.0.1:{tls} reuseport ssl; location / {{ proxy_pass http://small; }} }}
  server {{ listen 127.0.0.1:{stream} reuseport; proxy_buffering off; proxy_request_buffering off;
    location / {{ proxy_pass http://long; }}
    location /ws {{ proxy_pass http://long; proxy_http_version 1.1; proxy_read_timeout 1h;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }}
"""


def start_nginx(stand, name, body, ports):
    config = stand.folder / f"{name}.conf"
    config.write_text(NGINX.format(cores=os.cpu_count(), folder=stand.folder, name=name, body=body))
    process = stand.start(name, ["nginx", "-c", str(config)])
    for port in ports:
        stand.wait_for(port, process, name)
    return process


SIDEGATE = """
public_url = "{scheme}://127.0.0.1:{port}"
[server]
listen = "127.0.0.1:{port}"
[server.ops]
listen = "127.0.0.1:{ops}"
[server.control]
socket = "{folder}/{name}.sock"
{tls}
[upstream]
url = "http://127.0.0.1:{upstream}"
[storage]
url = "redb://{folder}/{name}/sidegate.redb"
[log]
access = {access}
level = "warn"
[local]
enabled = true
bcrypt_cost = 4
[headers]
preset = "forwarded"
{more}
[[rule]]
path = "/healthz"
methods = ["GET"]
access = "public"
[[rule]]
path = "/static/**"
access = "optional"
[[rule]]
path = "/admin/**"
roles = ["ADMIN"]
[[rule]]
path = "/api/**"
anonymous = "401"
"""
TLS = """[server.tls]
certificate_file = "{folder}/tls.crt"
key_file = "{folder}/tls.key"
"""
ASSERTION = """[headers.assertion]
name = "X-Sidegate-Assertion"
algorithm = "ES256"
"""


class Sidegate(Target):
    """A Sidegate of its own, with a store of its own and one local account, signed in to."""

    def __init__(self, stand, name, upstream, tls=False, access=False, assertion=False):
        self.prepare(stand, name, upstream, tls, access, ASSERTION if assertion else "")
        self.run()
        self.command("user", "create", USER, "--email", "bench@example.com", "--local", "--password-file", "-", given=PASSWORD)
        self.cookie = self.sign_in()

    def prepare(self, stand, name, upstream, tls=False, access=False, more=""):
        self.stand, self.key = stand, re.sub(r"\W+", "-", name)
        port, self.ops = free_port(), free_port()
        (stand.folder / self.key).mkdir()
        self.config = stand.folder / f"{self.key}.toml"
        self.config.write_text(SIDEGATE.format(
            scheme="https" if tls else "http", port=port, ops=self.ops, folder=stand.folder, name=self.key, upstream=upstream,
            access=str(access).lower(), tls=TLS.format(folder=stand.folder) if tls else "", more=more))
        super().__init__(name, None, port, tls=tls)

    def run(self):
        """Starts it and gives the seconds until it was ready."""
        # Access lines go where a container's go: into a pipe that somebody reads.
        reader = self.stand.start(self.key, ["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        self.process = self.stand.start(self.key, [self.stand.sidegate, "serve", "--config", self.config], stdout=reader.stdin)
        reader.stdin.close()
        self.stand.wait_for(self.port, self.process, self.key)
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.ops}/readyz", timeout=5):
                return time.monotonic() - began
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit(f"{self.name} does not get ready")
            time.sleep(0.002)

    def command(self, *words, given=""):
        done = subprocess.run([self.stand.sidegate, *words, "--config", self.config], input=given, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"sidegate {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def sign_in(self):
        """Through the page, as a browser without scripts; gives the session cookie."""
        jar = http.cookiejar.CookieJar()
        trusting = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), trusting)
        browser.addheaders = [("Accept", "text/html"), ("User-Agent", "bench")]
        with browser.open(urllib.parse.urljoin(self.url, "/.sidegate/login?return_to=/"), timeout=10) as page:
            form = Form(page.read().decode())
        fields = urllib.parse.urlencode({**form.fields, "username": USER, "password": PASSWORD}).encode()
        asked = urllib.request.Request(urllib.parse.urljoin(self.url, form.action), fields, {"Origin": self.url.rstrip("/")})
        with browser.open(asked, timeout=10) as answer:
            body = answer.read()
        session = [cookie for cookie in jar if cookie.name.removeprefix("__Host-") == "sidegate"]
        if answer.status != 200 or b"password" in body or not session:
            raise SystemExit(f"{self.name}: sign-in failed: {answer.status} {body[:600]!r}")
        return f"{session[0].name}={session[0].value}"


class Form(html.parser.HTMLParser):
    """The form that asks for a password: its address and the fields that it brings along."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.current, self.inputs = None, {}, None, {}
        self.feed(page)
        if self.action is None:
            raise SystemExit("the sign-in page has no password form:\n" + page[:2000])

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        if tag == "form":
            self.current, self.inputs = attributes.get("action"), {}
        elif tag == "input" and attributes.get("name"):
            self.inputs[attributes["name"]] = attributes.get("value") or ""
            if attributes.get("type") == "password" and self.action is None:
                self.action, self.fields = self.current, self.inputs
