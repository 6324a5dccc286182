internal import NetpolModel

/// What the input shows about the program that announces load-balancer addresses.
struct BalancerEvidence {
  private var hasMetalLB = false
  private var hasKubeVIP = false
  private var hasServiceLB = false
  /// Kinds of MetalLB's advertisements.
  private var advertisements: Set<String> = []

  /// `nil` if nothing shows it. MetalLB and kube-vip are installed in place of servicelb.
  var program: LoadBalancing? {
    if hasMetalLB || !advertisements.isEmpty {
      return advertisements == ["BGPAdvertisement"] ? .metallbBGP : .metallbL2
    }
    return hasKubeVIP ? .kubeVIP : hasServiceLB ? .servicelb : nil
  }

  /// Examines a pod, or a workload's template.
  mutating func look(at spec: PodSpec, of id: NamespacedName) {
    for container in spec.containers {
      if container.image.contains("metallb/speaker") { hasMetalLB = true }
      if container.image.contains("kube-vip/kube-vip") { hasKubeVIP = true }
      if container.image.contains("klipper-lb") { hasServiceLB = true }
    }
    if id.name.hasPrefix("svclb-") { hasServiceLB = true }
  }

  mutating func look(at object: ManifestObject) {
    if object.group == "metallb.io", ["L2Advertisement", "BGPAdvertisement"].contains(object.kind) {
      advertisements.insert(object.kind)
    }
    guard object.kind == "Service", let annotations = try? object.metadata?["annotations"]?.stringMap() else { return }
    if annotations.keys.contains(where: { $0.hasPrefix("metallb.io/") || $0.hasPrefix("metallb.universe.tf/") }) {
      hasMetalLB = true
    }
  }
}
