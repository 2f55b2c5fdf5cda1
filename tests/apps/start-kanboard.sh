#!/usr/bin/env bash
# Kanboard, a project board: reads the name from a header on every request, with SQLite; has a JSON-RPC API.
# {"url", "admin", "password", "KANBOARD_BASIC"}; the API is at URL/jsonrpc.php with HTTP Basic.
# Headers: X-Forwarded-User, X-Forwarded-Email, X-Forwarded-Name. Unknown people are created; admin is its administrator.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages php-cli php-sqlite3 php-xml php-gd php-mbstring php-christianriesen-otp composer php-eluceo-ical php-parsedown \
  php-gregwar-captcha php-matthiasmullie-minify php-pimple php-psr-log php-swiftmailer php-symfony-console php-symfony-event-dispatcher \
  php-symfony-event-dispatcher-contracts php-symfony-finder php-symfony-service-contracts php-symfony-string \
  php-symfony-deprecation-contracts libjs-jquery-ui fonts-font-awesome
package=$(foreign_debian_package sid kanboard '1.2.51+ds-2')
ln -sfn /usr/share/javascript /usr/share/fonts-font-awesome "$package/usr/share/" # its links lead there

token=kanboard-api-token
export DATA_DIR=$data/kanboard PLUGINS_DIR=$data/plugins LOG_DRIVER=stderr MAIL_TRANSPORT=test API_AUTHENTICATION_TOKEN=$token
export REVERSE_PROXY_AUTH=true REVERSE_PROXY_DEFAULT_ADMIN=admin TRUSTED_PROXY_NETWORKS=127.0.0.0/8
export REVERSE_PROXY_USER_HEADER=HTTP_X_FORWARDED_USER REVERSE_PROXY_EMAIL_HEADER=HTTP_X_FORWARDED_EMAIL
export REVERSE_PROXY_FULLNAME_HEADER=HTTP_X_FORWARDED_NAME
mkdir -p "$DATA_DIR/files" "$DATA_DIR/cache" "$PLUGINS_DIR"
start php -S "127.0.0.1:$port" -t "$package/usr/share/kanboard"
credentials="\"admin\":\"admin\",\"password\":\"admin\",\"KANBOARD_BASIC\":\"$(basic jsonrpc "$token")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/"
