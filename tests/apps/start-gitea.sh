#!/usr/bin/env bash
# Forgejo, repositories, of Gitea's family: reads the name from a header when its own session does not say whom, with SQLite; has a REST API.
# No registry has its makers' release. The npm package that is taken holds version 1.21.10 as others have packed it, so it is the one
# below, byte for byte, or none; as root it runs as nobody.
# {"url", "admin", "password", "GITEA_TOKEN"}; the API is at URL/api/v1.
# Headers: X-WEBAUTH-USER, X-WEBAUTH-EMAIL, X-WEBAUTH-FULLNAME. Unknown people are not created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
version=1.21.10-0-2
sha512=ac3c624b812ca445bcb630d293222854f16d7fa7352c93f567fbc9bcf54098fa28c78be381a39f62b8f8123003229c118c350710099c5948359c216f0253e8b3
[[ $(uname -m) == x86_64 ]] || fail 'it is there for x86_64 only'
password=admin1234

make_forgejo() {
  local name=forgejo-dist-linux-x64
  mkdir "$1" && cd "$1" &&
    PATH=$tools/bin:$PATH retry npm pack --silent --ignore-scripts "$name@$version" &&
    echo "$sha512  $name-$version.tgz" | sha512sum --check --quiet &&
    tar -xzf "$name-$version.tgz" --strip-components=1 package/forgejo && rm "$name-$version.tgz"
}
install_once "forgejo-$version" make_forgejo

# It refuses to be root, and its user may not be able to enter our folders.
user=$(id -un) drop=()
work=$data/forgejo
if [[ $EUID == 0 ]]; then
  user=nobody drop=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  work=$(mktemp -d /tmp/sidegate-forgejo.XXXXXX)
  elsewhere=$work
  trap 'stop; rm -rf "$elsewhere"' EXIT
fi
mkdir -p "$work"
cp "$tools/forgejo-$version/forgejo" "$work"
cat >"$work/app.ini" <<INI
RUN_USER = $user
WORK_PATH = $work
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = $port
ROOT_URL = ${BASE_URL:-http://127.0.0.1:$port}/
DISABLE_SSH = true
SSH_ROOT_PATH = $work/ssh
SSH_CREATE_AUTHORIZED_KEYS_FILE = false
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
[security]
INSTALL_LOCK = true
SECRET_KEY = 0123456789abcdef0123456789abcdef
REVERSE_PROXY_TRUSTED_PROXIES = 127.0.0.0/8
[service]
ENABLE_REVERSE_PROXY_AUTHENTICATION = true
ENABLE_REVERSE_PROXY_EMAIL = true
ENABLE_REVERSE_PROXY_FULL_NAME = true
[cron.update_checker]
ENABLED = false
[log]
LEVEL = Warn
INI
if [[ $EUID == 0 ]]; then chown -R nobody: "$work"; fi
forgejo=("${drop[@]}" env HOME="$work" USER="$user" "$work/forgejo" --config "$work/app.ini")
if [[ ! -e $work/token ]]; then
  "${forgejo[@]}" migrate >>"$log" 2>&1 || complain 'cannot make the database'
  "${forgejo[@]}" admin user create --admin --username gitea_admin --password "$password" --email admin@example.com \
    --must-change-password=false >>"$log" 2>&1 || complain 'cannot make its administrator'
  "${forgejo[@]}" admin user generate-access-token --username gitea_admin --token-name sidegate --scopes write:admin,read:user --raw \
    >"$work/token.new" 2>>"$log" || complain 'cannot make a token'
  mv "$work/token.new" "$work/token"
fi
start "${forgejo[@]}" web
credentials="\"admin\":\"gitea_admin\",\"password\":\"$password\",\"GITEA_TOKEN\":\"$(tail -n 1 "$work/token")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/api/healthz"
