#!/bin/sh
# Proves clusters with the given program and lets the checker check the certificates: the examples, the golden cases,
# random clusters, and versions of a certificate that were tampered with.
# Tests/Checker/examples.sh PROGRAM [RANDOM CLUSTERS, 20] [TAMPERED VERSIONS, 20] [SEED, 1]
set -eu
program=$1 clusters=${2:-20} tampered=${3:-20} seed=${4:-1}
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
styles="kube-router-2.6-k3s kube-router-2.11 kube-router-2.11-nft compiled"

# check NAME STYLE FILE_OR_DIR: A cluster with findings has a certificate too. A style may refuse a cluster.
check() {
  status=0
  "$program" prove -f "$3" --as-stored --style "$2" --no-packet --certificate "$folder/certificate.json" \
    >/dev/null 2>"$folder/errors" || status=$?
  [ "$status" -le 1 ] || { cat "$folder/errors" >&2; exit 1; }
  printf '%s, %s: ' "$1" "$2"
  python3 "$here/check_certificate.py" --seconds "$seconds" "$folder/certificate.json" "$3"
}

# one NUMBER: a style, in turn
one() { echo "$styles" | cut -d ' ' -f $(($1 % 4 + 1)); }

python3 "$here/test_checker.py"
seconds=2
for world in examples/homelab examples/icn examples/dual-stack examples/nodeport examples/deviations/D[0-9]*.yaml; do
  for style in kube-router-2.6-k3s kube-router-2.11-nft compiled; do check "$world" "$style" "$world"; done
done
seconds=1
number=0
for world in Tests/Fixtures/golden/*/; do
  check "$world" "$(one $number)" "$world/manifests.yaml"
  number=$((number + 1))
done
number=0
while [ "$number" -lt "$clusters" ]; do
  "$program" generate --fuzzed --seed $((seed + number)) >"$folder/cluster.yaml"
  check "random cluster $((seed + number))" "$(one $number)" "$folder/cluster.yaml"
  number=$((number + 1))
done
"$program" prove -f examples/homelab --no-packet --certificate "$folder/certificate.json" >/dev/null 2>&1
python3 "$here/tamper.py" "$folder/certificate.json" "$seed" "$tampered" examples/homelab
