#!/usr/bin/env python3
"""Replay SCIM client traces (traces/*.json) against a SCIM 2.0 server.

    python3 replay.py --base-url http://127.0.0.1:8080/scim/v2 --token SECRET

Needs Python 3.9+ and `requests` only.

Trace file
----------
{ "name", "client", "source", "tags": [...], "requires": ["token_url", ...],
  "vars": {"k": "text with ${rand}"}, "steps": [STEP, ...] }

STEP
  note        what the step shows
  method      GET|POST|PUT|PATCH|DELETE|...
  path        below --base-url ("/Users/${user1.id}"); "=http..." is an absolute URL
  query       {"filter": "..."}: percent-encoded (%20); raw_query: sent as written
  raw_target  true: the request target is not touched by the HTTP library (quotes stay quotes)
  headers     added to / overriding the defaults; a null value removes a header
  auth        "default" (bearer) | "none" | "bad" | "basic" | "client" (client id and secret by
              Basic, RFC 6749 2.3.1) | "raw:<value>"
  body        JSON value; raw_body: text sent as written
  form        dict sent as application/x-www-form-urlencoded
  capture     {"user1.id": "$.id", "etag": "header:ETag"}
  repeat      N: run the step N times with ${i} = 1..N
  parallel    [STEP, ...]: run these at the same time (then their expects)
  sleep       seconds to wait before
  optional    true: a failure of this step is reported as a warning only
  expect      { "status": 200 | [200, 204] | "2xx" | "!5xx",
                "body_includes": deep subset of the JSON body,
                "checks": [{"path": "$.a.b[0]", "equals"|"equals_ci"|"absent"|"absent_or_empty"|
                            "exists"|"type"|"len"|"gte"|"lte"|"regex"|"in"|"contains"|
                            "not_contains"|"len_gte"|"sorted"|"no_nulls": ...}],
                "headers": {"Content-Type": "regex"},
                "if_body": true  (body checks only when a body came),
                "max_ms": 5000 }

In a body, ["$times", N, item] stands for N items (with ${n} = 1..N), and in any string
${repeat:TEXT:N} stands for TEXT written N times.

Variables: ${rand} (unique for each trace), ${uuid1}..${uuid9}, ${base_url}, ${token},
${now}, ${i}, ${token_url}, ${client_id}, ${client_secret}, everything captured, and the trace's vars.

JSON paths: $.a.b, $['urn:...'].x, [0], [-1], [type=work] (first element whose member
"type" equals work), [*] (all; gives a list).

Every resource a trace created (201 on POST /Users, /Groups, or in a bulk response) is
deleted at the end of the trace unless --keep is given.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import fnmatch
import glob
import http.client
import json
import os
import re
import ssl
import sys
import time
import traceback
import urllib.parse
import uuid

import requests

SCIM_CT = "application/scim+json"


class Failure(Exception):
    pass


# ---------------------------------------------------------------- variables
VAR = re.compile(r"\$\{([A-Za-z0-9_.\-]+)\}")


REPEAT = re.compile(r"\$\{repeat:(.+?):(\d+)\}", re.S)


def subst(value, env):
    if isinstance(value, str):
        if "${repeat:" in value:
            value = REPEAT.sub(lambda m: m.group(1) * int(m.group(2)), value)
        if "${n}" in value and "n" in env:
            value = value.replace("${n}", env["n"])
        whole = VAR.fullmatch(value)
        if whole and whole.group(1) in env:
            return env[whole.group(1)]

        def one(m):
            key = m.group(1)
            if key not in env:
                raise Failure(f"variable ${{{key}}} is not set (an earlier step gave no value)")
            v = env[key]
            return v if isinstance(v, str) else json.dumps(v)

        return VAR.sub(one, value)
    if isinstance(value, list):
        if len(value) == 3 and value[0] == "$times":  # ["$times", N, item]: N items, ${n} = 1..N
            return [subst(value[2], {**env, "n": str(n)}) for n in range(1, value[1] + 1)]
        return [subst(v, env) for v in value]
    if isinstance(value, dict):
        return {subst(k, env) if isinstance(k, str) else k: subst(v, env) for k, v in value.items()}
    return value


# ---------------------------------------------------------------- json path
TOKEN = re.compile(
    r"""\.(?P<name>[A-Za-z_$][A-Za-z0-9_$\-]*)      # .name
      | \[\s*'(?P<q>[^']*)'\s*\]                    # ['name']
      | \[\s*(?P<idx>-?\d+)\s*\]                    # [0]
      | \[\s*(?P<star>\*)\s*\]                      # [*]
      | \[\s*(?P<fk>[A-Za-z_$]+)\s*=\s*(?P<fv>[^\]]*)\]  # [type=work]
    """,
    re.X,
)
MISSING = object()


def jget(doc, path):
    if not path.startswith("$"):
        raise Failure(f"bad path {path}")
    pos, cur = 1, doc
    while pos < len(path):
        m = TOKEN.match(path, pos)
        if not m:
            raise Failure(f"bad path {path} at {pos}")
        pos = m.end()
        if m.group("star"):
            rest = "$" + path[pos:]
            if not isinstance(cur, list):
                return MISSING
            out = [jget(x, rest) for x in cur]
            return [x for x in out if x is not MISSING]
        if m.group("idx") is not None:
            i = int(m.group("idx"))
            if not isinstance(cur, list) or not (-len(cur) <= i < len(cur)):
                return MISSING
            cur = cur[i]
            continue
        if m.group("fk"):
            if not isinstance(cur, list):
                return MISSING
            k, want = m.group("fk"), m.group("fv").strip()
            for x in cur:
                if isinstance(x, dict) and k in x:
                    have = x[k]
                    have = have if isinstance(have, str) else json.dumps(have)
                    if have == want:
                        cur = x
                        break
            else:
                return MISSING
            continue
        key = m.group("name") if m.group("name") is not None else m.group("q")
        if not isinstance(cur, dict) or key not in cur:
            return MISSING
        cur = cur[key]
    return cur


def includes(actual, expected):
    """Deep subset. In lists each expected item must be found in some actual item."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(k in actual and includes(actual[k], v) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(actual, list) and all(any(includes(a, e) for a in actual) for e in expected)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return actual is expected
    return actual == expected


