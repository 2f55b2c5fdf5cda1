#!/usr/bin/env bash
# Zabbix's web pages, monitoring: reads the name from a header on /index_http.php only, then keeps a session of its own, with PostgreSQL;
# has a JSON-RPC API. No Zabbix server runs.
# {"url", "admin", "password", "ZABBIX_TOKEN"}; the API is at URL/api_jsonrpc.php.
# Header: X-Forwarded-User becomes REMOTE_USER, as a web server in front does it. Unknown people are refused.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages php-cli php-pgsql php-mbstring php-gd php-xml php-bcmath
package=$(foreign_debian_packages bookworm zabbix zabbix-frontend-php=1:6.0.14+dfsg-1 zabbix-server-pgsql fonts-dejavu-core)
start_beside postgres
database=${beside#*@} database=${database%/*}
token=$(printf 'zabbix-api-token' | sha256sum | cut -c 1-64)

mkdir -p "$data/zabbix"
cp -a "$package/usr/share/zabbix/." "$data/zabbix"
sed -i "s|/etc/zabbix/zabbix.conf.php|$data/zabbix.conf.php|" "$data/zabbix/include/classes/core/CConfigFile.php"
cat >"$data/zabbix.conf.php" <<PHP
<?php
\$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '${database%:*}', 'PORT' => '${database#*:}', 'DATABASE' => 'postgres', 'USER' => 'postgres',
    'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'KEY_FILE' => '', 'CERT_FILE' => '', 'CA_FILE' => '', 'VERIFY_HOST' => false,
    'CIPHER_LIST' => '', 'VAULT_URL' => '', 'VAULT_DB_PATH' => '', 'VAULT_TOKEN' => '', 'DOUBLE_IEEE754' => true];
\$ZBX_SERVER_NAME = 'Test';
\$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
PHP
# shellcheck disable=SC2016  # PHP's variables
echo '<?php if (isset($_SERVER["HTTP_X_FORWARDED_USER"])) { $_SERVER["REMOTE_USER"] = $_SERVER["HTTP_X_FORWARDED_USER"]; }' >"$data/header.php"

psql=("$tools/postgresql/psql" -q --set ON_ERROR_STOP=1 "$beside")
if [[ $("${psql[@]}" -Atc "select count(*) from pg_tables where schemaname = 'public'") == 0 ]]; then
  for part in schema images data; do
    gunzip -c "$package/usr/share/zabbix-server-pgsql/$part.sql.gz" | "${psql[@]}" >/dev/null 2>>"$log" || complain "cannot fill its tables: $part"
  done
  "${psql[@]}" 2>>"$log" <<SQL || complain 'cannot set it up'
update config set http_auth_enabled = 1;
insert into token (tokenid, name, description, userid, token, lastaccess, status, expires_at, created_at)
  values (1, 'sidegate', '', 1, encode(sha512('$token'), 'hex'), 0, 0, 0, 0);
SQL
fi
start php -d auto_prepend_file="$data/header.php" -d display_errors=0 -d max_execution_time=300 -S "127.0.0.1:$port" -t "$data/zabbix"
credentials="\"admin\":\"Admin\",\"password\":\"zabbix\",\"ZABBIX_TOKEN\":\"$token\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/index.php"
