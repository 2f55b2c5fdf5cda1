#!/usr/bin/env bash
# A private MariaDB of the distribution's version; user root, no password, loopback only, not safe against a power cut.
# {"url": "mysql://root@127.0.0.1:PORT"}
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages mariadb-server-core mariadb-client-core
user=$(id -un)
socket=$(mktemp -u /tmp/sidegate-mariadb.XXXXXX) # a longer path than 107 bytes is refused

[[ -e $data/mariadb/mysql ]] ||
  mariadb-install-db --no-defaults --user="$user" --datadir="$data/mariadb" --auth-root-authentication-method=normal \
    --skip-test-db >>"$log" 2>&1 || complain 'mariadb-install-db failed'
start /usr/sbin/mariadbd --no-defaults --user="$user" --datadir="$data/mariadb" --port="$port" --bind-address=127.0.0.1 --socket="$socket" \
  --innodb-flush-log-at-trx-commit=0 --pid-file="$data/pid"
serve "{\"url\":\"mysql://root@127.0.0.1:$port\"}" mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root -e "select 1"
