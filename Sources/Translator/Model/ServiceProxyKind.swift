/// What translates the addresses of services.
public enum ServiceProxyKind: Hashable, Sendable {
  /// kube-proxy in iptables or nftables mode, the only ones that are modelled (`KubeProxyFlags.mode`).
  case kubeProxy
  case ipvs
  /// An eBPF program of this product.
  case ebpf(String)
}

/// A service mesh, which redirects the TCP connections of its pods to a proxy inside them.
public enum Mesh: String, Hashable, Sendable, CaseIterable {
  case istio = "Istio"
  case linkerd = "Linkerd"
  case kuma = "Kuma"
  case consul = "Consul"
}
