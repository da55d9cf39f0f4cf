#!/bin/sh
# Runs a script with the pinned run-time, whatever node the system has.
root=$(dirname "$0")/..
for node in "$root"/node_modules/node-linux-*/bin/node; do
  [ -x "$node" ] && exec "$node" "$@"
done
echo "the run-time is missing: run 'npm ci'" >&2
exit 1
