#!/bin/sh
# Unpacks the mail servers that tests speak to, Exim and Postfix, into a directory: nothing of them is installed, so that no
# mail server of the machine is touched. What is there already is kept. Needs root and apt-get, as installing does.
set -eu
place=${1:?usage: unpack-peers.sh DIRECTORY}

unpack() { # PACKAGE
  [ -d "$place/$1" ] && return 0
  archives=$place/$1.archives
  rm -rf "$archives" "$place/$1.part"
  mkdir -p "$archives/partial" "$place/$1.part"
  download() {
    apt-get -qq install -y --download-only --no-install-recommends -o Dir::Cache::archives="$archives" \
      -o APT::Sandbox::User=root "$1" >/dev/null
  }
  download "$1" || { apt-get -qq update && download "$1"; }
  # a package that is installed is not fetched again, and need not be
  for package in "$archives"/*.deb; do dpkg -x "$package" "$place/$1.part"; done
  rm -rf "$archives"
  mv "$place/$1.part" "$place/$1"
}

unpack exim4-daemon-light
unpack postfix

# Exim wants the user that its package makes; a user that is there anyway does as well
exim=$place/exim4-daemon-light/usr/sbin
[ -x "$exim/exim-as-daemon" ] || {
  LC_ALL=C sed 's/Debian-exim/daemon\x00\x00\x00\x00\x00/g' "$exim/exim4" >"$exim/exim-as-daemon.part"
  chmod 755 "$exim/exim-as-daemon.part"
  mv "$exim/exim-as-daemon.part" "$exim/exim-as-daemon"
}
