internal import Algorithms
public import Evaluator
public import Lowering
public import NetpolModel
public import Path
public import RuleIR
public import ServiceProxy

/// A cluster as a style enforces it: every node's rules, ready to run in user space.
public struct EnforcedCluster: Sendable {
  public let style: EnforcementStyle
  public let topology: Topology
  public let lowered: [String: Lowered]
  /// By node: the policies' rules together with kube-proxy's and flannel's, as the loaders need them.
  public private(set) var rulesets: [String: [Ruleset]]
  /// By pod that sends on what it receives: the rules in its own network namespace.
  public let podRulesets: [PodID: [Ruleset]]
  /// What kube-proxy does with services although their objects don't say it.
  public let serviceFindings: [ServiceFinding]
  private(set) var evaluators: [String: Evaluator]
  private let podEvaluators: [PodID: Evaluator]
  /// The back end of each table. It decides in which language the rules are printed.
  private let backends: [TableName: EnforcementStyle.Backend]

  private struct TableName: Hashable {
    let name: String
    let family: IPFamily
  }

  /// Lowers the view of every node, or of some. `choice` is how a Service's rules choose one of several endpoints. Throws `IllFormed` for anything that a kernel would refuse.
  public init(
    _ cluster: Cluster, _ topology: Topology, _ style: EnforcementStyle, onNodes wanted: Set<String>? = nil,
    choosingEndpoints choice: ProxyView.EndpointChoice = .byCodePoint, versionStamp: String
  ) throws(IllFormed) {
    self.style = style
    self.topology = topology
    let mapping = cluster.settings.hostPorts
    let podAddressNetworks = topology.podNetworks
    let isKnown = cluster.settings.kubeProxy.knowsClusterCIDR
    let strays = cluster.strayPodAddresses
    let networks = IPFamily.allCases.map { cluster.podNetworks($0, strays) }
    let clusterCIDRs = isKnown ? networks.filter { $0.count == 1 }.flatMap(\.self) : []
    let podNetworks = networks.flatMap(\.self)
    var lowered: [String: Lowered] = [:]
    var rulesets: [String: [Ruleset]] = [:]
    var evaluators: [String: Evaluator] = [:]
    var findings: Set<ServiceFinding> = []
    let nodes = cluster.nodes.filter { wanted?.contains($0.name) ?? true }
    let results = style.lowerAll(nodes.map { NodeView(of: $0, in: cluster, versionStamp: versionStamp) })
    var shared = SharedParts()
    var preparedParts = PreparedParts(for: wanted == nil ? .manyNodes : .fewPackets)
    let families = Set(cluster.families)
    let make = {
      @Sendable (index: Int) -> (rulesets: [Ruleset], findings: [ServiceFinding], mistake: IllFormed?) in
      let (node, result) = (nodes[index], results[index])
      let proxy = ProxyView(
        of: node, in: cluster, interfaceAddresses: topology.node(node.name)?.localAddresses.sorted(),
        clusterCIDRs: clusterCIDRs, endpointChoice: choice)
      let subnets = node.podCIDRs + (strays[node.name] ?? []).map { CIDR($0) }
      let flannel = flannelTables(network: podNetworks, subnet: subnets).filter { families.contains($0.family) }
      let hostPorts = PortmapView(of: node, in: cluster, networks: podAddressNetworks)
      let (services, servicesInNftables): ([Table], Ruleset?) =
        switch proxy.flags.mode {
        case .iptables: (serviceProxyTables(proxy), nil)
        case .nftables(let release): ([], kubeProxyNftables(proxy, release))
        }
      let localDNS = localDNSTables(topology.node(node.name)?.privateAddresses ?? [])
      let all = nodeRulesets(
        policy: result.ruleset, localDNS: localDNS, services: services, servicesInNftables: servicesInNftables,
        flannel: flannel,
        hostPorts: mapping == .portmap ? portmapTables(hostPorts) : [],
        hostPortsInNftables: mapping == .portmapNftables ? portmapNftablesTables(hostPorts) : [])
      var mistake: IllFormed?
      do throws(IllFormed) { for ruleset in all { try ruleset.checkWellFormed() } } catch { mistake = error }
      return (all, serviceProxyFindings(proxy), mistake)
    }
    // Some at a time: before they share their parts, they take much memory. The next are made meanwhile.
    let chunks = Array(nodes.indices).chunks(ofCount: Self.nodesAtOnce).map { Array($0) }
    let making = { (chunk: [Int]) in InAdvance { concurrentMap(chunk.count) { make(chunk[$0]) } } }
    var next = making(chunks.first ?? [])
    for (place, chunk) in chunks.enumerated() {
      let made = next.value
      if place + 1 < chunks.count { next = making(chunks[place + 1]) }
      for (index, one) in zip(chunk, made) {
        if let mistake = one.mistake { throw mistake }
        let node = nodes[index]
        lowered[node.name] = results[index]
        findings.formUnion(one.findings)
        let kept = one.rulesets.map { wanted == nil ? shared.sharing($0) : $0 }
        rulesets[node.name] = kept
        evaluators[node.name] = try Evaluator(
          kept, localAddresses: topology.node(node.name)?.localAddresses ?? [], isChecked: true, sharing: &preparedParts
        )
      }
    }
    var podRulesets: [PodID: [Ruleset]] = [:]
    var podEvaluators: [PodID: Evaluator] = [:]
    for pod in cluster.pods where topology.forwarders.contains(pod.id) {
      let ruleset = Ruleset(backend: .iptables, tables: klipperTables(pod.forwards, families: cluster.families))
      podRulesets[pod.id] = [ruleset]
      podEvaluators[pod.id] = try Evaluator(ruleset, localAddresses: Set(pod.podIPs))
    }
    self.podRulesets = podRulesets
    self.podEvaluators = podEvaluators
    self.lowered = lowered
    self.rulesets = rulesets
    self.evaluators = evaluators
    backends = Dictionary(
      rulesets.values.joined().flatMap { ruleset in
        ruleset.tables.map { (TableName(name: $0.name, family: $0.family), ruleset.backend) }
      }
    ) { first, _ in first }
    serviceFindings = findings.sorted { $0.description < $1.description }
  }

