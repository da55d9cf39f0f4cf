#!/bin/sh
# Runs a command in private mount, network, process, IPC and host name spaces in which the unpacked peers appear at
# their normal paths. Nothing outside is changed: /usr, /etc, /var, /run and /dev are overlays that vanish when the
# command ends, the network is a lone loopback interface, and every process left over dies with the process name space.
# Usage (as root, PEERS set): ns.sh command args...
set -eu
if [ "$1" = --inner ]; then
  shift
  layers=$PEERS/layers
  mkdir -p "$layers"
  mount -t tmpfs tmpfs "$layers"
  for directory in usr etc var run dev; do
    mkdir -p "$layers/$directory.upper" "$layers/$directory.work"
    lower=/$directory
    for peer in exim postfix dovecot; do
      [ -d "$PEERS/tree/$peer/$directory" ] && lower=$PEERS/tree/$peer/$directory:$lower
    done
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layers/$directory.upper,workdir=$layers/$directory.work" \
      "/$directory"
  done
  # the machine may have accounts of these names with other numbers
  sed -i -E '/^(Debian-exim|postfix|postdrop|vmail):/d' /etc/passwd /etc/group
  cat >>/etc/passwd <<'PASSWD'
Debian-exim:x:3101:3101::/var/spool/exim4:/usr/sbin/nologin
postfix:x:3102:3102::/var/spool/postfix:/usr/sbin/nologin
vmail:x:5000:5000::/nonexistent:/usr/sbin/nologin
dovecot:x:3104:3104::/nonexistent:/usr/sbin/nologin
dovenull:x:3105:3105::/nonexistent:/usr/sbin/nologin
PASSWD
  cat >>/etc/group <<'GROUP'
Debian-exim:x:3101:
postfix:x:3102:
postdrop:x:3103:
vmail:x:5000:
dovecot:x:3104:
dovenull:x:3105:
GROUP
  printf '127.0.0.1 localhost bench.test mx.example.test\n' >/etc/hosts
  printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf
  printf 'passwd: files\ngroup: files\nhosts: files\n' >/etc/nsswitch.conf
  mkdir -p /etc/exim4
  ip link set lo up
  hostname mx.example.test
  exec "$@"
fi

# On a busy machine the scheduler favours servers with many processes over those with one. CPU_SHARES=n puts servers and
# load together into one group of weight n/1024 (control groups, version 1), so that each peer gets the same share.
shares=/sys/fs/cgroup/cpu/tabella-bench-shares
if [ -n "${CPU_SHARES:-}" ] && [ -w /sys/fs/cgroup/cpu/cpu.shares ]; then
  mkdir -p "$shares"
  echo "$CPU_SHARES" >"$shares/cpu.shares"
  echo $$ >"$shares/cgroup.procs"
fi
exec unshare -m -n -u -i -p -f --mount-proc --kill-child "$0" --inner "$@"
