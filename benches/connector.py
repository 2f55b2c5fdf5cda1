"""The connector: creates through Sidegate into an app with a user API, beside calling that API directly."""

import re

from figures import load, median, rounds, table, times
from scim import CREATE
from stand import Sidegate, Target, free_port

CLIENTS = [1, 8, 32]
CONNECTOR = """
[scim]
rate = 100000
[connector.api]
name = "the app"
base = "http://127.0.0.1:{port}"
per_second = 10000
at_once = 64
[connector.users.fields]
name    = "userName"
mail    = "emails.value"
display = "displayName"
enabled = "active"
[connector.users.list]
call = "GET /users"
[connector.users.find.userName]
call  = "GET /users?name={{value}}"
items = ""
[connector.users.get]
call = "GET /users/{{id}}"
[connector.users.create]
call   = "POST /users"
body   = "{{fields}}"
new_id = "/id"
[connector.users.update]
call = "PATCH /users/{{id}}"
body = "{{fields}}"
[connector.users.delete]
call = "DELETE /users/{{id}}"
"""
PERSON = '{"name":"{h}.{n}@%s.example","mail":"{h}.{n}@corp.example","display":"Barbara Jensen {n}","enabled":true}'
ALONE = "the app's POST alone"
SAME = "the same three calls, made directly"
BARE = "Sidegate without a connector"
OURS = "Sidegate with the connector"


class Connector:
    """One app, called directly and through us."""

    def __init__(self, stand, options):
        self.stand, self.options = stand, options
        port = free_port()
        app = stand.start("users", [stand.tools / "users", f"127.0.0.1:{port}"])
        stand.wait_for(port, app, "users")
        self.targets = [self.direct(ALONE, app, port, "alone"), self.direct(SAME, app, port, "same")]
        self.targets += [self.provisioned(BARE, port, "[scim]\nrate = 100000\n"), self.provisioned(OURS, port, CONNECTOR.format(port=port))]

    def direct(self, name, process, port, domain):
        target = Target(name, process, port, "nobody")
        person = PERSON % domain
        look = f"GET /users?name={{h}}.{{n}}@{domain}.example"
        create = f"POST /users\n{person}"
        target.templates = [create] if name == ALONE else [look, create, look]
        target.next = 0
        return target

    def provisioned(self, name, upstream, more):
        target = Sidegate.__new__(Sidegate)
        target.prepare(self.stand, name, upstream, more=more)
        target.run()
        target.cookie = re.search(r"sgt_\S+", target.command("token", "create", "--name", "bench"))[0]
        target.templates, target.next = [CREATE], 0
        return target

    def everything(self):
        for clients in CLIENTS:
            seen = rounds(self.options.rounds, self.targets, lambda target: self.create(target, clients))
            print(f"### Creates through the connector, {clients} {'client' if clients == 1 else 'clients'}\n")
            rows = []
            for name in seen:
                added = "–"
                if name == OURS:
                    pairs = zip(seen[OURS], seen[SAME])
                    each = sorted(ours["p50"] - same["p50"] for ours, same in pairs)
                    added = f"{each[len(each) // 2]:.2f} ms"
                rows.append([
                    name, f"{median(seen, name, 'rate'):.0f}", times(seen, name, SAME, "rate"), f"{median(seen, name, 'p50'):.2f} ms",
                    f"{median(seen, name, 'p99'):.2f} ms", added])
            table(["", "creates a second", "rate × direct calls", "p50", "p99", "p50 added"], rows)

    def create(self, target, clients):
        steps = len(target.templates)
        words, _cpu = load(self.stand, target, "ask", clients, self.options.seconds, f"{target.next}..", *target.templates)
        count, failed, p50, p99, target.next = map(int, words)
        if failed:
            raise SystemExit(f"{target.name}: {failed} creates failed")
        # A create is all of its calls.
        return {"rate": count / steps / self.options.seconds, "p50": p50 * steps / 1e3, "p99": p99 * steps / 1e3}
