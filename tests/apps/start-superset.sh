#!/usr/bin/env bash
# Superset, charts: has a REST API; its own sign-in page hides that of AUTH_REMOTE_USER, so its settings read the header by its hook
# FLASK_APP_MUTATOR, on every request, as Latin-1; with SQLite. The first start takes minutes: its tables are made once and kept.
# {"url", "admin", "password", "SUPERSET_USER", "SUPERSET_PASSWORD"}; the API is at URL/api/v1 with a token of URL/api/v1/security/login.
# Header: X-Forwarded-User. Unknown people are not created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment superset)
password=admin1234

export SUPERSET_HOME=$data SUPERSET_CONFIG_PATH=$data/superset_config.py DATABASE=$data/superset.db
cat >"$SUPERSET_CONFIG_PATH" <<'PYTHON'
import os

from flask import abort, request
from flask_appbuilder.const import AUTH_REMOTE_USER
from flask_login import current_user, login_user

SECRET_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef"
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["DATABASE"]
AUTH_TYPE = AUTH_REMOTE_USER
AUTH_REMOTE_USER_ENV_VAR = "HTTP_X_FORWARDED_USER"
AUTH_API_LOGIN_ALLOW_MULTIPLE_PROVIDERS = True  # its administrator's password, for the API
FAB_ADD_SECURITY_API = True
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False


def FLASK_APP_MUTATOR(app):
    @app.before_request
    def by_header():
        name = request.environ.get("HTTP_X_FORWARDED_USER")
        if name:
            user = app.appbuilder.sm.find_user(username=name)
            if not user or not user.is_active:
                abort(401)
            if current_user.is_anonymous or current_user.id != user.id:
                login_user(user)
PYTHON
superset=("$environment/bin/python" -c 'from superset.cli.main import superset; superset()')

make_tables() {
  export DATABASE=$1
  nice "${superset[@]}" db upgrade &&
  nice "${superset[@]}" fab create-admin --username admin --password "$password" --firstname Ad --lastname Min --email admin@example.com &&
  nice "${superset[@]}" init
}
tables=$(basename "$environment").db
install_once "$tables" make_tables
[[ -e $DATABASE ]] || cp "$tools/$tables" "$DATABASE"
patience=180
start "${superset[@]}" run --host 127.0.0.1 --port "$port" --with-threads
credentials="\"admin\":\"admin\",\"password\":\"$password\",\"SUPERSET_USER\":\"admin\",\"SUPERSET_PASSWORD\":\"$password\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/health"
