internal import NetpolModel

/// What the input shows about the program that announces load-balancer addresses.
struct BalancerEvidence {
  private var hasMetalLB = false
  private var hasKubeVIP = false
  private var hasServiceLB = false
  private(set) var metalLB = MetalLB()
  /// The holders of kube-vip's leases (`ClusterSettings.kubeVIPLeaders`).
  private(set) var kubeVIPLeaders: [NamespacedName?: String] = [:]

  /// `nil` if nothing shows it. MetalLB and kube-vip are installed in place of servicelb.
  var program: LoadBalancing? {
    if hasMetalLB || !metalLB.advertisements.isEmpty {
      return !metalLB.advertisements.isEmpty && metalLB.advertisements.allSatisfy { $0.program == .metallbBGP }
        ? .metallbBGP : .metallbL2
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

  /// kube-vip's leases: one for all Services, or with `svc_election` one for each (`kubevip-NAME` in its namespace).
  private mutating func look(atLease object: ManifestObject) {
    guard let name = try? object.metadata?["name"]?.string(),
      let holder = try? object.root["spec"]?.fields()["holderIdentity"]?.string(), !holder.isEmpty
    else { return }
    if name == "plndr-svcs-lock" { kubeVIPLeaders[nil] = holder }
    if name.hasPrefix("kubevip-"), let namespace = try? object.metadata?["namespace"]?.string() {
      kubeVIPLeaders[NamespacedName(namespace, String(name.dropFirst("kubevip-".count)))] = holder
    }
  }

  mutating func look(at object: ManifestObject) {
    metalLB.read(object)
    if object.group == "coordination.k8s.io", object.kind == "Lease" { look(atLease: object) }
    guard object.kind == "Service", let annotations = try? object.metadata?["annotations"]?.stringMap() else { return }
    if annotations.keys.contains(where: { $0.hasPrefix("metallb.io/") || $0.hasPrefix("metallb.universe.tf/") }) {
      hasMetalLB = true
    }
  }
}
