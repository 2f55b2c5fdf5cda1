#!/usr/bin/env bash
# Radicale, a calendar and contacts server: reads X-Remote-User on every request; has no accounts and no user API.
# {"url"}. PROPFIND / answers with the person's own address, so curl sees who is signed in; people see it at URL/.web/.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
requirements=$here/radicale-requirements.txt
name=radicale-$(sha256sum "$requirements" | cut -c 1-12)

make_environment() {
  python3 -m venv "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
}
install_once "$name" make_environment

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
start "$tools/$name/bin/python" -m radicale --config "$data/config"
serve "{\"url\":\"http://127.0.0.1:$port\"}" answers "http://127.0.0.1:$port/.web/"
