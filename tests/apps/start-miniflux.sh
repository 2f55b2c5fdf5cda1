#!/usr/bin/env bash
# Miniflux, a feed reader: reads the name from a header on its page / only, then keeps a session of its own; has a REST API.
# {"url", "admin", "password", "MINIFLUX_BASIC"}; the API is at URL/v1 with HTTP Basic.
#   AUTH_PROXY_HEADER         X-Forwarded-User
#   AUTH_PROXY_USER_CREATION  1: unknown people are created; 0: they are refused
#   BASE_URL                  the address that people use, when a proxy is in front
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
program=$(foreign_debian_packages trixie miniflux miniflux=2.2.6-1+b4)/usr/bin/miniflux

start_beside postgres
"$tools/postgresql/psql" -q "$beside" -c 'create extension if not exists hstore' 2>>"$log"

export DATABASE_URL="$beside?sslmode=disable" RUN_MIGRATIONS=1 DISABLE_SCHEDULER_SERVICE=1
export LISTEN_ADDR=127.0.0.1:$port BASE_URL=${BASE_URL:-http://127.0.0.1:$port}
export CREATE_ADMIN=1 ADMIN_USERNAME=admin ADMIN_PASSWORD=admin1234
export AUTH_PROXY_HEADER=${AUTH_PROXY_HEADER:-X-Forwarded-User} AUTH_PROXY_USER_CREATION=${AUTH_PROXY_USER_CREATION:-1}
export TRUSTED_REVERSE_PROXY_NETWORKS=127.0.0.1/32 # asked for from 2.3 on
start "$program"
credentials="\"admin\":\"$ADMIN_USERNAME\",\"password\":\"$ADMIN_PASSWORD\",\"MINIFLUX_BASIC\":\"$(basic "$ADMIN_USERNAME" "$ADMIN_PASSWORD")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/healthcheck"
