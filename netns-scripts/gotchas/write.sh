#!/bin/sh
# Writes all scripts of this folder anew, with the commands in README.md: write.sh PROGRAM
set -eu

program=$(realpath "${1:?"write.sh PROGRAM: which netpol-lab"}")
cd "$(dirname "$0")/../.."
here=netns-scripts/gotchas
sed -n 's/^| \[\([A-Za-z0-9-]*\.sh\)\].*`netpol-lab \(export [^`]*\)` |$/\1 \2/p' "$here/README.md" |
  while read -r name arguments; do
    # shellcheck disable=SC2086
    "$program" $arguments >"$here/$name.new"
    mv "$here/$name.new" "$here/$name"
    chmod +x "$here/$name"
  done
