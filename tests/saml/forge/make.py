#!/usr/bin/env python3
"""Writes ../cases.jsonl.gz: what idps and attackers send, at one fixed moment. The first line has the keys and names.

    python3 -m venv /tmp/forge && /tmp/forge/bin/pip install -r requirements.txt && /tmp/forge/bin/python make.py
"""
from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import tempfile
from pathlib import Path

import cases
import core
import metadata
import more  # noqa: F401  adds its cases

NOW = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.timezone.utc)
BASE = "https://idp.example.com"
OURS = ["sp", "spold"]


def lines(c: core.Ctx):
    pem = lambda name, ext: c.keys.path(name, ext).read_text()
    yield dict(now=int(NOW.timestamp()), acs=c.acs, entity_id=c.sp, idp=c.idp, request=c.irt, canary="127.0.0.1:21999",
               certificates={n: pem(n, "crt") for n in c.keys.RSA + c.keys.EC}, keys={n: pem(n, "key") for n in OURS})
    for name, case in cases.CASES.items():
        field = cases.make(c, name)
        e = dict(kind="response", name=name, verdict=case.verdict, why=case.why, unsolicited=case.profile == "unsolicited-ok",
                 name_id=case.nameid or c.nameid, field=field)
        if case.steps == 2:
            e["again"] = cases.rewrap_response(field) if name == "replay_new_response_id" else field
        yield e
    for name, (verdict, why, make) in metadata.METADATA.items():
        yield dict(kind="metadata", name=name, verdict=verdict, why=why, field=base64.b64encode(make(c, BASE)).decode())
    for name, (verdict, why, make) in metadata.SLO.items():
        yield dict(kind="redirect", name=name, verdict=verdict, why=why, field=make(c))


def main():
    with tempfile.TemporaryDirectory() as folder:
        keys = core.Keys(folder, NOW)
        keys.generate()
        c = core.Ctx(keys, now=NOW, big=1024 * 1024)
        text = "".join(json.dumps(line) + "\n" for line in lines(c))
    out = Path(__file__).resolve().parent.parent / "cases.jsonl.gz"
    out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(out, len(text), out.stat().st_size)


if __name__ == "__main__":
    main()
