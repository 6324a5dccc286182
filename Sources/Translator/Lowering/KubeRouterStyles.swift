internal import NetpolModel
internal import RuleIR

extension EnforcementStyle {
  /// What k3s uses: its fork of kube-router 2.6, with iptables and ipset. It has no default-deny.
  public static let kubeRouterK3s: EnforcementStyle = {
    var style = EnforcementStyle(
      "kube-router-2.6-k3s", .k3s,
      without: [
        .overlappingBlocks, .acceptsBeforeKubeProxy, .refusesUnprogrammed, .refusesStrangers,
      ], exceptsComeFirst: false)
    style.fullSync = .iptables
    style.recognises = { $0.backend == .iptables && $0.hasKubeRouterChain && !$0.chains.contains(KubeRouter.tail) }
    return style
  }()

  /// Upstream kube-router 2.11 with its iptables back end. It does not read the annotations behind D15.
  public static let kubeRouterIptables: EnforcementStyle = {
    var style = EnforcementStyle(
      "kube-router-2.11", .upstream, without: [.overlappingBlocks, .abortedSync], exceptsComeFirst: false)
    style.fullSync = .iptables
    style.knowsDefaultDeny = true
    // Its rules load like those of k3s's fork.
    style.loadsLikeAnother = true
    style.recognises = { $0.backend == .iptables && $0.chains.contains(KubeRouter.tail) }
    return style
  }()

  /// Upstream kube-router 2.11 with `--use-nftables-for-netpol`.
  public static let kubeRouterNftables: EnforcementStyle = {
    var style = EnforcementStyle(
      "kube-router-2.11-nft", .upstreamNft, without: [.abortedSync, .acceptsBeforeKubeProxy], exceptsComeFirst: true)
    style.fullSync = .nft
    style.knowsDefaultDeny = true
    style.recognises = { $0.backend == .nftables && $0.hasKubeRouterChain }
    return style
  }()

  private init(
    _ name: String, _ version: KubeRouterVersion, without absent: Set<Deviation>, exceptsComeFirst: Bool
  ) {
    self.init(
      name: name, backend: version.backend,
      traits: EnforcerTraits(
        deviations: Set(Deviation.allCases).subtracting(absent),
        nodePortTransports: Set(version.nodePortTransports), exceptsComeFirst: exceptsComeFirst, letsPingsPass: true,
        passingICMPTypes: Dictionary(
          uniqueKeysWithValues: IPFamily.allCases.map { ($0, Set(KubeRouterVersion.ICMPMessage.all($0).map(\.type))) }),
        dropsStrays: true, judgesOutput: true)
    ) { view in
      var lowering = KubeRouter(view, version)
      return lowering.lower()
    }
    together = { KubeRouter.lower($0, version) }
    needsOwnPoliciesOnly = true
    traces = .kubeRouter
    exemptRanges = version.exemptRanges
  }
}

extension Traces {
  /// The traces of the policy controller. kube-router's other controllers use other names.
  fileprivate static let kubeRouter = Traces(
    isTable: { $0.hasPrefix("kube-router-filter-") }, isChain: KubeRouterNames.isChain,
    isSet: { name in
      let name = name.hasPrefix("inet6:") ? String(name.dropFirst(6)) : name
      return name.hasPrefix("KUBE-SRC-") || name.hasPrefix("KUBE-DST-") || name == "kube-router-local-pods"
    },
    // The jump, or the explicit ACCEPT of k3s's fork.
    isBuiltInRule: { rule in
      rule.comment?.hasPrefix("kube-router netpol - ") == true
        || rule.comment == KubeRouterVersion.k3s.comments.explicitAccept
    })
}

extension DumpNames {
  fileprivate var hasKubeRouterChain: Bool { chains.contains(where: KubeRouterNames.isChain) }
}
