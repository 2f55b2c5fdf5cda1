#!/usr/bin/env bash
# Kanboard, a project board: reads the name from a header on every request, with SQLite; has a JSON-RPC API.
# {"url", "admin", "password", "KANBOARD_BASIC"}; the API is at URL/jsonrpc.php with HTTP Basic.
# Headers: X-Forwarded-User, X-Forwarded-Email, X-Forwarded-Name. Unknown people are created; admin is its administrator.
#   HEADER_SIGN_IN  true; false: its own form alone
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages php-cli php-sqlite3 php-xml php-gd php-mbstring
package=$(foreign_debian_packages sid kanboard kanboard=1.2.51+ds-2)
libraries=$(foreign_debian_packages bookworm kanboard php-pimple php-psr-container php-psr-log php-psr-event-dispatcher \
  php-symfony-event-dispatcher php-symfony-event-dispatcher-contracts php-symfony-console php-symfony-service-contracts \
  php-symfony-deprecation-contracts php-symfony-string php-symfony-finder php-parsedown php-christianriesen-otp \
  php-christianriesen-base32 php-eluceo-ical php-gregwar-captcha composer libjs-jquery-ui fonts-font-awesome)/usr/share

# Its package looks for libraries in /usr/share/php; ours are found by the names of their classes.
make_kanboard() {
  mkdir -p "$1/share"
  cp -a "$package/usr/share/kanboard" "$libraries"/{fonts-font-awesome,fonts,javascript} "$1/share" # its links lead to these
  sed -i "/^require_once '\/usr\/share\/php/d" "$1/share/kanboard/vendor/autoload.php"
  cat >"$1/libraries.php" <<PHP
<?php
spl_autoload_register(function (\$class) {
    \$file = '$libraries/php/' . str_replace('\\\\', '/', \$class) . '.php';
    is_file(\$file) && require \$file;
});
require '$libraries/php/Parsedown/Parsedown.php';
require '$libraries/php/Symfony/Contracts/Deprecation/function.php';
PHP
}
install_once kanboard-1 make_kanboard
kanboard=$tools/kanboard-1

token='kanboard-api-token'
export DATA_DIR=$data/kanboard PLUGINS_DIR=$data/plugins LOG_DRIVER=stderr MAIL_TRANSPORT=test API_AUTHENTICATION_TOKEN=$token
export REVERSE_PROXY_AUTH=${HEADER_SIGN_IN:-true} REVERSE_PROXY_DEFAULT_ADMIN=admin TRUSTED_PROXY_NETWORKS=127.0.0.0/8
export REVERSE_PROXY_USER_HEADER=HTTP_X_FORWARDED_USER REVERSE_PROXY_EMAIL_HEADER=HTTP_X_FORWARDED_EMAIL
export REVERSE_PROXY_FULLNAME_HEADER=HTTP_X_FORWARDED_NAME
mkdir -p "$DATA_DIR/files" "$DATA_DIR/cache" "$PLUGINS_DIR"
start php -d auto_prepend_file="$kanboard/libraries.php" -d display_errors=0 -S "127.0.0.1:$port" -t "$kanboard/share/kanboard"
credentials="\"admin\":\"admin\",\"password\":\"admin\",\"KANBOARD_BASIC\":\"$(basic jsonrpc "$token")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/"
