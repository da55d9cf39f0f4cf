#!/bin/sh
case $LOCAL_PART in caesar) cat > $(dirname $0)/../got;; *) echo hello; echo two; esac
