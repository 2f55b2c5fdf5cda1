#!/usr/bin/env bash
# Redmine, issues: has a REST API and no sign-in by header of its own; a plug-in of some ten lines adds one, read on every request, as
# published plug-ins do; with SQLite. Of Debian 12, whose Ruby and Rails it fits.
# {"url", "admin", "password", "REDMINE_API_KEY"}; the API is at URL/users.json, with the key as X-Redmine-API-Key.
# Header: X-Forwarded-User. Unknown people are not created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages puma ruby ruby-bundler ruby-rails ruby-sqlite3 ruby-actionpack-xml-parser ruby-addressable ruby-commonmarker \
  ruby-html-pipeline ruby-i18n ruby-mail ruby-marcel ruby-mini-magick ruby-mini-mime ruby-mocha ruby-net-ldap ruby-nokogiri ruby-rbpdf \
  ruby-redcarpet ruby-request-store ruby-roadie-rails ruby-rotp ruby-rouge ruby-rqrcode ruby-sanitize ruby-task-list ruby-zip
package=$(foreign_debian_packages bookworm redmine redmine=5.0.4-5+deb12u1 libjs-chart.js libjs-jquery libjs-jquery-ui libjs-raphael \
  ruby-jquery-rails)
password=admin1234
key=0123456789abcdef0123456789abcdef01234567

# Its package looks for settings in /etc; here all of it is in one folder.
redmine=$data/share/redmine
if [[ ! -e $redmine ]]; then
  mkdir -p "$redmine"
  cp -a "$package/usr/share/redmine/." "$redmine"
  cp -a "$package/usr/share"/{javascript,ruby-jquery-rails} "$data/share" # its links lead to these
  rm "$redmine"/{Gemfile.lock,instances,config/database.yml}
  sed -i "s|/usr/share/redmine/{config,|$redmine/{config,|" "$redmine/Gemfile"
  mkdir -p "$redmine"/{plugins/header,instances/default/{config,files,log,tmp}}
fi
ln -sfn "$redmine/instances/default/files" "$redmine/files"
for file in "$redmine"/{config,instances/default/config}/database.yml; do
  printf 'production: {adapter: sqlite3, database: "%s/redmine.db"}\n' "$data" >"$file"
done
cat >"$redmine/plugins/header/init.rb" <<'RUBY'
Redmine::Plugin.register(:header) { name 'Sign-in by header' }

# Whom the header names, if they are known and active; without it, Redmine's own ways.
module HeaderSignIn
  def find_current_user
    login = request.headers['X-Forwarded-User'].to_s.dup.force_encoding('UTF-8')
    return super if login.empty?

    user = User.active.find_by_login(login)
    self.logged_user = user unless user && user.id == session[:user_id] # a session of another name ends here
    user
  end
end
ApplicationController.prepend(HeaderSignIn)
RUBY

# The newest Bundler of its Ruby does not see Debian's gems, the one that is packaged does.
BUNDLER_VERSION=$(dpkg-query --show --showformat '${Version}' ruby-bundler | sed 's/[-+~].*//')
export BUNDLER_VERSION RAILS_ENV=production REDMINE_INSTANCE=default SECRET_KEY_BASE=0123456789abcdef0123456789abcdef
cd "$redmine"
if [[ ! -e $data/complete ]]; then
  nice ruby bin/rake db:migrate >>"$log" 2>&1 || complain 'cannot make the database'
  ruby bin/rails runner '
    Redmine::DefaultData::Loader.load("en")
    Setting.rest_api_enabled = "1"
    admin = User.find_by_login("admin")
    admin.password, admin.must_change_passwd = ARGV[0], false
    admin.save!
    Token.create!(user: admin, action: "api").update_column(:value, ARGV[1])' "$password" "$key" >>"$log" 2>&1 || complain 'cannot set it up'
  touch "$data/complete"
fi
patience=120
start puma --environment production --bind "tcp://127.0.0.1:$port" --threads 1:4 "$redmine/config.ru"
credentials="\"admin\":\"admin\",\"password\":\"$password\",\"REDMINE_API_KEY\":\"$key\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/login"