def where(actual, expected, at="$"):
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return f"{at}: expected an object, got {short(actual)}"
        for k, v in expected.items():
            if k not in actual:
                return f"{at}.{k}: missing (expected {short(v)})"
            if not includes(actual[k], v):
                return where(actual[k], v, f"{at}.{k}")
    if isinstance(expected, list) and isinstance(actual, list):
        for e in expected:
            if not any(includes(a, e) for a in actual):
                return f"{at}: no element includes {short(e)}; got {short(actual)}"
    return f"{at}: expected {short(expected)}, got {short(actual)}"


def short(v, n=240):
    try:
        s = v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
    except (TypeError, ValueError):
        s = repr(v)
    return s if len(s) <= n else s[: n - 1] + "…"


TYPES = {"str": str, "string": str, "int": int, "bool": bool, "list": list, "dict": dict, "object": dict, "array": list}


def empty(v):
    return v is MISSING or v is None or v == "" or v == [] or v == {} or (
        isinstance(v, dict) and all(empty(x) for x in v.values())
    )


def nulls(v, at):
    if v is None:
        return at
    items = v.items() if isinstance(v, dict) else enumerate(v) if isinstance(v, list) else ()
    for k, x in items:
        bad = nulls(x, f"{at}.{k}")
        if bad:
            return bad
    return None


