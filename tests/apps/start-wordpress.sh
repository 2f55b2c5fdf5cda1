#!/usr/bin/env bash
# WordPress, a site's editor: has a REST API and no sign-in by header of its own; a plug-in of eight lines adds one, read on every
# request, as published plug-ins do.
# {"url", "admin", "password", "WORDPRESS_BASIC"}; the API is at URL/wp-json/wp/v2 with an application password.
# Header: X-Forwarded-User. Unknown people are not created.
#   BASE_URL  the address that people use, when a proxy is in front
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages php-cli php-mysql php-gd php-xml php-mbstring php-curl
package=$(foreign_debian_packages bookworm wordpress wordpress=6.1.9+dfsg1-0+deb12u1 php-getid3 libjs-cropper libjs-underscore)
start_beside mariadb
database=${beside##*/} database=${database#*@}
base=${BASE_URL:-http://127.0.0.1:$port}
password=admin1234

mkdir -p "$data/wordpress"
cp -aL "$package/usr/share/wordpress/"* "$data/wordpress"
mkdir -p "$data/wordpress/wp-content/mu-plugins"
cat >"$data/wordpress/wp-config.php" <<PHP
<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', '$database');
define('WP_HOME', '$base');
define('WP_SITEURL', '$base');
define('WP_ENVIRONMENT_TYPE', 'local'); // application passwords without TLS
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as \$key) {
    define(\$key, sha1(\$key));
}
\$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
PHP
cat >"$data/wordpress/wp-content/mu-plugins/header.php" <<'PHP'
<?php
// Whom the header names; the API keeps its application passwords.
add_filter('determine_current_user', function ($id) {
    $name = $_SERVER['HTTP_X_FORWARDED_USER'] ?? '';
    $user = $id || $name === '' ? false : get_user_by('login', $name);
    return $user ? $user->ID : $id;
}, 30);
// Its administration asks for a cookie of its own otherwise.
function auth_redirect() { if (!is_user_logged_in()) { wp_redirect(wp_login_url()); exit; } }
add_filter('pre_wp_mail', '__return_true'); // no mail leaves
PHP
cat >"$data/router.php" <<'PHP'
<?php
$folder = $_SERVER['DOCUMENT_ROOT'];
$file = $folder . rtrim(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/');
if (is_file($file)) { return false; }
if ($file !== $folder && is_file("$file/index.php")) { chdir($file); require "$file/index.php"; return; }
$_SERVER['SCRIPT_NAME'] = '/index.php';
chdir($folder);
require 'index.php';
PHP
if [[ ! -e $data/password ]]; then
  mariadb --no-defaults -h "${database%:*}" -P "${database#*:}" -u root -e 'create database wordpress' 2>>"$log" || complain 'cannot make the database'
  cat >"$data/install.php" <<'PHP'
<?php
[, $folder, $password] = $argv;
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require "$folder/wp-config.php";
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Test', 'admin', 'admin@example.com', true, '', $password, 'en_US');
update_option('permalink_structure', '/%postname%/');
$wp_rewrite->init();
$wp_rewrite->flush_rules(true);
echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'sidegate'])[0];
PHP
  php "$data/install.php" "$data/wordpress" "$password" >"$data/password.new" 2>>"$log" || complain 'cannot install'
  mv "$data/password.new" "$data/password"
fi
start php -S "127.0.0.1:$port" -t "$data/wordpress" "$data/router.php"
credentials="\"admin\":\"admin\",\"password\":\"$password\",\"WORDPRESS_BASIC\":\"$(basic admin "$(cat "$data/password")")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/wp-login.php"