  /// The same verdicts with rules of some nodes only, and of these the ones that some packet can meet.
  public func reachable(onNodes nodes: Set<String>) -> EnforcedCluster {
    var part = self
    part.rulesets = rulesets.filter { nodes.contains($0.key) }.mapValues { $0.map(\.reachable) }
    return part
  }

  /// The same cluster with other rules on some nodes. Throws `IllFormed` for anything that a kernel would refuse.
  public func replacing(_ others: [String: [Ruleset]]) throws(IllFormed) -> EnforcedCluster {
    var other = self
    for (node, rules) in others {
      other.rulesets[node] = rules
      other.evaluators[node] = try Evaluator(rules, localAddresses: topology.node(node)?.localAddresses ?? [])
    }
    return other
  }

  /// The networks and single addresses that the rules of all nodes name.
  public func networks(_ family: IPFamily) -> Set<CIDR> { RuleBorders(evaluators.values, family).networks }

  /// Runs a packet through the rules of a node's hook. `nil`: the node has no rules here.
  public func run(_ packet: Packet, at hook: Hook, of node: String) -> Outcome? {
    evaluators[node]?.run(packet, at: hook)
  }

  /// Nodes whose rules are worked out side by side.
  private static let nodesAtOnce = 8

  /// What the enforcers of all nodes report about their policies and pods, each once.
  public var findings: [Finding] {
    Set(lowered.values.flatMap(\.findings)).sorted { $0.description < $1.description }
  }

  /// Follows the flow's first packet through the rules of every node on its way. If a node gets it, its own rules must
  /// let the answer leave: with default-deny kube-router's OUTPUT may refuse it. Pods' answers always pass.
  public func walk(_ flow: Flow) -> EvaluatedWalk {
    var hooks: [EvaluatedWalk.AtHook] = []
    var walk = topology.walk(flow) { passage(of: $1, at: $0, &hooks) }
    if case .delivered = walk.end, let last = hooks.last, last.position.hook == .input, last.position.pod == nil,
      let answer = last.outcome.packet.answer
    {
      let position = Position(node: last.position.node, hook: .output)
      if case .stopped = passage(of: answer, at: position, &hooks) {
        walk = Walk(positions: walk.positions + [position], end: .stopped(at: position))
      } else {
        hooks.removeLast()
      }
    }
    return EvaluatedWalk(walk: walk, hooks: hooks, forwarderAddresses: topology.forwarderAddresses)
  }

