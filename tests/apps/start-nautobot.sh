#!/usr/bin/env bash
# Nautobot, a network's inventory, of the family of NetBox: reads the name from a header on every request, as Latin-1, with PostgreSQL;
# has a REST API. The first start takes minutes: its tables are made once and kept.
# {"url", "admin", "NAUTOBOT_TOKEN"}; the API is at URL/api/users.
# Header: X-Forwarded-User. Unknown people are created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment nautobot)
token=0123456789abcdef0123456789abcdef01234567
nautobot=("$environment/bin/python" -m nautobot.core.cli)

start_beside postgres
export NAUTOBOT_ROOT=$data NAUTOBOT_CONFIG=$data/nautobot_config.py
database=${beside#*@} database=${database%/*}
cat >"$NAUTOBOT_CONFIG" <<PYTHON
from nautobot.core.settings import *

ALLOWED_HOSTS = ["*"]
SECRET_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef0123"
INSTALLATION_METRICS_ENABLED = False
DATABASES = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": "${database%:*}", "PORT": "${database#*:}"}
}
# In place of Redis: no job runs.
CELERY_BROKER_URL = "memory://"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": "$data/cache"}}
AUTHENTICATION_BACKENDS = ["nautobot.core.authentication.RemoteUserBackend", "nautobot.core.authentication.ObjectPermissionBackend"]
REMOTE_AUTH_HEADER = "HTTP_X_FORWARDED_USER"
REMOTE_AUTH_AUTO_CREATE_USER = True
PYTHON

make_tables() {
  nice "${nautobot[@]}" migrate --no-input
  DJANGO_SUPERUSER_PASSWORD=admin1234 "${nautobot[@]}" createsuperuser --no-input --username admin --email admin@example.com
  "${nautobot[@]}" nbshell --command "
from nautobot.users.models import Token, User
Token.objects.create(user=User.objects.get(username='admin'), key='$token')"
  "$tools/postgresql/pg_dump" --file="$1" "$beside"
}
tables=$(basename "$environment")-tables.sql
install_once "$tables" make_tables
if [[ $("$tools/postgresql/psql" -Atc "select count(*) from pg_tables where schemaname = 'public'" "$beside") == 0 ]]; then
  "$tools/postgresql/psql" -q --set ON_ERROR_STOP=1 --file="$tools/$tables" "$beside" >>"$log" 2>&1 || complain 'cannot fill its tables'
fi
patience=180
start "${nautobot[@]}" runserver "127.0.0.1:$port" --noreload --insecure
credentials="\"admin\":\"admin\",\"NAUTOBOT_TOKEN\":\"$token\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/login/"
