internal import NetpolModel

/// What the input shows about the program that announces load-balancer addresses.
struct BalancerEvidence {
  private var hasMetalLB = false
  private var hasKubeVIP = false
  private var hasServiceLB = false
  private(set) var metalLB = MetalLB()
  /// The holders of kube-vip's leases (`ClusterSettings.kubeVIPLeaders`).
  private var leaders: [NamespacedName?: String] = [:]
  private var electsPerService = false
  private(set) var kubeVIPUsesBGP = false

  /// With an election for each Service, the lease for all of them is not used.
  var kubeVIPLeaders: [NamespacedName?: String] {
    electsPerService ? leaders.filter { $0.key != nil } : leaders
  }

  /// `nil` if nothing shows it. MetalLB and kube-vip are installed in place of servicelb.
  var program: LoadBalancing? {
    if hasMetalLB || !metalLB.advertisements.isEmpty || !metalLB.pools.isEmpty {
      return !metalLB.advertisements.isEmpty && metalLB.advertisements.allSatisfy { $0.program == .metallbBGP }
        ? .metallbBGP : .metallbL2
    }
    return hasKubeVIP || !leaders.isEmpty ? .kubeVIP : hasServiceLB ? .servicelb : nil
  }

  /// Examines a pod, or a workload's template.
  mutating func look(at spec: PodSpec, of id: NamespacedName) {
    for container in spec.containers {
      if container.image.contains("metallb/speaker") { hasMetalLB = true }
      if container.image.contains("kube-vip/kube-vip") {
        hasKubeVIP = true
        if container.environment["svc_election"] == "true" { electsPerService = true }
        if container.environment["bgp_enable"] == "true" { kubeVIPUsesBGP = true }
      }
      if container.image.contains("klipper-lb") { hasServiceLB = true }
    }
    if id.name.hasPrefix("svclb-") { hasServiceLB = true }
  }

  /// Whether the object says who announces addresses.
  static func uses(_ object: ManifestObject) -> Bool {
    switch (object.group, object.kind) {
    case ("metallb.io", "IPAddressPool"), ("metallb.io", "L2Advertisement"), ("metallb.io", "BGPAdvertisement"): true
    case ("coordination.k8s.io", "Lease"):
      (try? object.metadata?["name"]?.string()).map { $0 == "plndr-svcs-lock" || $0.hasPrefix("kubevip-") } ?? false
    default: false
    }
  }

  /// kube-vip's leases: one for all Services, or with `svc_election` one for each (`kubevip-NAME` in its namespace).
  private mutating func look(atLease object: ManifestObject) {
    guard let name = try? object.metadata?["name"]?.string(),
      let holder = try? object.root["spec"]?.fields()["holderIdentity"]?.string(), !holder.isEmpty
    else { return }
    if name == "plndr-svcs-lock" { leaders[nil] = holder }
    if name.hasPrefix("kubevip-"), let namespace = try? object.metadata?["namespace"]?.string() {
      leaders[NamespacedName(namespace, String(name.dropFirst("kubevip-".count)))] = holder
    }
  }

  mutating func look(at object: ManifestObject) throws(ManifestError) {
    try metalLB.read(object)
    if object.group == "coordination.k8s.io", object.kind == "Lease" { look(atLease: object) }
    guard object.kind == "Service", let annotations = try? object.metadata?["annotations"]?.stringMap() else { return }
    if annotations.keys.contains(where: { $0.hasPrefix("metallb.io/") || $0.hasPrefix("metallb.universe.tf/") }) {
      hasMetalLB = true
    }
  }
}
