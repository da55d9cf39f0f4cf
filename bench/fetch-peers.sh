#!/bin/sh
# Unpacks the peers (Exim, Postfix, Dovecot) into the directory $PEERS without installing them, and compiles the load generator.
# What is there already is kept; a step that fails leaves nothing half done. Needs root, apt-get, dpkg and a C compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$PEERS/tree"

unpack() {
  name=$1
  shift
  [ "$(cat "$PEERS/tree/$name.packages" 2>/dev/null)" = "$*" ] && return 0
  echo "bench: fetching $name" >&2
  rm -rf "$PEERS/arc/$name" "$PEERS/tree/$name.part"
  mkdir -p "$PEERS/arc/$name/partial" "$PEERS/tree/$name.part"
  apt-get install -y --download-only --no-install-recommends \
    -o Dir::Cache::archives="$PEERS/arc/$name" -o APT::Sandbox::User=root "$@" >/dev/null
  for package in "$PEERS/arc/$name"/*.deb; do dpkg -x "$package" "$PEERS/tree/$name.part"; done
  rm -rf "$PEERS/arc/$name" "$PEERS/tree/$name"
  mv "$PEERS/tree/$name.part" "$PEERS/tree/$name"
  echo "$*" >"$PEERS/tree/$name.packages"
}

compile() {
  [ "$PEERS/$1" -nt "$here/load/$1.c" ] || "${CC:-cc}" -O2 -Wall -o "$PEERS/$1" "$here/load/$1.c"
}

unpack exim exim4-daemon-heavy exim4-base
unpack postfix postfix postfix-cdb postfix-pgsql postfix-ldap
unpack dovecot dovecot-core dovecot-imapd dovecot-pop3d
compile smtpload
compile devlog
