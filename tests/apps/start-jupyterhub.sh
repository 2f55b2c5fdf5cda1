#!/usr/bin/env bash
# JupyterHub, notebooks for many: reads the name from a header on /hub/login only, then keeps a session of its own, with SQLite; has a
# REST API. The hub alone, without the proxy that notebook servers need.
# {"url", "admin", "JUPYTERHUB_TOKEN"}; the API is at URL/hub/api.
# Header: X-Forwarded-User. Unknown people are created; admin is its administrator.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment jupyterhub)
token=jupyterhub-api-token-0123456789

cat >"$data/jupyterhub_config.py" <<PYTHON
from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from jupyterhub.proxy import Proxy
from tornado import web


class Login(BaseHandler):
    async def get(self):
        name = self.request.headers.get("X-Forwarded-User")
        user = name and await self.login_user({"name": name})
        if not user:
            raise web.HTTPError(403)
        self.redirect(self.get_next_url(user))


class ByHeader(Authenticator):
    auto_login = True
    allow_all = True
    admin_users = {"admin"}

    def get_handlers(self, app):
        return [("/login", Login)]

    async def authenticate(self, handler, data):
        return data["name"]


class NoProxy(Proxy):
    should_start = False

    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass

    async def get_all_routes(self):
        return {}


c = get_config()
c.JupyterHub.authenticator_class = ByHeader
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = "http://127.0.0.1:$port"
c.JupyterHub.db_url = "sqlite:///$data/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "$data/cookie_secret"
c.JupyterHub.services = [{"name": "sidegate", "api_token": "$token"}]
c.JupyterHub.load_roles = [{"name": "sidegate", "services": ["sidegate"], "scopes": ["admin:users", "list:users", "admin:groups", "list:groups"]}]
PYTHON
cd "$data"
start "$environment/bin/python" -m jupyterhub -f "$data/jupyterhub_config.py"
credentials="\"admin\":\"admin\",\"JUPYTERHUB_TOKEN\":\"$token\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/hub/api/"
