#!/bin/sh
# Prints a variant of examples/icn, for `netpol-lab run -f -`. The variants are the table of README.md.
#   sh examples/icn-variants/world.sh mesh-both-directions | netpol-lab run -f -
set -eu
here=$(dirname "$0")
coops='^NetworkPolicy icn-coop-' registry='^NetworkPolicy registry/' monitoring='^NetworkPolicy monitoring/'
without='^$' # objects left out, "Kind namespace/name", as a regular expression
add=''       # files added, relative to this directory
labels=yes   # icn-mesh on the namespaces
case "${1-}" in
  today) without="$coops|$registry|$monitoring" labels=no ;;
  label) without="$coops|$registry|$monitoring" ;;
  registry) without="$coops|$monitoring" ;;
  coops) without="$monitoring" ;;
  base) ;;
  no-label) labels=no ;;
  no-kube-system-rule) without="${coops}[a-z]*/allow-kube-system$" ;;
  mesh-both-directions) without='^NetworkPolicy icn/allow-icn-mesh$' add=$1.yaml ;;
  dns-sketch) without='^NetworkPolicy icn/allow-dns-egress$' add=$1.yaml ;;
  dns-table | dns-service-cidr) without="${coops}[a-z]*/allow-dns-egress$" add=$1.yaml ;;
  coop-egress-ports) without="${coops}[a-z]*/allow-icn-mesh-egress$" add=$1.yaml ;;
  coop-merged) without="${coops}alpha/allow-icn-mesh-(in|e)gress$" add=$1.yaml ;;
  quic-port-broken) without="${coops}alpha/allow-icn-mesh-ingress$" add=$1.yaml ;;
  one-port)
    without='^(NetworkPolicy|Pod|Service) icn-coop-'
    add='one-port/policies.yaml one-port/services.yaml one-port/workloads.yaml' ;;
  coop-second-daemon | icn-metrics-scrape | icn-registry-egress | monitoring-egress | registry-on-every-node | deny-all)
    add=$1.yaml ;;
  *) echo "world.sh: no such variant; see README.md" >&2; exit 2 ;;
esac

find "$here/../icn" -name '*.yaml' | LC_ALL=C sort | while read -r file; do cat "$file"; echo ---; done |
  awk -v without="$without" -v labels="$labels" '
    /^---$/ {
      if ((kind " " namespace "/" name) !~ without) printf "%s---\n", text
      text = kind = namespace = name = ""
      next
    }
    /^kind: / { kind = $2 }
    /^  namespace: / { namespace = $2 }
    /^  name: / { name = $2 }
    labels == "no" && /^    icn-mesh: "true"$/ && kind == "Namespace" { next }
    { text = text $0 "\n" }'
for file in $add; do cat "$here/$file"; echo ---; done
