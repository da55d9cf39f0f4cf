#!/bin/sh
# Installs what package-lock.json names, if that was not done yet or the file has changed since, and builds the program.
# With --with-test-tools also what only the tests need: some programs of the system, when root may install them.
set -eu
cd "$(dirname "$0")/.."

installed=node_modules/.package-lock.json
if [ ! -f "$installed" ] || [ package-lock.json -nt "$installed" ]; then
  npm ci --no-audit --no-fund
  touch "$installed"
fi

# the built program is older than its sources
if [ ! -f dist/program.cjs ] || [ -n "$(find src package.json scripts -newer dist/program.cjs -print -quit)" ]; then
  node scripts/build.mjs
fi

[ "${1:-}" = --with-test-tools ] || exit 0

packages=
need() { # PROGRAM PACKAGE; no program when something else has told that the package is needed
  [ -n "$1" ] || {
    packages="$packages $2"
    return
  }
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] || packages="$packages $2"
}
need ip iproute2
need unshare util-linux
need setpriv util-linux
need python3 python3-minimal
need slapd slapd
need ldapadd ldap-utils
need psql postgresql-client
need script bsdutils
need ldapsearch ldap-utils
need swaks swaks
perl -MNet::SSLeay -e1 2>/dev/null || need '' libnet-ssleay-perl
perl -MAuthen::SASL -e1 2>/dev/null || need '' libauthen-sasl-perl
ls /usr/lib/*/sasl2/libplain.so >/dev/null 2>&1 || need '' libsasl2-modules
need openssl openssl
need krb5kdc krb5-kdc
need kadmin.local krb5-admin-server
need kinit krb5-user
need gsasl gsasl
perl -MGSSAPI -e1 2>/dev/null || need '' libgssapi-perl
need fetchmail fetchmail
need mpop mpop
need getmail getmail6
need mutt mutt
need script bsdutils
need strace strace
need mariadbd mariadb-server-core
need mariadb mariadb-client-core
need redis-server redis-server
need redis-cli redis-tools
need clamd clamav-daemon
need spamd spamd
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
# mail servers that tests speak to; they run as users of their own, so that the home of root is no place for them
[ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1 || sh scripts/unpack-peers.sh /var/cache/tabella/peers

# The real Exim, to compare with: unpacked into a cache, never installed. Only the libraries it needs are.
oracle=${XDG_CACHE_HOME:-$HOME/.cache}/tabella/oracle
if [ ! -x "$oracle/usr/sbin/exim4" ]; then
  mkdir -p "$(dirname "$oracle")"
  unpacked=$(mktemp -d "$oracle.XXXXXX")
  (
    cd "$unpacked"
    download() { apt-get -qq -o APT::Sandbox::User=root download exim4-daemon-heavy exim4-base exim4-config; }
    download || { [ "$(id -u)" -eq 0 ] && apt-get -qq update && download; }
    for package in *.deb; do dpkg-deb -x "$package" .; done
    rm -- *.deb
  )
  rm -rf "$oracle"
  mv "$unpacked" "$oracle"
fi
if ! ldd "$oracle/usr/sbin/exim4" >/dev/null 2>&1 || ldd "$oracle/usr/sbin/exim4" | grep -q 'not found'; then
  packages="$packages $(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    exim4-daemon-heavy | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | tr '\n' ' ')"
fi

[ -z "$packages" ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  # the tests start servers of their own; those of the packages stay down
  mkdir -p /usr/sbin
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # shellcheck disable=SC2086
  apt-get -qq install -y --no-install-recommends $packages >/dev/null ||
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends $packages >/dev/null; }
else
  echo "The tests need these packages, and only root can install them:$packages" >&2
  exit 1
fi
