#!/usr/bin/env bash
# Airflow's web server, workflows: reads the name from a header on /login/ only, as Latin-1, then keeps a session of its own, with SQLite;
# has a REST API.
# {"url", "admin", "AIRFLOW_BASIC"}; the API is at URL/auth/fab/v1 with HTTP Basic.
# Header: X-Forwarded-User. Unknown people are created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment airflow)
password=admin1234

cat >"$data/webserver_config.py" <<'PYTHON'
from flask_appbuilder.const import AUTH_REMOTE_USER

AUTH_TYPE = AUTH_REMOTE_USER
AUTH_REMOTE_USER_ENV_VAR = "HTTP_X_FORWARDED_USER"
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "Viewer"
WTF_CSRF_ENABLED = True
PYTHON
export AIRFLOW_HOME=$data/airflow AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=sqlite:///$data/airflow.db AIRFLOW__WEBSERVER__CONFIG_FILE=$data/webserver_config.py
export AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__EXECUTOR=SequentialExecutor AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
export AIRFLOW__CORE__AUTH_MANAGER=airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager
export AIRFLOW__API__AUTH_BACKENDS=airflow.providers.fab.auth_manager.api.auth.backend.basic_auth,airflow.api.auth.backend.session
export AIRFLOW__WEBSERVER__WORKERS=1 AIRFLOW__WEBSERVER__SECRET_KEY=secret
airflow=("$environment/bin/python" -m airflow)
if [[ ! -e $data/airflow.db ]]; then
  "${airflow[@]}" db migrate >>"$log" 2>&1 || complain 'cannot make the database'
  "${airflow[@]}" users create -u admin -p "$password" -f Ad -l Min -r Admin -e admin@example.com >>"$log" 2>&1 || complain 'cannot make its administrator'
fi
patience=180
start "${airflow[@]}" webserver --hostname 127.0.0.1 --port "$port"
credentials="\"admin\":\"admin\",\"AIRFLOW_BASIC\":\"$(basic admin "$password")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/health"
