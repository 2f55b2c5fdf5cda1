"""SCIM: Sidegates over stores of several sizes, beside redb alone, the least server over it, and scim2-server."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import venv

from figures import ROOT, load, median, rounds, table, times
from stand import Sidegate, Target, free_port

RIVAL = ["scim2-server==0.8.3", "waitress==3.0.2"]
# One group holds so many, or everybody where there are fewer.
MEMBERS = 100_000
PERSON = (ROOT / "benches/person.json").read_text().strip()
USERS, GROUP = "/scim/v2/Users", "/scim/v2/Groups/everybody"
CREATE = f"POST {USERS}\n{PERSON}"
NAME = "?filter=userName%20eq%20%22{h}.{n}@corp.example%22"
PATCH = '{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}}'
TITLE = PATCH.format('{"op":"replace","path":"title","value":"Guide {n}"}')
JOIN = PATCH.format('{"op":"add","path":"members","value":[{"value":"{id}"}]}')
LEAVE = PATCH.format(r'{"op":"remove","path":"members[value eq \"{id}\"]"}')
EIGHT, FEW = [8], [1, 8]
STAGES = ["idle", "after look-ups", "after creates"]


class Provisioned(Sidegate):
    """A Sidegate with so many people, and a token."""

    def __init__(self, stand, people, upstream, kept):
        self.people, self.next = people, people
        self.members = min(people, MEMBERS)
        self.prepare(stand, f"{people:,}", upstream, more="[scim]\nrate = 100000\n")
        self.store = stand.folder / self.key / "sidegate.redb"
        self.fill(kept)
        self.size = self.store.stat().st_size
        self.memory = {}
        self.run()
        shown = self.command("token", "create", "--name", "bench")
        self.cookie = re.search(r"sgt_\S+", shown)[0]
        self.stand.stop(self.process)

    def fill(self, kept):
        """Through the directory itself: HTTP would take an hour."""
        copy = kept and pathlib.Path(kept) / f"{self.people}.redb"
        if copy and copy.exists():
            shutil.copyfile(copy, self.store)
            return
        argv = ["cargo", "bench", "--quiet", "--locked", "--profile", "ci", "--bench", "scim", "--", "fill"]
        subprocess.run([*argv, self.store, str(self.people), str(self.members), PERSON], check=True, cwd=ROOT, stdout=sys.stderr)
        if copy:
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(self.store, copy)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.stand.stop(self.process)

    def note(self, stage):
        self.memory[stage] = self.pss()


class Raw:
    """redb alone: no server, so many people a commit."""

    def __init__(self, stand, store, people):
        self.name, self.stand, self.store, self.next = "redb alone", stand, store, people

    def commit(self, rows, seconds):
        argv = [self.stand.tools / "floor", "commits", self.store, *map(str, (self.next, seconds, rows)), PERSON]
        done, _commits, self.next = map(int, subprocess.run(argv, capture_output=True, check=True, text=True).stdout.split())
        return {"rate": done / seconds}


def ask(target, clients, seconds, numbers, *templates):
    """The same requests for some seconds; numbers as `load ask` takes them."""
    words, cpu = load(target.stand, target, "ask", clients, seconds, numbers, *templates)
    count, _failed, p50, p99, after = map(int, words)
    return {"rate": count / seconds, "cpu": cpu / 1e3 / count, "p50": p50 / 1e3, "p99": p99 / 1e3, "after": after}


def create(target, clients, seconds, template=CREATE):
    if isinstance(target, Raw):
        return target.commit(clients, seconds)
    done = ask(target, clients, seconds, f"{target.next}..", template)
    target.next = done["after"]
    return done


class Scim:
    """Stores of the sizes asked for, made once for all parts."""

    def __init__(self, stand, options):
        self.stand, self.options = stand, options
        upstream = free_port()
        app = stand.start("scim-app", [stand.tools / "load", "app", f"127.0.0.1:{upstream}"])
        stand.wait_for(upstream, app, "load app")
        self.sidegates = [Provisioned(stand, people, upstream, options.stores) for people in options.sizes]
        self.seconds, self.rounds = options.seconds, options.rounds
        print(f"- one fdatasync of 4 KiB: {self.sync():.2f} ms; people of {len(PERSON)} bytes\n", flush=True)

    def sync(self):
        took, path = [], self.stand.folder / "sync"
        with open(path, "wb") as file:
            for _turn in range(200):
                file.write(b"z" * 4096)
                file.flush()
                began = time.monotonic()
                os.fdatasync(file.fileno())
                took.append(time.monotonic() - began)
        return statistics.median(took) * 1e3

    def running(self):
        """Those that do not run yet are started."""
        for sidegate in self.sidegates:
            if sidegate.process.poll() is not None:
                sidegate.run()
                sidegate.note("idle")
        return self.sidegates

    def everything(self):
        self.start()
        self.reads()
        self.creates()
        self.memory()
        self.rivals()

    def start(self):
        """From exec to ready, after an orderly end and after kill -9."""
        def orderly(sidegate):
            seconds = sidegate.run()
            self.stand.stop(sidegate.process)
            return {"ms": seconds * 1e3}

        def killed(sidegate):
            sidegate.run()
            sidegate.kill()
            return orderly(sidegate)

        for sidegate in self.sidegates:
            if sidegate.process.poll() is None:
                self.stand.stop(sidegate.process)
        rows = []
        for name, how in (("orderly", orderly), ("kill -9", killed)):
            seen = rounds(self.options.rounds, self.sidegates, how)
            rows.append([f"start to ready after {name}, ms", *(f"{median(seen, it.name, 'ms'):.0f}" for it in self.sidegates)])
        rows.append(["store before the load, MiB", *(f"{it.size >> 20}" for it in self.sidegates)])
        print("### SCIM: start, by people in the store\n")
        table(["", *(it.name for it in self.sidegates)], rows)

    def reads(self):
        """Look-ups, pages and changes of one, at each size."""
        some = lambda it: f"..{it.people}"
        member = lambda it: f"..{it.members}"
        page = f"GET {USERS}?count=100&"
        work = [
            ("userName eq", [1, 8, 32], some, [f"GET {USERS}{NAME}"]),
            ("externalId eq", EIGHT, some, [f"GET {USERS}?filter=externalId%20eq%20%22ext-{{h}}-{{n}}%22"]),
            ("one person by id", EIGHT, some, [f"GET {USERS}/{{id}}"]),
            ("list, first 100", FEW, some, [page + "startIndex=1"]),
            ("list, 100 near the end", FEW, some, [page + "startIndex={last}"]),
            ("list by cursor, pages of 100", FEW, some, [page + "cursor={cursor}"]),
            ("PATCH of one attribute", FEW, some, [f"PATCH {USERS}/{{id}}\n{TITLE}"]),
            (f"one member less or more of {MEMBERS:,}", FEW, member, [f"PATCH {GROUP}\n{LEAVE}", f"PATCH {GROUP}\n{JOIN}"]),
        ]
        sidegates = self.running()
        first, last = sidegates[0].name, sidegates[-1].name
        rows = []
        for what, clients, numbers, templates in work:
            for count in clients:
                def once(it):
                    asked = [each.replace("{last}", str(it.people - 120)) for each in templates]
                    return ask(it, count, self.seconds, numbers(it), *asked)
                seen = rounds(self.rounds, sidegates, once)
                rows.append([what, count, *(f"{median(seen, it.name, 'rate'):.0f}" for it in sidegates), times(seen, first, last, "rate"),
                             *(f"{median(seen, last, field):.{digits}f}" for field, digits in (("p50", 2), ("p99", 2), ("cpu", 0)))])
        print(f"### SCIM: answers a second, by people in the store; times of {last}\n")
        table(["", "clients", *(it.name for it in sidegates), f"{first} × {last}", "p50 ms", "p99 ms", "CPU µs"], rows)
        for it in sidegates:
            it.note("after look-ups")

    def creates(self):
        """Durable creates beside the same through the least server and through redb alone."""
        sidegates = self.running()
        people = min(MEMBERS, max(self.options.sizes))
        middle = next(it for it in reversed(sidegates) if it.people <= people).name
        raw, least = (self.stand.folder / name for name in ("raw.redb", "least.redb"))
        subprocess.run([self.stand.tools / "floor", "fill", raw, str(people), PERSON], check=True)
        shutil.copyfile(raw, least)
        floor = self.floor(least, people)
        targets = [*sidegates, floor, Raw(self.stand, raw, people)]
        alone = targets[-1].name
        rows = []
        for clients in (1, 8, 32, 64):
            seen = rounds(self.rounds, targets, lambda it: create(it, clients, self.seconds))
            rows.append([clients, *(f"{median(seen, it.name, 'rate'):.0f}" for it in targets), times(seen, middle, alone, "rate"),
                         times(seen, middle, floor.name, "rate"),
                         *(f"{median(seen, middle, field):.{digits}f}" for field, digits in (("p50", 2), ("p99", 2), ("cpu", 0)))])
        print(f"### SCIM: durable creates a second, by people in the store before; ratios and times of {middle}\n")
        table(["clients", *(it.name for it in targets), "× redb", f"× {floor.name}", "p50 ms", "p99 ms", "CPU µs"], rows)
        both = [next(it for it in sidegates if it.name == middle), floor]
        rows = []
        for clients in (1, 8, 32):
            seen = rounds(self.rounds, both, lambda it: ask(it, clients, self.seconds, f"..{people}", f"GET {USERS}{NAME}"))
            rows.append([clients, *(f"{median(seen, it.name, 'rate'):.0f}" for it in both), times(seen, middle, floor.name, "rate"),
                         *(f"{median(seen, it.name, 'cpu'):.0f}" for it in both), times(seen, middle, floor.name, "cpu")])
        print(f"### SCIM: `userName eq` beside the least server, {people:,} people\n")
        table(["clients", "Sidegate", floor.name, "rate ×", "CPU µs", "CPU µs, least", "CPU ×"], rows)
        self.stand.stop(floor.process)
        for it in sidegates:
            it.note("after creates")

    def floor(self, store, people):
        port = free_port()
        process = self.stand.start("floor", [self.stand.tools / "floor", "serve", f"127.0.0.1:{port}", store])
        self.stand.wait_for(port, process, "floor")
        floor = Target("least server", process, port, "none")
        floor.stand, floor.next = self.stand, people
        return floor

    def memory(self):
        rows = [[f"Pss {stage}, MiB", *(f"{it.memory[stage] / 1024:.1f}" if stage in it.memory else "–" for it in self.sidegates)]
                for stage in STAGES]
        rows.append(["store at the end, MiB", *(f"{it.store.stat().st_size >> 20}" for it in self.sidegates)])
        print("### SCIM: memory and store\n")
        table(["", *(it.name for it in self.sidegates)], rows)

    def rivals(self):
        """scim2-server, which keeps everything in memory, with as many people as it can bear."""
        python = ROOT / "target/benches/venv/bin/python"
        if not python.exists():
            venv.create(python.parent.parent, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *RIVAL], check=True)
        sidegates, rivals = self.running(), []
        for people in self.options.rival:
            port = free_port()
            process = self.stand.start("rival", [python, ROOT / "benches/rival.py", str(port), str(people), PERSON])
            rivals.append(Target(f"scim2-server, {people:,} people", process, port, "none"))
            rivals[-1].stand, rivals[-1].people, rivals[-1].next = self.stand, people, people
        for rival in rivals:
            self.stand.wait_for(rival.port, rival.process, "rival", 600)
        ours = sidegates[-1]
        rows = []
        for what, do in (("creates", lambda it, at: create(it, 8, self.seconds, f"POST {at}\n{PERSON}")),
                         ("userName eq", lambda it, at: ask(it, 8, self.seconds, f"..{it.people}", f"GET {at}{NAME}"))):
            seen = rounds(self.rounds, [ours, *rivals], lambda it: do(it, USERS if it is ours else "/v2/Users"))
            rows += [[what, rival.name, f"{median(seen, ours.name, 'rate'):.0f}", f"{median(seen, rival.name, 'rate'):.0f}",
                      times(seen, ours.name, rival.name, "rate")] for rival in rivals]
        print(f"### SCIM: Sidegate with {ours.name} people beside scim2-server, which writes nothing to disk; 8 clients\n")
        table(["a second", "beside", "Sidegate", "scim2-server", "×"], rows)
        for rival in rivals:
            self.stand.stop(rival.process)