def check(doc, c):
    path = c["path"]
    v = jget(doc, path)
    if c.get("no_nulls"):
        bad = nulls(v, path)
        if bad:
            raise Failure(f"null value at {bad}")
        return
    if c.get("absent"):
        if v is not MISSING and v is not None:
            raise Failure(f"{path} should be absent, got {short(v)}")
        return
    if c.get("absent_or_empty"):
        if not empty(v):
            raise Failure(f"{path} should be absent or empty, got {short(v)}")
        return
    if c.get("falsy_or_absent"):
        if v is not MISSING and v:
            raise Failure(f"{path} should be false or absent, got {short(v)}")
        return
    if "not_contains" in c:
        if isinstance(v, list) and any(includes(x, c["not_contains"]) for x in v):
            raise Failure(f"{path} should not contain {short(c['not_contains'])}, got {short(v)}")
        if isinstance(v, str) and c["not_contains"] in v:
            raise Failure(f"{path} should not contain {short(c['not_contains'])}")
        return
    if "len" in c and c["len"] == 0 and v is MISSING:
        return
    if v is MISSING:
        raise Failure(f"{path} is missing")
    if "equals" in c and not (includes(v, c["equals"]) and includes(c["equals"], v)):
        raise Failure(f"{path}: expected {short(c['equals'])}, got {short(v)}")
    if "equals_ci" in c and str(v).lower() != str(c["equals_ci"]).lower():
        raise Failure(f"{path}: expected {short(c['equals_ci'])} (any case), got {short(v)}")
    if "not_equals" in c and v == c["not_equals"]:
        raise Failure(f"{path}: should differ from {short(v)}")
    if "type" in c:
        t = TYPES[c["type"]]
        if not isinstance(v, t) or (t is int and isinstance(v, bool)):
            raise Failure(f"{path}: expected type {c['type']}, got {short(v)}")
    if "len" in c and (not hasattr(v, "__len__") or len(v) != c["len"]):
        raise Failure(f"{path}: expected length {c['len']}, got {short(v)}")
    if "len_gte" in c and (not hasattr(v, "__len__") or len(v) < c["len_gte"]):
        raise Failure(f"{path}: expected length >= {c['len_gte']}, got {short(v)}")
    if "len_lte" in c and (not hasattr(v, "__len__") or len(v) > c["len_lte"]):
        raise Failure(f"{path}: expected length <= {c['len_lte']}, got {short(v)}")
    if "gte" in c and not (isinstance(v, (int, float)) and v >= c["gte"]):
        raise Failure(f"{path}: expected >= {c['gte']}, got {short(v)}")
    if "lte" in c and not (isinstance(v, (int, float)) and v <= c["lte"]):
        raise Failure(f"{path}: expected <= {c['lte']}, got {short(v)}")
    if "regex" in c and not re.search(c["regex"], v if isinstance(v, str) else json.dumps(v)):
        raise Failure(f"{path}: {short(v)} does not match /{c['regex']}/")
    if "in" in c and v not in c["in"]:
        raise Failure(f"{path}: expected one of {short(c['in'])}, got {short(v)}")
    if "contains" in c:
        ok = any(includes(x, c["contains"]) for x in v) if isinstance(v, list) else (
            isinstance(v, str) and str(c["contains"]) in v)
        if not ok:
            raise Failure(f"{path}: does not contain {short(c['contains'])}; got {short(v)}")
    if "sorted" in c:
        keys = [str(x).lower() for x in v]
        want = sorted(keys, reverse=c["sorted"] == "descending")
        if keys != want:
            raise Failure(f"{path}: not sorted {c['sorted']}: {short(v)}")


def status_ok(status, want):
    if want is None:
        return True
    if isinstance(want, list):
        return any(status_ok(status, w) for w in want)
    if isinstance(want, int):
        return status == want
    if want.startswith("!"):
        return not status_ok(status, want[1:])
    if want.endswith("xx"):
        return status // 100 == int(want[0])
    return status == int(want)


def raw_request(method, url, headers, data, timeout, verify):
    """Like requests, but the target goes out byte for byte."""
    u = re.match(r"(https?)://([^/?#]+)(.*)", url, re.S)
    scheme, netloc, target = u.group(1), u.group(2), u.group(3) or "/"
    if scheme == "https":
        ctx = ssl.create_default_context() if verify else ssl._create_unverified_context()
        conn = http.client.HTTPSConnection(netloc, timeout=timeout, context=ctx)
    else:
        conn = http.client.HTTPConnection(netloc, timeout=timeout)
    try:
        conn.request(method, target, body=data, headers={k: v for k, v in headers.items() if v is not None})
        got = conn.getresponse()
        r = requests.Response()
        r.status_code = got.status
        r._content = got.read()
        for k, v in got.getheaders():
            r.headers[k] = v
        return r
    except (OSError, http.client.HTTPException) as e:
        raise requests.ConnectionError(str(e)) from e
    finally:
        conn.close()


