"""Measures Sidegate beside nginx and beside the least that a hyper proxy can be. Started by benches/run."""

import argparse
import pathlib
import re
import subprocess
import sys
import time

from connector import Connector
from figures import ROOT, facts, load, median, rounds, table, times
from saml import Saml
from scim import Scim
from stand import PLAIN, Sidegate, Stand, Target, cpu_between, free_port, start_nginx

GIB = 1 << 30
NGINX, BARE, QUIET = "nginx, plain proxy", "bare hyper proxy", "Sidegate"


def wrk(target, connections, seconds, fields=()):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for field in (f"Cookie: {target.cookie}" if target.cookie else "X-None: 1", *fields):
        argv += ["-H", field]
    before = target.cpu()
    out = subprocess.run([*argv, target.url], capture_output=True, text=True, check=True).stdout
    cpu = cpu_between(before, target.cpu())
    done = int(re.search(r"(\d+) requests in", out)[1])
    micro = {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}

    def percentile(which):
        value, unit = re.search(rf"(?m)^\s+{which}%\s+([\d.]+)(us|ms|s|m)$", out).groups()
        return float(value) * micro[unit]

    failed = sum(int(found) for found in re.findall(r"Non-2xx or 3xx responses: (\d+)", out))
    for line in re.findall(r"Socket errors: (.*)", out):
        failed += sum(int(found) for found in re.findall(r"\d+", line))
    if failed * 100 > done:
        raise SystemExit(f"{target.name}: {failed} of {done} requests failed")
    return {"cpu": cpu / 1e3 / done, "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
            "p50": percentile(50), "p99": percentile(99), "failed": failed}


