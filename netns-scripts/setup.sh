#!/bin/sh
# Installs what the build and the lab need and Debian or Ubuntu lack. Changes nothing if everything is installed.
# With --all: also what only tests need.
set -eu

wanted="libnftnl-dev libmnl-dev libmd-dev pkg-config nftables iptables ipset iproute2 netcat-openbsd conntrack python3 patch make"
if [ "${1:-}" = --all ]; then wanted="$wanted python3-yaml python3-venv tshark"; fi
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: this system has no apt-get; install by hand:$missing" >&2
    exit 1
  fi
  echo "setup: installing$missing"
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "setup: needs root or sudo to install:$missing" >&2; exit 1; }
    as_root=sudo
  fi
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
  echo "setup: done"
fi

command -v swift >/dev/null 2>&1 || {
  echo "setup: Swift 6.1 or later is needed: https://www.swift.org/install/linux/" >&2
  exit 1
}