  /// The verdict on the flow's first packet. `nil` if no packet is sent that a rule could judge, or a service sends it
  /// to
  /// another endpoint than the flow asks about.
  public func verdict(of flow: Flow) -> Verdict? {
    let walk = walk(flow)
    if let chosen = flow.chosen, let to = walk.translatedTo, !chosen.isAt(to.address, port: to.port) { return nil }
    return walk.verdict
  }

  /// Follows any packet that is not sent to a multicast group through the rules of every node on its way.
  public func walk(_ packet: Packet, from source: Endpoint) -> EvaluatedWalk {
    var hooks: [EvaluatedWalk.AtHook] = []
    let walk = topology.walk(packet, from: source) { passage(of: $1, at: $0, &hooks) }
    return EvaluatedWalk(walk: walk, hooks: hooks, forwarderAddresses: topology.forwarderAddresses)
  }

  /// Returns what the rules at one hook do with a packet, or `nil` if there is no such machine.
  public func outcome(of packet: Packet, at position: Position, isTranslated: Bool = false) -> Outcome? {
    let evaluator = position.pod.map { podEvaluators[$0] } ?? evaluators[position.node]
    return evaluator?.run(
      packet, at: position.hook,
      leavingFrom: position.hook == .postrouting
        ? topology.leavingAddress(at: position, towards: packet.destination) : nil, isTranslated: isTranslated)
  }

  /// flannel's rules are in iptables with every style, and kube-proxy's as its mode says.
  func backend(ofTable name: String, _ family: IPFamily) -> EnforcementStyle.Backend {
    backends[TableName(name: name, family: family)] ?? style.backend
  }

  private func passage(of packet: Packet, at position: Position, _ hooks: inout [EvaluatedWalk.AtHook]) -> Passage {
    // A packet that comes back through `lo` has had its chance in OUTPUT.
    let last = hooks.last?.position
    let isLooped =
      position.hook == .prerouting && last == Position(node: position.node, pod: position.pod, hook: .postrouting)
    guard let outcome = outcome(of: packet, at: position, isTranslated: isLooped) else { return .passed(packet) }
    hooks.append(EvaluatedWalk.AtHook(position: position, packet: packet, outcome: outcome))
    return outcome.verdict == .accept ? .passed(outcome.packet) : .stopped
  }
}

/// A walk, with what the rules did at each hook.
public struct EvaluatedWalk: Sendable {
  public struct AtHook: Sendable {
    public let position: Position
    /// The packet before the hook.
    public let packet: Packet
    public let outcome: Outcome
  }
  public let walk: Walk
  public let hooks: [AtHook]
  /// Addresses of the pods that send on what they receive.
  let forwarderAddresses: Set<IPAddress>

  public var verdict: Verdict? { walk.verdict }

  /// How the packet was stopped, if it was.
  public var stop: Outcome.Verdict? { hooks.last.flatMap { $0.outcome.verdict == .accept ? nil : $0.outcome.verdict } }

  /// The rules that decided, each once: those that marked, accepted or exempted the packet, and the one that refused
  /// it. If a map's verdict led there, also the rule that asked the map: only that shows what the packet has gone to.
  public var deciding: [(position: Position, step: Step)] {
    hooks.flatMap { hook in
      let end = hook.outcome.verdict == .accept ? [] : hook.outcome.steps.suffix(2)
      return hook.outcome.steps.filter { $0.decides || $0.asksForVerdict && end.contains($0) }.map {
        (position: hook.position, step: $0)
      }
    }.uniqued(on: \.step)
  }
}

extension Step {
  fileprivate var asksForVerdict: Bool {
    rule.statements.contains { if case .verdictFrom = $0 { true } else { false } }
  }

  /// Whether the rule allows, exempts, refuses or translates. Jumps, log rules, the return after a policy's mark and
  /// what other programs let pass don't count.
  fileprivate var decides: Bool {
    rule.statements.contains { statement in
      switch statement {
      case .accept: rule.role != .foreign
      case .drop, .reject, .dnat, .dnatRandomly, .masquerade, .notrack: true
      case .setMark(let mark): mark.value != 0 && rule.origin?.policy != nil
      // The return after a hit in a set that has what all policies of a pod allow.
      case .return:
        rule.role == .exemption || rule.matches.contains { if case .keyed = $0 { true } else { false } }
      case .counter, .setMarkFrom, .log, .jump, .goto, .verdictFrom, .gotoRandomly: false
      }
    }
  }
}