# ---------------------------------------------------------------- the runner
class Runner:
    def __init__(self, args):
        self.args = args
        self.base = args.base_url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = not args.insecure
        self.requests = 0

    def send(self, step, env):
        step = subst({k: v for k, v in step.items() if k not in ("expect", "capture")}, env)
        path = step.get("path", "")
        url = path[1:] if path.startswith("=") else self.base + path
        q = step.get("query")
        if q:
            url += ("&" if "?" in url else "?") + urllib.parse.urlencode(
                q, quote_via=urllib.parse.quote, safe="")
        if step.get("raw_query"):
            url += ("&" if "?" in url else "?") + step["raw_query"]
        headers = {"Accept": SCIM_CT, "User-Agent": "scim-trace-replay/1"}
        data = None
        if "form" in step:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Accept"] = "application/json"
            data = urllib.parse.urlencode(step["form"]).encode()
        elif "raw_body" in step:
            headers["Content-Type"] = SCIM_CT
            rb = step["raw_body"]
            data = rb.encode("utf-8", "surrogateescape") if isinstance(rb, str) else json.dumps(rb).encode()
        elif "raw_body_hex" in step:
            headers["Content-Type"] = SCIM_CT
            data = bytes.fromhex(step["raw_body_hex"])
        elif "body" in step:
            headers["Content-Type"] = SCIM_CT
            data = json.dumps(step["body"]).encode()
        auth = step.get("auth", "default")
        if auth == "default":
            if self.args.token:
                headers["Authorization"] = f"Bearer {self.args.token}"
        elif auth == "bad":
            headers["Authorization"] = "Bearer not-the-token-" + env["rand"]
        elif auth == "basic":
            import base64

            headers["Authorization"] = "Basic " + base64.b64encode((self.args.basic or ":").encode()).decode()
        elif auth == "client":
            import base64

            pair = ":".join(urllib.parse.quote(env[k], safe="") for k in ("client_id", "client_secret"))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif auth.startswith("raw:"):
            headers["Authorization"] = auth[4:]
        for k, v in (step.get("headers") or {}).items():
            for have in [h for h in headers if h.lower() == k.lower()]:
                del headers[have]
            if v is not None:
                headers[k] = v
            elif k.lower() in ("accept", "user-agent", "accept-encoding"):
                headers[k] = None
        for h in self.args.header or []:
            k, _, v = h.partition(":")
            headers[k.strip()] = v.strip()
        self.requests += 1
        t0 = time.monotonic()
        if step.get("raw_target"):
            r = raw_request(step["method"], url, headers, data, self.args.timeout, self.session.verify)
            r.ms = (time.monotonic() - t0) * 1000
            return r, step, url
        r = self.session.request(step["method"], url, headers=headers, data=data,
                                 timeout=self.args.timeout, allow_redirects=False)
        r.ms = (time.monotonic() - t0) * 1000
        return r, step, url

    def verify(self, raw_step, env, r):
        exp = subst(raw_step.get("expect") or {}, env)
        cap = subst(raw_step.get("capture") or {}, env)
        wants_body = "body_includes" in exp or "checks" in exp
        doc, not_json, lost = MISSING, False, None
        if r.content:
            try:
                doc = r.json()
            except ValueError:
                not_json = True
        for name, p in cap.items():  # first, so that later steps have the values even after a failed check
            if p.startswith("header:"):
                env[name] = r.headers.get(p[7:], "")
            elif p == "status":
                env[name] = r.status_code
            else:
                v = jget(doc, p) if doc is not MISSING else MISSING
                if v is MISSING:
                    lost = lost or f"status {r.status_code}: cannot capture {name} from {p}"
                else:
                    env[name] = v
        if "status" in exp and not status_ok(r.status_code, exp["status"]):
            raise Failure(f"status {r.status_code}, expected {exp['status']}; body {short(r.text or '')}")
        if not_json and (wants_body or lost):
            raise Failure(f"status {r.status_code}: the body is not JSON: {short(r.text)}")
        for k, rx in (exp.get("headers") or {}).items():
            have = r.headers.get(k)
            if rx is None:
                if have is not None:
                    raise Failure(f"header {k} should be absent, got {have}")
            elif have is None:
                raise Failure(f"header {k} is missing")
            elif not re.search(rx, have, re.I):
                raise Failure(f"header {k}: {have!r} does not match /{rx}/")
        if exp.get("max_ms") and r.ms > exp["max_ms"]:
            raise Failure(f"took {r.ms:.0f} ms, more than {exp['max_ms']}")
        if wants_body and doc is MISSING:
            if not exp.get("if_body"):
                raise Failure(f"status {r.status_code}: a JSON body was expected, none came")
        elif wants_body:
            if "body_includes" in exp and not includes(doc, exp["body_includes"]):
                raise Failure("body: " + where(doc, exp["body_includes"]))
            for c in exp.get("checks", []):
                check(doc, c)
        if lost:
            raise Failure(lost)

    def remember(self, r, step, url, created):
        try:
            p = urllib.parse.urlsplit(url).path.rstrip("/")
            base = urllib.parse.urlsplit(self.base).path.rstrip("/")
            rel = p[len(base):] if p.startswith(base) else p
            if step["method"] == "POST" and r.status_code in (200, 201) and re.fullmatch(r"/[A-Za-z]+", rel) \
                    and rel.lower() not in ("/bulk",):
                rid = r.json().get("id")
                if rid:
                    created.append(f"{rel}/{urllib.parse.quote(str(rid), safe='')}")
            elif rel.lower() == "/bulk" and r.status_code == 200:
                for op in r.json().get("Operations", []):
                    if str(op.get("method", "")).upper() == "POST" and str(op.get("status")).startswith("2"):
                        loc = op.get("location") or ""
                        m = re.search(r"/(Users|Groups)/[^/?#]+$", loc)
                        if m:
                            created.append(m.group(0))
        except Exception:
            pass

    def step(self, raw, env, created):
        if raw.get("sleep"):
            time.sleep(float(raw["sleep"]))
        if "parallel" in raw:
            with concurrent.futures.ThreadPoolExecutor(max_workers=len(raw["parallel"])) as pool:
                futs = [(s, pool.submit(self.send, s, dict(env))) for s in raw["parallel"]]
                results = [(s, f.result()) for s, f in futs]
            for s, (r, done, url) in results:
                self.remember(r, done, url, created)
                self.verify(s, env, r)
            return
        for i in range(1, int(raw.get("repeat", 1)) + 1):
            env["i"] = str(i)
            r, done, url = self.send(raw, env)
            if self.args.verbose:
                print(f"      {done['method']} {url} -> {r.status_code} ({r.ms:.0f} ms)")
                if self.args.verbose > 1 and r.text:
                    print("        " + short(r.text, 1200))
            self.remember(r, done, url, created)
            self.verify(raw, env, r)

    def trace(self, t):
        env = {
            "rand": uuid.uuid4().hex[:10],
            "base_url": self.base,
            "token": self.args.token or "",
            "now": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "token_url": self.args.token_url or "",
            "client_id": self.args.client_id or "",
            "client_secret": self.args.client_secret or "",
        }
        for i in range(1, 10):
            env[f"uuid{i}"] = str(uuid.uuid4())
        created, warnings, fails, n = [], [], [], 0
        try:
            for k, v in (t.get("vars") or {}).items():
                env[k] = subst(v, env)
            for n, s in enumerate(t["steps"], 1):
                try:
                    self.step(s, env, created)
                except Failure as e:
                    if s.get("optional"):
                        warnings.append(f"step {n} ({s.get('note', '')}): {e}")
                        continue
                    if self.args.keep_going:
                        label = s.get("note") or f"{s.get('method', '')} {s.get('path', '')}"
                        fails.append(f"step {n}/{len(t['steps'])} [{label}]: {e}")
                        continue
                    raise
            if fails:
                return "FAIL", "\n      ".join(fails), warnings
            return "PASS", None, warnings
        except Failure as e:
            s = t["steps"][n - 1] if n else {}
            label = s.get("note") or f"{s.get('method', '')} {s.get('path', '')}"
            return "FAIL", f"step {n}/{len(t['steps'])} [{label}]: {e}", warnings
        except requests.RequestException as e:
            s = t["steps"][n - 1] if n else {}
            return "FAIL", f"step {n}/{len(t['steps'])} [{s.get('note', '')}]: no response: {short(str(e), 200)}", warnings
        except Exception as e:  # a broken trace must not stop the run
            if self.args.verbose:
                traceback.print_exc()
            return "FAIL", f"step {n}: runner error {type(e).__name__}: {short(str(e), 200)}", warnings
        finally:
            if not self.args.keep:
                for rel in reversed(created):
                    try:
                        h = {"Authorization": f"Bearer {self.args.token}"} if self.args.token else {}
                        self.session.delete(self.base + rel, headers=h, timeout=self.args.timeout)
                    except requests.RequestException:
                        pass


