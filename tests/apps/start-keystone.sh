#!/usr/bin/env bash
# Keystone, OpenStack's identity service: an API without pages, with SQLite; signs in by POST URL/v3/auth/tokens.
# {"url", "admin", "password", "KEYSTONE_PASSWORD"}; the API is at URL/v3 with a token of the administrator.
# Header: X-Forwarded-User becomes REMOTE_USER, as a web server in front does it; its "external" method believes that.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
environment=$(python_environment keystone)
password=admin1234

mkdir -p "$data/fernet" "$data/credential"
cat >"$data/keystone.conf" <<CONFIG
[database]
connection = sqlite:///$data/keystone.db
[fernet_tokens]
key_repository = $data/fernet
[credential]
key_repository = $data/credential
[auth]
methods = external,password,token
[cache]
enabled = false
[oslo_policy]
enforce_scope = false
CONFIG
manage() {
  "$environment/bin/python" -c 'import keystone.cmd.manage as it; it.main()' --config-file "$data/keystone.conf" "$@" >>"$log" 2>&1 || complain "$1 failed"
}
if [[ ! -e $data/keystone.db ]]; then
  manage db_sync
  owner=(--keystone-user "$(id -un)" --keystone-group "$(id -gn)")
  manage fernet_setup "${owner[@]}"
  manage credential_setup "${owner[@]}"
  manage bootstrap --bootstrap-password "$password" --bootstrap-region-id here --bootstrap-public-url "http://127.0.0.1:$port/v3/"
fi
cat >"$data/serve.py" <<'PYTHON'
import sys

folder, port = sys.argv[1:]
sys.argv = ["keystone", "--config-file", folder + "/keystone.conf"]
from keystone.server.wsgi import initialize_public_application
from waitress import serve

keystone = initialize_public_application()


def behind_a_proxy(environ, start_response):
    user = environ.pop("HTTP_X_FORWARDED_USER", None)
    if user:
        environ["REMOTE_USER"] = user
    return keystone(environ, start_response)


serve(behind_a_proxy, host="127.0.0.1", port=int(port), threads=4)
PYTHON
export OS_KEYSTONE_CONFIG_DIR=$data
cd "$data"
start "$environment/bin/python" "$data/serve.py" "$data" "$port"
credentials="\"admin\":\"admin\",\"password\":\"$password\",\"KEYSTONE_PASSWORD\":\"$password\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/v3"
