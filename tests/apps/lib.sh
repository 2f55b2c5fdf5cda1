# Shared by the start scripts. Each prints one line of JSON with the app's `url` once it answers, runs until its stdin closes or
# it is told to stop (SIGTERM, Ctrl-C), and leaves nothing behind.
#   PORT   0, the default, takes a free one; always on 127.0.0.1
#   DATA   a folder that is kept; default is a new one that goes when the app ends
# shellcheck shell=bash
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/setup/lib.sh
. "$here/../setup/lib.sh"
"$here/../setup/packages"
exec 3<&0 # background processes get no stdin of their own

port=${PORT:-0}
if [[ $port == 0 ]]; then
  port=$("$tools/bin/node" -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
fi
unset PORT # Miniflux would listen there, on every address
mkdir -p "${DATA:-$tools/data}"
data=${DATA:-$(mktemp -d "$tools/data/$(basename "$0" .sh).XXXXXX")}
log=$data/log
: >>"$log"
app=''
helpers=()
beside=''
stop_signal=TERM
patience=60 # seconds until an app that does not answer has failed

trap stop EXIT
trap 'exit 0' TERM INT HUP

# Starts the app. Should this script be killed, the kernel stops the app.
start() {
  setpriv --pdeathsig "$stop_signal" "$@" </dev/null >>"$log" 2>&1 3<&- &
  app=$!
}

# Waits until the command succeeds, prints the line of JSON, then waits for the end.
serve() {
  local json=$1 deadline=$((SECONDS + patience)) reader
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$app" 2>/dev/null || complain 'ended while starting'
    ((SECONDS < deadline)) || complain 'does not answer'
    sleep 0.1
  done
  printf '%s\n' "$json"
  cat <&3 >/dev/null &
  reader=$!
  helpers+=("$reader")
  wait -n "$app" "$reader" || true
  kill -0 "$app" 2>/dev/null || complain 'ended'
}

answers() { curl -fsS -o /dev/null --max-time 5 "$1"; }

complain() {
  tail -n 20 "$log" >&2
  fail "$*"
}

stop() {
  local process
  if [[ -n $app ]]; then kill "-$stop_signal" "$app" 2>/dev/null || true; fi
  if [[ -n $app ]]; then wait "$app" || true; fi
  for process in "${helpers[@]}"; do
    kill "$process" 2>/dev/null || true
    wait "$process" || true
  done
  if [[ -z ${DATA:-} ]]; then rm -rf "$data"; fi
}

# Installs what every start then shares: install_once NAME COMMAND… has COMMAND fill the folder that becomes $tools/NAME.
install_once() {
  local name=$1 folder=$tools/$1
  shift
  (
    flock 9
    [[ ! -e $folder ]] || exit 0
    say "installing $name"
    rm -rf "$folder.new"
    "$@" "$folder.new" >"$folder.log" 2>&1 || { tail -n 20 "$folder.log" >&2; fail "cannot install $name"; }
    mv "$folder.new" "$folder"
  ) 9>"$tools/.$name.lock"
}

# A Python environment for each state of $here/NAME-requirements.txt; prints the folder. It is moved after it was made, so what is
# in it runs as `bin/python -m`.
python_environment() {
  local requirements=$here/$1-requirements.txt name
  name=$1-$(sha256sum "$requirements" | cut -c 1-12)
  install_once "$name" make_environment "$requirements"
  echo "$tools/$name"
}
make_environment() {
  "$(python)" -m venv "$2" && retry nice "$2/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$1"
}

# Starts a server of another script here, for the app's use; its address is in $beside.
start_beside() {
  local line
  coproc BESIDE { PORT=0 DATA=${DATA:+$DATA/$1} exec "$here/start-$1.sh" 3<&-; }
  helpers+=("$BESIDE_PID")
  read -r line <&"${BESIDE[0]}" || complain "$1 did not start"
  beside=${line#*\"url\":\"} beside=${beside%%\"*}
}

# What HTTP Basic sends.
basic() { printf '%s:%s' "$1" "$2" | base64 -w 0; }
