#!/bin/sh
# Proves the examples with the given program and lets the checker check the certificates: Tests/Checker/examples.sh PROGRAM
set -eu
program=$1
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 "$here/test_checker.py"
for world in examples/homelab examples/icn examples/dual-stack examples/nodeport examples/deviations/D[0-9]*.yaml; do
  for style in kube-router-2.6-k3s kube-router-2.11-nft compiled; do
    # A world with findings has a certificate too.
    "$program" prove -f "$world" --as-stored --style "$style" --no-packet --certificate "$folder/certificate.json" \
      >/dev/null 2>"$folder/errors" || [ $? -eq 1 ] || { cat "$folder/errors" >&2; exit 1; }
    printf '%s, %s: ' "$world" "$style"
    python3 "$here/check_certificate.py" --seconds 2 "$folder/certificate.json" "$world"
  done
done
"$program" prove -f examples/homelab --no-packet --certificate "$folder/certificate.json" >/dev/null 2>&1
python3 "$here/tamper.py" "$folder/certificate.json" 1 20 examples/homelab
