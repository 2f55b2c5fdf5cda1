# Shared by setup/packages and the scripts in apps/. Source it.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=${SIDEGATE_TEST_TOOLS:-$root/target/test-tools}
mkdir -p "$tools"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() { say "$*"; exit 1; }

retry() {
  local attempt
  for attempt in 1 2; do "$@" && return; sleep $((attempt * 5)); done
  "$@"
}

as_root() {
  if [[ $EUID == 0 ]]; then "$@"; else sudo "$@"; fi
}

# Debian packages, only those that are missing; no daemon starts meanwhile.
need_debian_packages() {
  command -v dpkg-query >/dev/null || { say "not a Debian or Ubuntu system; make sure that you have: $*"; return; }
  local installed package missing=()
  installed=" $(dpkg-query --show --showformat '${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do [[ $installed == *" installed=$package "* ]] || missing+=("$package"); done
  ((${#missing[@]})) || return 0
  [[ $EUID == 0 ]] || command -v sudo >/dev/null || fail "run as root, or install sudo; missing: ${missing[*]}"
  say "installing ${missing[*]}"
  (
    trap allow_daemons EXIT
    forbid_daemons
    retry apt update && retry apt install --no-install-recommends "${missing[@]}"
  ) >"$tools/apt.log" 2>&1 || { tail -n 20 "$tools/apt.log" >&2; fail "apt-get failed; all of it is in $tools/apt.log"; }
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@"
}

# A package's scripts ask policy-rc.d whether they may start its daemon. What was there before comes back afterwards.
policy=/usr/sbin/policy-rc.d
forbid_daemons() {
  [[ -e $policy.before-tests || ! -e $policy ]] || as_root mv "$policy" "$policy.before-tests"
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod +x "$policy"
}
allow_daemons() {
  as_root rm -f "$policy"
  [[ ! -e $policy.before-tests ]] || as_root mv "$policy.before-tests" "$policy"
}

# A Python that what we install runs on: 3.11 or newer.
python() {
  local name
  for name in python3 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$name"; return; fi
  done
}

# Debian packages of another suite, unpacked into one folder below $tools and not installed; prints the folder:
# foreign_debian_packages SUITE NAME PACKAGE[=VERSION]… apt checks the suite's signature and the packages' hashes. VERSION is the one
# that is known to work; a mirror holds only the newest of each suite, so another one is taken and told.
foreign_debian_packages() {
  local suite=$1 name=$2 folder=$tools/debian/$1-$2 work=$tools/debian/$1
  shift 2
  mkdir -p "$work"/{lists,cache}
  (
    flock 9
    [[ ! -e $folder ]] || exit 0
    say "unpacking $name of Debian $suite"
    {
      rm -f "$work"/*.deb && foreign_apt "$suite" update && (cd "$work" && foreign_apt "$suite" download "${@%%=*}")
    } >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "cannot get $name of Debian $suite"; }
    rm -rf "$folder.new"
    for deb in "$work"/*.deb; do
      dpkg-deb -x "$deb" "$folder.new"
      known=$(printf '%s\n' "$@" | sed -n "s/^$(dpkg-deb -f "$deb" Package)=//p")
      version=$(dpkg-deb -f "$deb" Version)
      [[ -z $known || $known == "$version" ]] || say "it is $version; known to work: $known"
    done
    mv "$folder.new" "$folder"
  ) 9>"$work/lock" || exit
  echo "$folder"
}

# apt-get that knows one suite only.
foreign_apt() {
  local suite=$1 work=$tools/debian/$1 site=${DEBIAN_MIRROR:-}
  shift
  need_debian_packages debian-archive-keyring
  if [[ -z $site ]] && grep -q '^ID=debian' /etc/os-release; then # the machine's own mirror
    site=$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' | grep -v security | head -n 1)
  fi
  [[ -n $site ]] || fail "this needs Debian $suite: set DEBIAN_MIRROR to the address of a Debian mirror"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$work/sources.list"
  retry apt-get -q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists" \
    -o "Dir::Cache=$work/cache" -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
    -o APT::Sandbox::User= -o APT::Update::Post-Invoke::= -o Acquire::Retries=3 "$@"
}
