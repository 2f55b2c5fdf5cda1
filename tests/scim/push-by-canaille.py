"""Canaille, an identity server with pages for people and groups, that pushes each change to one client by SCIM.

    push-by-canaille.py SCIM_BASE TOKEN      the base with a slash at the end; PORT=0, the default, takes a free one

Prints {"url"} when it listens on 127.0.0.1, and ends when its stdin closes. It is Canaille's own application in the server that
`canaille run` starts, with a database that goes when it ends. An administrator, "admin" with the password "password", was pushed already.
"""
import asyncio
import datetime
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading

# The administrator's pages may change user names as well; by default they change groups and the lock, no more.
CONFIG = """
SECRET_KEY = "only-for-tests-only-for-tests"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
DATABASE = "sql"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.db"
[CANAILLE_SCIM]
ENABLE_CLIENT = true
[CANAILLE.ACL.DEFAULT]
[CANAILLE.ACL.ADMIN]
PERMISSIONS = ["manage_users", "manage_all_groups", "delete_account"]
WRITE = ["user_name", "groups", "lock_date"]
FILTER = {{ user_name = "admin" }}
"""


def main(base, token):
    listening = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "0"))))
    port = listening.getsockname()[1]
    data = os.path.join(os.path.dirname(sys.prefix), "data")  # where tests/run looks for what was killed
    os.makedirs(data, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="canaille.", dir=data) as folder:
        config = os.path.join(folder, "canaille.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=port, folder=folder))
        os.environ["CANAILLE_CONFIG"] = config
        serve(listening, base, token)


def serve(listening, base, token):
    from asgiref.wsgi import WsgiToAsgi
    from canaille.hypercorn.app import create_app
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    logging.disable(logging.WARNING - 1)
    app = create_app(wrap_asgi=False)
    with app.app_context(), app.backend.session():
        set_up(base, token)
    config = Config()
    config.loglevel = "ERROR"  # it warns of what a WSGI application has not
    config.bind = [f"fd://{listening.detach()}"]
    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps({"url": f"http://{app.config['SERVER_NAME']}"}), flush=True)
    asyncio.run(run(WsgiToAsgi(app), config))


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def set_up(base, token):
    """The client that is pushed to, the token that Canaille shows there, and the first of its people."""
    from canaille.app import models
    from canaille.backends import Backend

    now = datetime.datetime.now(datetime.timezone.utc)
    # Whoever has a `client_uri` in a trusted domain, such as localhost, is told of everybody.
    client = models.Client(
        client_id="sidegate", client_name="Sidegate", client_uri=base, client_id_issued_at=now, redirect_uris=[f"{base}callback"],
        grant_types=["authorization_code"], response_types=["code"], scope=["openid", "profile"])
    Backend.instance.save(client)
    Backend.instance.save(models.Token(
        token_id="scim", access_token=token, client=client, audience=[client], scope=["openid", "profile"], issue_date=now,
        lifetime=24 * 60 * 60))
    Backend.instance.save(models.User(
        user_name="admin", formatted_name="Admin", family_name="Admin", emails=["admin@example.com"], password="password"))


if __name__ == "__main__":
    main(*sys.argv[1:])
