#!/bin/sh
echo "X-Args: $*"
case $3 in a*) exit 3;; e*) sleep 3;; esac
cat
printf end
