#!/usr/bin/env bash
# A private PostgreSQL of the distribution's version; user postgres, no password, loopback only, not safe against a power cut.
# {"url": "postgres://postgres@127.0.0.1:PORT/postgres"}
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
bin=$tools/postgresql
stop_signal=INT # fast shutdown

# The server refuses to be root, and its user may not be able to enter our folder.
as_user=(env)
database=$data/postgresql
if [[ $EUID == 0 ]]; then
  as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  if ! "${as_user[@]}" test -x "$data"; then
    chmod 711 "$data"
  fi
  if ! "${as_user[@]}" test -x "$data"; then
    database=$(mktemp -d /tmp/sidegate-postgresql.XXXXXX)
    elsewhere=$database
    trap 'stop; rm -rf "$elsewhere"' EXIT
  fi
  mkdir -p "$database"
  chown postgres: "$database"
fi

cd /
[[ -e $database/PG_VERSION ]] ||
  "${as_user[@]}" "$bin/initdb" -D "$database" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >>"$log" 2>&1 || complain 'initdb failed'
start "${as_user[@]}" "$bin/postgres" -D "$database" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c max_connections=200 -c fsync=off -c synchronous_commit=off -c full_page_writes=off
serve "{\"url\":\"postgres://postgres@127.0.0.1:$port/postgres\"}" "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"
