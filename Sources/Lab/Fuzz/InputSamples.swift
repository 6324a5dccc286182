extension InputFuzz {
  /// A world with every field of a Cluster and an Expectations document.
  static let documents = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, namespace: shop, labels: {app: web}}
    spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: db, namespace: shop}
    spec:
      replicas: 2
      selector: {matchLabels: {app: db}}
      template:
        metadata: {labels: {app: db}}
        spec: {containers: [{name: c, ports: [{containerPort: 5432}]}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web, namespace: shop}
    spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}], externalIPs: [192.168.1.9]}
    status: {loadBalancer: {ingress: [{ip: 192.168.20.200}]}}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web, namespace: shop}
    spec:
      podSelector: {matchLabels: {app: web}}
      policyTypes: [Ingress, Egress]
      ingress: [{from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: http}]}]
      egress: [{ports: [{port: 53, protocol: UDP, endPort: 60}]}]
    ---
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    nodes: [{name: n1, addresses: [172.30.0.11], podCIDRs: [10.42.0.0/24]}]
    serviceCIDRs: [10.43.0.0/16]
    clusterCIDRs: [10.42.0.0/16]
    externalHosts: [{name: lan, addresses: [192.168.1.50], networks: [192.168.0.0/16]}]
    overlay: true
    ---
    apiVersion: netpol-lab/v1alpha1
    kind: Expectations
    groups:
    - name: a
      claim: A1
      says: the web server answers
      flows:
      - {from: shop/web, to: [shop/db-0, shop/Deployment/db], ports: [5432, UDP/53], expect: denied, because: egress}
      - {from: external/lan, to: service/shop/web, port: 80, expect: allowed, document: allowed}
    - name: b
      add: [more.yaml]
      without: [shop/web]
      labels: [{pod: shop/web, key: app, value: db}]
      flows: [{from: node/n1, to: shop/web, port: ICMP, expect: allowed, family: IPv4}]
    """

  /// What a variant adds.
  static let added = """
    apiVersion: v1
    kind: Pod
    metadata: {name: more, namespace: shop}
    spec: {containers: [{name: c, ports: [{containerPort: 81}]}]}
    """

  /// What `nft -j list ruleset` prints.
  static let listing = """
    {"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "x", "json_schema_version": 1}},
    {"table": {"family": "ip", "name": "kube-router-filter-ipv4", "handle": 1}},
    {"set": {"family": "ip", "name": "a", "table": "kube-router-filter-ipv4", "type": "ipv4_addr", "handle": 2,
    "flags": ["interval"], "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, "192.168.0.1",
    {"range": ["172.16.0.1", "172.16.0.9"]}]}},
    {"chain": {"family": "ip", "table": "kube-router-filter-ipv4", "name": "INPUT", "handle": 3, "type": "filter",
    "hook": "input", "prio": 0, "policy": "accept"}},
    {"rule": {"family": "ip", "table": "kube-router-filter-ipv4", "chain": "INPUT", "handle": 4, "comment": "c",
    "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@a"}},
    {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}]}
    """
}