class Bench:
    """The upstreams and the baselines, which every part shares."""

    def __init__(self, stand, options):
        self.stand, self.options = stand, options
        self.small, self.long, self.plain, self.tls, self.stream = (free_port() for _ in range(5))
        (stand.folder / "www").mkdir()
        (stand.folder / "www" / "index.html").write_text("z" * 1024)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", stand.folder / "tls.key", "-out", stand.folder / "tls.crt"], check=True, capture_output=True)
        page = f"server {{ listen 127.0.0.1:{self.small} reuseport; root {stand.folder}/www; }}"
        start_nginx(stand, "app", page, [self.small])
        app = stand.start("long", [stand.tools / "load", "app", f"127.0.0.1:{self.long}"])
        stand.wait_for(self.long, app, "load app")
        body = PLAIN.format(folder=stand.folder, small=self.small, long=self.long, plain=self.plain, tls=self.tls,
                            stream=self.stream)
        self.nginx = start_nginx(stand, "nginx", body, [self.plain, self.tls, self.stream])

    def requests(self):
        """An authenticated request of 1 KiB on kept connections."""
        targets = [
            Sidegate(self.stand, QUIET, self.small),
            Sidegate(self.stand, "Sidegate, access log", self.small, access=True),
            Sidegate(self.stand, "Sidegate, access log, signed assertion", self.small, access=True, assertion=True),
        ]
        cookie = targets[0].cookie
        port = free_port()
        bare = self.stand.start("bare", [self.stand.tools / "bare", f"127.0.0.1:{port}", f"127.0.0.1:{self.small}", cookie])
        self.stand.wait_for(port, bare, "bare")
        baselines = [Target(NGINX, self.nginx, self.plain, cookie), Target(BARE, bare, port, cookie)]
        for connections in self.options.connections:
            seen = rounds(self.options.rounds, baselines + targets,
                          lambda target: wrk(target, connections, self.options.seconds))
            print(f"### Authenticated request, 1 KiB, kept connections: {connections}\n")
            self.compare(seen, NGINX, BARE)
        for target in targets:
            self.stand.stop(target.process)

    def handshakes(self):
        """A new TLS connection for every request."""
        targets = [Target(NGINX, self.nginx, self.tls, tls=True), Sidegate(self.stand, "Sidegate TLS", self.small, tls=True)]
        targets[0].cookie = targets[1].cookie
        seen = rounds(self.options.rounds, targets,
                      lambda target: wrk(target, 32, self.options.seconds, ["Connection: close"]))
        print("### TLS handshake and one request, P-256 certificate, 32 clients\n")
        self.compare(seen, NGINX)
        seen = rounds(self.options.rounds, targets, lambda target: wrk(target, 32, self.options.seconds))
        print("### Authenticated request, 1 KiB, kept TLS connections: 32\n")
        self.compare(seen, NGINX)
        self.stand.stop(targets[1].process)

    def compare(self, seen, *bases):
        head = ["", "CPU µs", *(f"CPU × {base.split(',')[0]}" for base in bases), "per second", "rate × nginx",
                "p50 × nginx", "p99 × nginx", "failed"]
        rows = []
        for name, each in seen.items():
            rows.append([
                name, f"{median(seen, name, 'cpu'):.1f}", *(times(seen, name, base, "cpu") for base in bases),
                f"{median(seen, name, 'rate'):.0f}", *(times(seen, name, bases[0], of) for of in ("rate", "p50", "p99")),
                sum(one["failed"] for one in each)])
        table(head, rows)

    def streams(self):
        """WebSocket messages and long bodies, and memory while they run."""
        ours = Sidegate(self.stand, "Sidegate streams", self.long, access=True)
        targets = [Target(NGINX, self.nginx, self.stream, ours.cookie), ours]

        def messages(target):
            (count, p50, p99), cpu = load(self.stand, target, "ws", 64, self.options.seconds, 256)
            return {"cpu": cpu / 1e3 / int(count), "rate": int(count) / self.options.seconds, "p50": int(p50),
                    "p99": int(p99), "failed": 0}

        seen = rounds(self.options.rounds, targets, messages)
        print("### WebSocket message there and back, 256 bytes, 64 connections\n")
        self.compare(seen, NGINX)

        def body(words):
            def once(target):
                (count, seconds), cpu = load(self.stand, target, *words)
                return {"cpu": cpu / 1e6, "rate": int(count) / float(seconds) / 1e6}
            return once

        print("### 1 GiB on one connection, nginx without buffering\n")
        rows = []
        for way, words in (("down", ("download", f"/stream?{GIB}")), ("up", ("upload", GIB))):
            seen = rounds(self.options.rounds, targets, body(words))
            for name in seen:
                rows.append([f"{name}, {way}", f"{median(seen, name, 'cpu'):.0f}", times(seen, name, NGINX, "cpu"),
                             f"{median(seen, name, 'rate'):.0f}", times(seen, name, NGINX, "rate")])
        table(["", "CPU ms", "CPU × nginx", "MB/s", "rate × nginx"], rows)
        print("### Memory during 2 GiB, Pss in KiB\n")
        rows = [[name, *self.peak(ours, words)] for name, words in
                (("down", ("download", f"/stream?{2 * GIB}")), ("up", ("upload", 2 * GIB)))]
        table(["", "before", "highest", "after"], rows)
        self.stand.stop(ours.process)

    def peak(self, target, words):
        """Pss before, at most during, and after a load."""
        verb, *rest = words
        before = highest = target.pss()
        argv = [self.stand.tools / "load", verb, f"127.0.0.1:{target.port}", target.cookie, *map(str, rest)]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as running:
            while running.poll() is None:
                highest = max(highest, target.pss())
                time.sleep(0.02)
        if running.returncode != 0:
            raise SystemExit(f"load {verb}: failed")
        return before, highest, target.pss()

    def memory(self):
        """Pss when idle, per kept connection, per session; and how long a start takes."""
        ours = Sidegate(self.stand, "Sidegate memory", self.small)
        self.stand.stop(ours.process)
        ours.run()
        fresh = Target(NGINX, self.nginx, self.plain, ours.cookie)
        rows = [["idle, just started", f"{ours.pss()} KiB", "–"]]
        kept = [self.per_connection(target) for target in (ours, fresh)]
        rows.append(["per idle kept connection, 1,000 clients", *(f"{each:.1f} KiB" for each in kept)])
        for target in (ours, fresh):
            wrk(target, 256, self.options.seconds)
        time.sleep(1)
        rows.append(["after load with 256 connections", f"{ours.pss()} KiB", f"{fresh.pss()} KiB"])
        number = self.options.sessions
        self.open_sessions(ours, number // 10)
        before = ours.pss()
        self.open_sessions(ours, number)
        rows.append([f"per session, {number} sign-ins, one request each", f"{(ours.pss() - before) / number:.2f} KiB", "–"])
        self.stand.stop(ours.process)
        seconds = ours.run()
        rows.append([f"idle, started with {number + number // 10} sessions", f"{ours.pss()} KiB", "–"])
        rows.append(["start to ready, with these", f"{seconds * 1e3:.0f} ms", "–"])
        print("### Memory (Pss) and start\n")
        table(["", "Sidegate", "nginx"], rows)
        self.stand.stop(ours.process)

    def per_connection(self, target):
        wrk(target, 1, 1)
        before = target.pss()
        argv = [self.stand.tools / "load", "idle", f"127.0.0.1:{target.port}", target.cookie, "1000"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
            running.stdout.readline()
            grown = target.pss() - before
            if "closed 0" not in running.communicate("\n")[0]:
                raise SystemExit(f"{target.name} closed idle connections")
        return grown / 1000

    def open_sessions(self, ours, number):
        for _session in range(number):
            ours.sign_in()


PARTS = {
    "requests": Bench.requests, "tls": Bench.handshakes, "streams": Bench.streams, "memory": Bench.memory,
    "scim": Scim.everything, "scim-start": Scim.start, "scim-reads": Scim.reads, "scim-creates": Scim.creates,
    "scim-rivals": Scim.rivals, "scim-memory": Scim.memory, "connector": Connector.everything, "saml": Saml.everything, "saml-worst": Saml.worst,
}


def numbers(text):
    return [int(each) for each in text.split(",")]


def main():
    parser = argparse.ArgumentParser(prog="benches/run")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=numbers, default=[32, 256])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--sizes", type=numbers, default=[1_000, 100_000, 1_000_000], help="people in SCIM's stores")
    parser.add_argument("--rival", type=numbers, default=[5_000, 50_000], help="people in scim2-server")
    parser.add_argument("--stores", help="keep filled SCIM stores in this folder for the next run")
    parser.add_argument("--sidegate", default=ROOT / "target/release/sidegate", help="the binary to measure")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "target/benches/release", help="where bare and load are")
    parser.add_argument("--keep", action="store_true", help="leave logs and stores in the temporary folder")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    facts(options)
    stand, made = Stand(options.sidegate, options.tools), {}
    try:
        for name in options.parts or [name for name in PARTS if "-" not in name]:
            of = {"connector": Connector, "scim": Scim, "saml": Saml}.get(name.split("-")[0], Bench)
            made[of] = made.get(of) or of(stand, options)
            PARTS[name](made[of])
    finally:
        stand.close(options.keep)


if __name__ == "__main__":
    sys.exit(main())
