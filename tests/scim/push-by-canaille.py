"""Canaille as a SCIM client: its own command line, in one process, with a database that goes when it ends.

    push-by-canaille.py SCIM_BASE TOKEN      the base with a slash at the end

Prints {"ready": true}. Then each line of input, a JSON list of words such as ["create", "user", "--user-name", "bob"], is one command of
Canaille; it pushes what changed before it ends. The answer is {"code": 0, "out": what it printed, "log": what it logged}.
"""
import json
import os
import shutil
import sys
import tempfile

from click.testing import CliRunner
from flask.cli import ScriptInfo

CONFIG = """
SECRET_KEY = "only-for-tests-only-for-tests"
SERVER_NAME = "canaille.test"
[CANAILLE]
DATABASE = "sql"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.db"
[CANAILLE_SCIM]
ENABLE_CLIENT = true
"""
SINCE = "2026-01-01T00:00:00+00:00"


def main(base, token):
    folder = tempfile.mkdtemp(prefix="canaille-")
    try:
        config = os.path.join(folder, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder))
        os.environ["CANAILLE_CONFIG"] = config
        serve(base, token)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(base, token):
    from canaille.commands import cli, create_cli_app

    info = ScriptInfo(create_app=create_cli_app)

    def run(words):
        done = CliRunner().invoke(cli, words, obj=info)
        if done.exception and not isinstance(done.exception, SystemExit):
            return {"code": 1, "out": done.stdout, "log": f"{done.stderr}\n{done.exception!r}"}
        return {"code": done.exit_code, "out": done.stdout, "log": done.stderr}

    def must(*words):
        done = run(words)
        if done["code"]:
            sys.exit(f"{words}: {done['log']}")
        return done["out"]

    must("install")
    # Whoever has a client_uri is pushed to; the token is what Canaille shows there.
    client = json.loads(must(
        "create", "client", "--client-id", "sidegate", "--client-name", "sidegate", "--client-uri", base,
        "--redirect-uris", f"{base}callback", "--grant-types", "authorization_code", "--response-types", "code",
        "--scope", "openid", "--client-id-issued-at", SINCE))["id"]
    must("create", "token", "--token-id", "scim", "--access-token", token, "--client", client, "--audience", client,
         "--issue-date", SINCE, "--lifetime", "999999999", "--scope", "openid")
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
