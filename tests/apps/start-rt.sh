#!/usr/bin/env bash
# Request Tracker, tickets: reads the name from a header on every request, with SQLite; has a REST API.
# {"url", "admin", "password", "RT_TOKEN"}; the API is at URL/REST/2.0.
# Header: X-Forwarded-User becomes REMOTE_USER, as a web server in front does it. Unknown people are created.
# shellcheck source=tests/apps/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian_packages dbconfig-no-thanks request-tracker5 rt5-db-sqlite rt5-standalone
password=password1

mkdir -p "$data/conf.d"
export RT_SITE_CONFIG=$data/RT_SiteConfig.pm RT_SITE_CONFIG_DIR=$data/conf.d PERL5LIB=/usr/share/request-tracker5/lib
cat >"$RT_SITE_CONFIG" <<PERL
Set(\$rtname, 'rt.test');
Set(\$Organization, 'rt.test');
Set(\$WebDomain, '127.0.0.1');
Set(\$WebPort, $port);
Set(\$WebPath, '');
Set(\$DatabaseType, 'SQLite');
Set(\$DatabaseName, '$data/rt.db');
Set(\$WebRemoteUserAuth, 1);
Set(\$WebRemoteUserContinuous, 1);
Set(\$WebRemoteUserAutocreate, 1);
Set(\$WebFallbackToRTLogin, 1);
Set(\$UserAutocreateDefaultsOnLogin, { Privileged => 1 });
Set(\$LogToSyslog, undef);
Set(\$LogToSTDERR, 'warning');
Set(\$MailCommand, 'testfile');
1;
PERL
if [[ ! -e $data/token ]]; then
  rt-setup-database-5 --action init --skip-create >>"$log" 2>&1 || complain 'cannot make the database'
  perl -MRT=-init -e '
    my $root = RT::User->new(RT->SystemUser);
    $root->Load("root");
    $root->SetPassword($ARGV[0]);
    my ($id, $message, $token) = RT::AuthToken->new(RT->SystemUser)->Create(Owner => $root->Id, Description => "sidegate");
    die $message unless $id;
    print $token' "$password" >"$data/token.new" 2>>"$log" || complain 'cannot make a token'
  mv "$data/token.new" "$data/token"
fi
cat >"$data/rt.psgi" <<'PERL'
my $rt = do '/usr/share/request-tracker5/libexec/rt-server' or die $@ || $!;
sub {
    my $environ = shift;
    my $user = delete $environ->{HTTP_X_FORWARDED_USER};
    $environ->{REMOTE_USER} = $user if defined $user;
    $rt->($environ);
};
PERL
start plackup -s HTTP::Server::PSGI --host 127.0.0.1 --port "$port" "$data/rt.psgi"
credentials="\"admin\":\"root\",\"password\":\"$password\",\"RT_TOKEN\":\"$(cat "$data/token")\""
serve "{\"url\":\"http://127.0.0.1:$port\",$credentials}" answers "http://127.0.0.1:$port/NoAuth/css/"
