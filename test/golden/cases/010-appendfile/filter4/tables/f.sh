#!/bin/sh
echo "[$*]"
cat
echo err >&2
echo From x
printf nonl
env | sort
pwd
