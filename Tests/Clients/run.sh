#!/bin/sh
# Real clients against `netpol-lab serve-api`: run.sh PROGRAM
#
# KUBECTL               the kubectl to take (1.27 or later); else the one in PATH
# NETPOL_CLIENTS_VENV   a virtual environment that has the packages of requirements.txt; else a temporary one
#
# Ends with 1 if a scenario failed. What a machine lacks is skipped, and said.
set -u

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
  echo "usage: run.sh PROGRAM" >&2
  exit 2
fi
case $1 in
  */*) program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") ;;
  *) program=$(pwd)/$1 ;;
esac
here=$(cd "$(dirname "$0")" && pwd) || exit 2
failed=0
temporary=
clean() {
  if [ -n "$temporary" ]; then rm -rf "$temporary"; fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! command -v python3 >/dev/null 2>&1 || ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
  echo "skipped all: no Python 3.9 or later"
  exit 0
fi
# No .pyc files beside the scripts.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

echo "== plain sockets"
python3 "$here/raw_client.py" "$program" || failed=1

echo "== kubectl"
kubectl=${KUBECTL:-$(command -v kubectl || true)}
if [ -z "$kubectl" ]; then
  echo "skipped kubectl: none in PATH, and KUBECTL is not set"
elif ! version=$("$kubectl" version --client -o json 2>/dev/null); then
  echo "skipped kubectl: $kubectl doesn't tell its version"
elif ! printf '%s' "$version" | python3 -c '
import json, re, sys
found = re.match(r"v(\d+)\.(\d+)", json.load(sys.stdin)["clientVersion"]["gitVersion"])
sys.exit(found is None or (int(found[1]), int(found[2])) < (1, 27))' 2>/dev/null; then
  echo "skipped kubectl: $kubectl is older than 1.27"
else
  python3 "$here/kubectl.py" "$program" "$kubectl" || failed=1
fi

echo "== Python clients"
environment=${NETPOL_CLIENTS_VENV:-}
reason=
if [ -n "$environment" ]; then
  [ -x "$environment/bin/python" ] || reason="no $environment/bin/python"
else
  temporary=$(mktemp -d) || exit 2
  environment=$temporary/venv
  if ! python3 -m venv "$environment" >"$temporary/log" 2>&1; then
    reason="python3 -m venv fails (python3-venv?): $(tail -n 1 "$temporary/log")"
  elif ! "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r "$here/requirements.txt" >"$temporary/log" 2>&1; then
    reason="pip can't install requirements.txt: $(tail -n 1 "$temporary/log")"
  fi
fi
if [ -n "$reason" ]; then
  echo "skipped Python clients: $reason"
else
  "$environment/bin/python" "$here/python_clients.py" "$program" || failed=1
fi

exit "$failed"
