#!/usr/bin/env bash
# Radicale, a calendar and contacts server: reads X-Remote-User on every request; has no accounts and no user API.
# {"url"}. PROPFIND / answers with the person's own address, so curl sees who is signed in; people see it at URL/.web/.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment radicale)

cat >"$data/config" <<CONFIG
[server]
hosts = 127.0.0.1:$port
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = $data/collections
CONFIG
start "$environment/bin/python" -m radicale --config "$data/config"
serve "{\"url\":\"http://127.0.0.1:$port\"}" answers "http://127.0.0.1:$port/.web/"