def load(args):
    pats = args.traces or [os.path.join(os.path.dirname(os.path.abspath(__file__)), "traces", "*.json")]
    files = []
    for p in pats:
        files += [os.path.join(p, f) for f in sorted(os.listdir(p)) if f.endswith(".json")] if os.path.isdir(p) else sorted(glob.glob(p))
    out = []
    for f in files:
        with open(f, encoding="utf-8") as fh:
            try:
                t = json.load(fh)
            except ValueError as e:
                t = {"name": os.path.basename(f), "client": "?", "steps": [], "broken": str(e)}
        t["_file"] = f
        out.append(t)
    if args.only:
        out = [t for t in out if any(fnmatch.fnmatch(t["name"], o) or fnmatch.fnmatch(os.path.basename(t["_file"]), o)
                                     for o in args.only)]
    if args.client:
        out = [t for t in out if t.get("client") in args.client]
    if args.tag:
        out = [t for t in out if set(args.tag) & set(t.get("tags", []))]
    if args.not_tag:
        out = [t for t in out if not set(args.not_tag) & set(t.get("tags", []))]
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--base-url", required=True, help="SCIM base, such as http://127.0.0.1:8080/scim/v2")
    ap.add_argument("--token", default=os.environ.get("SCIM_TOKEN", ""), help="bearer token ($SCIM_TOKEN)")
    ap.add_argument("--basic", help="user:password, for the traces that need it")
    ap.add_argument("--token-url", help="OAuth token endpoint, for the client-credentials traces")
    ap.add_argument("--client-id")
    ap.add_argument("--client-secret")
    ap.add_argument("--header", action="append", help="extra header 'Name: value' on every request")
    ap.add_argument("--only", action="append", help="trace name or file pattern (repeatable)")
    ap.add_argument("--client", action="append", help="only these clients: entra, okta, google, ...")
    ap.add_argument("--tag", action="append", help="only traces with one of these tags")
    ap.add_argument("--not-tag", action="append", help="no traces with one of these tags")
    ap.add_argument("--list", action="store_true", help="list the traces and stop")
    ap.add_argument("--keep", action="store_true", help="do not delete what the traces created")
    ap.add_argument("--keep-going", action="store_true", help="go on in a trace after a failed step and report every failure")
    ap.add_argument("--timeout", type=float, default=30)
    ap.add_argument("--insecure", action="store_true", help="do not verify TLS certificates")
    ap.add_argument("--json", help="write the results to this file")
    ap.add_argument("-v", "--verbose", action="count", default=0)
    ap.add_argument("-q", "--quiet", action="store_true", help="failures and totals only")
    ap.add_argument("traces", nargs="*", help="trace files, patterns or folders (default: traces/*.json here)")
    args = ap.parse_args()

    traces = load(args)
    if args.list:
        for t in traces:
            print(f"{t['name']:<44} {t.get('client', '?'):<10} {','.join(t.get('tags', []))}")
        print(f"{len(traces)} traces")
        return 0
    if not traces:
        print("no trace matches", file=sys.stderr)
        return 2
    have = {"basic": args.basic, "token_url": args.token_url, "client_id": args.client_id,
            "client_secret": args.client_secret, "token": args.token}
    run, results, t0 = Runner(args), [], time.monotonic()
    for t in traces:
        missing = [r for r in t.get("requires", []) if not have.get(r)]
        if t.get("broken"):
            res, why, warns = "FAIL", "trace file is not JSON: " + t["broken"], []
        elif missing:
            res, why, warns = "SKIP", "needs " + ", ".join("--" + m.replace("_", "-") for m in missing), []
        else:
            res, why, warns = run.trace(t)
        results.append({"name": t["name"], "client": t.get("client"), "tags": t.get("tags", []), "result": res,
                        "why": why, "warnings": warns})
        if not args.quiet or res == "FAIL":
            print(f"{res}  {t['name']}" + (f"\n      {why}" if why else ""))
            for w in warns if not args.quiet else []:
                print(f"      warning: {w}")
        sys.stdout.flush()
    by = {}
    for r in results:
        c = by.setdefault(r["client"] or "?", {"PASS": 0, "FAIL": 0, "SKIP": 0})
        c[r["result"]] += 1
    print("-" * 60)
    for c in sorted(by):
        print(f"{c:<12} pass {by[c]['PASS']:>3}  fail {by[c]['FAIL']:>3}  skip {by[c]['SKIP']:>3}")
    tot = {k: sum(1 for r in results if r["result"] == k) for k in ("PASS", "FAIL", "SKIP")}
    print(f"TOTAL {len(results)} traces: {tot['PASS']} passed, {tot['FAIL']} failed, {tot['SKIP']} skipped; "
          f"{run.requests} requests in {time.monotonic() - t0:.1f} s")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as fh:
            json.dump({"totals": tot, "results": results}, fh, indent=1, ensure_ascii=False)
    return 1 if tot["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
