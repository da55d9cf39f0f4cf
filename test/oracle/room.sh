#!/bin/sh
# room.sh WORK COMMAND...: runs a command in a room of its own: only loopback, no DNS, the users of the comparison, empty
# logs and spools, and WORK/mnt as /mnt, so that two programs that run at once see the same paths. Nothing outside changes.
# It is started within `unshare -m -n`, by root or by an ordinary user who is root in a namespace of his own.
set -eu
work=$1
shift
ip link set lo up
for name in passwd group hosts resolv.conf mailname; do
  [ ! -e "/etc/$name" ] || mount --bind "$work/etc/$name" "/etc/$name"
done
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /var/spool
mount --bind "$work/mnt" /mnt
mkdir -p /var/log/exim4 /var/log/exim /var/spool/exim4 /var/spool/exim
chmod 777 /var/log/* /var/spool/*
cd /mnt
exec "$@"
