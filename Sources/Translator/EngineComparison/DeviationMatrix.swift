internal import Lowering
public import NetpolModel
public import Oracle

/// The verdicts of the deviation model for all flows that policies alone decide: question by question, all peers of an
/// end at once. Equal to `DeviationModel.verdict`, flow by flow.
public struct DeviationMatrix: Sendable {
  private let model: DeviationModel
  private let specified: OracleMatrix
  private let policies: [PolicyID: [Direction: [PreparedRule]]]
  /// By policy: the pods of its namespace that it selects.
  private let selected: [PolicyID: Bits]
  /// By node: the ends that speak for it, and the ends of its pods.
  private let speakers, podsOf: [String: Bits]
  /// Where default-deny must be looked at packet by packet.
  private let oddSources, oddDestinations: Bits
  private let everything: Bits

  /// What of a policy's rule does not depend on the question.
  private struct PreparedRule: Sendable {
    let rule: NetworkPolicy.Rule
    let podPeers, blocks: Bits
    let exposing: [Pod]
    /// The ends of those pods.
    let exposingEnds: Bits
    let exposedPorts: Set<TransportPort>
  }

  public init(_ model: DeviationModel, _ specified: OracleMatrix) {
    self.model = model
    self.specified = specified
    let ends = specified.ends
    everything = Bits(allBelow: ends.count)
    var policies: [PolicyID: [Direction: [PreparedRule]]] = [:]
    var selected: [PolicyID: Bits] = [:]
    var answers: [PeersQuestion: Bits] = [:]
    let number = Dictionary(ends.enumerated().map { ($1.endpoint, $0) }) { first, _ in first }
    for policy in model.cluster.policies {
      selected[policy.id] = Bits(
        ends.indices.filter { end in
          model.selectable(ends[end].endpoint).map {
            $0.id.namespace == policy.id.namespace && policy.podSelector.matches($0.labels)
          } == true
        }, count: ends.count)
      for direction in Direction.allCases {
        policies[policy.id, default: [:]][direction] = policy.rules(direction).map { rule in
          let exposing = model.exposing(rule, of: policy, direction)
          return PreparedRule(
            rule: rule, podPeers: Self.podPeers(rule, policy, model, ends, &answers),
            blocks: Self.blocks(rule, model, ends, &answers), exposing: exposing,
            exposingEnds: Bits(exposing.compactMap { number[.pod($0.id)] }, count: ends.count),
            exposedPorts: Set(
              exposing.flatMap(\.ports).filter { $0.name != nil }.map { TransportPort($0.transport, $0.number) }))
        }
      }
    }
    self.policies = policies
    self.selected = selected
    var speakers: [String: Bits] = [:]
    var podsOf: [String: Bits] = [:]
    var oddSources = Bits(count: ends.count)
    var oddDestinations = Bits(count: ends.count)
    for (index, end) in ends.enumerated() {
      let speaker = model.oracle.nodeSpeaking(end.endpoint)
      if let speaker { speakers[speaker, default: Bits(count: ends.count)].insert(index) }
      let pod = model.selectable(end.endpoint)
      if let node = pod?.node { podsOf[node, default: Bits(count: ends.count)].insert(index) }
      let isKnown = pod.map(model.hasChain) ?? false
      if let place = (pod?.node ?? speaker).flatMap(model.cluster.node), !isKnown,
        place.podCIDRs.contains(where: { $0.contains(end.address) })
      {
        oddSources.insert(index)
        oddDestinations.insert(index)
      }
    }
    self.speakers = speakers
    self.podsOf = podsOf
    self.oddSources = oddSources
    self.oddDestinations = oddDestinations
  }

  private struct PeersQuestion: Hashable {
    let peers: [NetworkPolicy.Peer]
    /// `nil` for blocks, which mean the same everywhere.
    let namespace: String?
  }

  private static func podPeers(
    _ rule: NetworkPolicy.Rule, _ policy: NetworkPolicy, _ model: DeviationModel, _ ends: [Flow.End],
    _ answers: inout [PeersQuestion: Bits]
  ) -> Bits {
    let peers = rule.peers.list.filter { if case .pods = $0 { true } else { false } }
    if peers.isEmpty { return Bits(count: ends.count) }
    return answer(PeersQuestion(peers: peers, namespace: policy.id.namespace), ends, &answers) { end in
      let flow = Flow(from: end.endpoint, end.address, to: end.endpoint, end.address, .echo)
      return model.admitsPeer(peers, of: policy, flow, .ingress)
    }
  }

  private static func blocks(
    _ rule: NetworkPolicy.Rule, _ model: DeviationModel, _ ends: [Flow.End], _ answers: inout [PeersQuestion: Bits]
  ) -> Bits {
    let peers = rule.peers.list.filter { if case .block = $0 { true } else { false } }
    if peers.isEmpty { return Bits(count: ends.count) }
    let blocks = peers.compactMap { if case .block(let block) = $0 { block } else { nil } }
    return answer(PeersQuestion(peers: peers, namespace: nil), ends, &answers) {
      model.contains($0.address, in: blocks)
    }
  }

  private static func answer(
    _ question: PeersQuestion, _ ends: [Flow.End], _ answers: inout [PeersQuestion: Bits], _ holds: (Flow.End) -> Bool
  ) -> Bits {
    if let known = answers[question] { return known }
    let bits = Bits(ends.indices.filter { holds(ends[$0]) }, count: ends.count)
    answers[question] = bits
    return bits
  }

  /// Whether an end is a pod without a chain of its own: its status has not the address of its node.
  func isUnknown(_ end: Int) -> Bool {
    model.selectable(specified.ends[end].endpoint).map { !model.hasChain($0) } ?? false
  }

  public func answers(to question: Flow.Question) -> Answers { Answers(self, question) }

  /// All flows that ask one question.
  public struct Answers: Sendable {
    private let matrix: DeviationMatrix
    private let question: Flow.Question
    private var known: [Key: Bits] = [:]
    private var ports: [RuleKey: PortMatches] = [:]
    /// The ends of pods that give the asked port a name.
    private let naming: Bits
    /// By source: the destinations to which egress policies let it send, and those where ingress policies let it in.
    private var letOut: [Bits] = []
    private var letIn: [Bits] = []
    /// By destination: the sources that its ingress policies let in.
    private var admitted: [Bits] = []

    private struct Key: Hashable {
      let direction: Direction
      let list: Int
    }
    private struct RuleKey: Hashable {
      let policy: PolicyID
      let direction: Direction
      let index: Int
      /// -1: any destination that neither gives the port a name nor exposes one of the rule's.
      let destination: Int
    }

    fileprivate init(_ matrix: DeviationMatrix, _ question: Flow.Question) {
      self.matrix = matrix
      self.question = question
      let ends = matrix.specified.ends
      naming = Bits(
        ends.indices.filter { end in
          guard case .port(let asked) = question else { return false }
          return matrix.model.selectable(ends[end].endpoint)?.ports.contains {
            $0.name != nil && $0.number == asked.port && $0.transport == asked.transport
          } == true
        }, count: ends.count)
      admitted = ends.indices.map { peers(of: $0, .ingress) }
      letIn = Bits.transposed(admitted)
      letOut = ends.indices.map { peers(of: $0, .egress) }
    }

    /// The destinations to which egress policies let a source send.
    public func departures(of source: Int) -> Bits { letOut[source] }

    /// The destinations to which the model lets the flows of a source go.
    public func destinations(of source: Int) -> Bits {
      let (model, ends) = (matrix.model, matrix.specified.ends)
      var bits = letOut[source]
      bits.formIntersection(letIn[source])
      if model.oracle.nodeSpeaking(ends[source].endpoint) == nil { bits.insert(source) }
      if model.cluster.settings.defaultDeny, model.deviations.contains(.refusesUnprogrammed) {
        let looked = matrix.oddSources.contains(source) ? matrix.everything : matrix.oddDestinations
        looked.visit { destination in
          let flow = flow(source, destination)
          if model.meetsDefaultDeny(model.oracle.resolve(flow)) { bits.remove(destination) }
        }
      }
      return bits
    }

    /// The destinations where ingress policies let a source in.
    public func arrivals(of source: Int) -> Bits { letIn[source] }

    /// The sources that a destination's ingress policies let in.
    public func senders(to destination: Int) -> Bits { admitted[destination] }

    private func flow(_ source: Int, _ destination: Int) -> Flow {
      let (from, to) = (matrix.specified.ends[source], matrix.specified.ends[destination])
      return Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, question)
    }

    /// The peers with which an end may exchange packets, as far as one direction's policies count.
    private mutating func peers(of subject: Int, _ direction: Direction) -> Bits {
      let (model, ends) = (matrix.model, matrix.specified.ends)
      guard !model.enforcesNothing, let pod = model.selectable(ends[subject].endpoint) else { return matrix.everything }
      var row = policyPeers(of: subject, direction, of: pod)
      if model.deviations.contains(.bridgeHidesPackets), !model.cluster.settings.bridgeNetfilter, let node = pod.node,
        let neighbours = matrix.podsOf[node]
      {
        neighbours.visit { if model.isHiddenByBridge(flow(subject, $0)) { row.insert($0) } }
      }
      return row
    }

    private mutating func policyPeers(of subject: Int, _ direction: Direction, of pod: Pod) -> Bits {
      let model = matrix.model
      if model.deviations.contains(.unknownHostIP), !model.hasChain(pod) {
        // Only a node whose address the pod's hostIP is would judge it, and only packets from its own pods.
        var row = matrix.everything
        let judges = model.cluster.nodes.filter { node in pod.hostIP.map(node.addresses.contains) ?? false }
        for judge in judges {
          guard let theirs = matrix.podsOf[judge.name] else { continue }
          row.subtract(theirs)
          row.formUnion(judged(subject, direction, by: judge.name).intersection(theirs))
        }
        return row
      }
      return judged(subject, direction, by: pod.node)
    }

    /// The peers that the policies admit on the node that judges.
    private mutating func judged(_ subject: Int, _ direction: Direction, by judge: String?) -> Bits {
      let (model, specified) = (matrix.model, matrix.specified)
      let list = specified.isolation(of: subject, direction)
      if list < 0 { return matrix.everything }
      guard let pod = model.selectable(specified.ends[subject].endpoint) else { return matrix.everything }
      let policies = model.oracle.policies(isolating: pod, direction)
      let isOwn =
        direction == .ingress && policies.contains { $0.ingress.contains(where: \.namesPorts) }
        || model.deviations.contains(.bothTypePolicy) && policies.contains { $0.isolates.count == 2 }
      let key = Key(direction: direction, list: list)
      var row: Bits
      if !isOwn, let found = known[key] {
        row = found
      } else {
        row = Bits(count: specified.ends.count)
        for policy in policies { add(policy, subject, direction, to: &row) }
        if !isOwn { known[key] = row }
      }
      if let judge, let own = matrix.speakers[judge] {
        if direction == .ingress {
          row.formUnion(own)
        } else if model.deviations.contains(.ownNodePorts) {
          own.visit { if model.isExemptInInput(flow(subject, $0)) { row.insert($0) } }
        }
      }
      return row
    }

    private mutating func add(_ policy: NetworkPolicy, _ subject: Int, _ direction: Direction, to row: inout Bits) {
      let (model, ends) = (matrix.model, matrix.specified.ends)
      if model.deviations.contains(.overlappingBlocks), policy.hasOverlappingBlocks(ends[subject].address.family) {
        return
      }
      for (index, rule) in (matrix.policies[policy.id]?[direction] ?? []).enumerated() {
        let key = RuleKey(policy: policy.id, direction: direction, index: index, destination: -1)
        for (ports, peers) in kinds(rule, key, direction == .ingress ? subject : nil, matrix.everything) {
          row.formUnion(peers.intersection(admitted(rule, direction, ports)))
        }
      }
      guard model.deviations.contains(.bothTypePolicy), policy.isolates.count == 2,
        let others = matrix.selected[policy.id]
      else { return }
      let opposite = direction.opposite
      for (index, rule) in (matrix.policies[policy.id]?[opposite] ?? []).enumerated() {
        let key = RuleKey(policy: policy.id, direction: opposite, index: index, destination: -1)
        for (ports, peers) in kinds(rule, key, direction == .ingress ? subject : nil, others)
        where admitted(rule, opposite, ports).contains(subject) {
          row.formUnion(peers)
        }
      }
    }

    /// What the rule's ports mean, each with the ends for which that is so. `destination` is the only one if it is
    /// given;
    /// otherwise each end is its own.
    private mutating func kinds(
      _ rule: PreparedRule, _ key: RuleKey, _ destination: Int?, _ ends: Bits
    ) -> [(PortMatches, Bits)] {
      let special = special(rule)
      if let destination {
        return [(matches(rule, key, special.contains(destination) ? destination : -1), ends)]
      }
      var kinds = [(matches(rule, key, -1), ends.subtracting(special))]
      special.intersection(ends).visit { end in
        kinds.append((matches(rule, key, end), Bits([end], count: matrix.specified.ends.count)))
      }
      return kinds
    }

    /// The destinations for which a rule's named ports may mean something of their own.
    private func special(_ rule: PreparedRule) -> Bits {
      guard case .port(let asked) = question, rule.rule.namesPorts else {
        return Bits(count: matrix.specified.ends.count)
      }
      return rule.exposedPorts.contains(asked) ? naming.union(rule.exposingEnds) : naming
    }

    private mutating func matches(_ rule: PreparedRule, _ key: RuleKey, _ destination: Int) -> PortMatches {
      let key = RuleKey(policy: key.policy, direction: key.direction, index: key.index, destination: destination)
      if let known = ports[key] { return known }
      let ends = matrix.specified.ends
      let any = Flow(from: ends[0].endpoint, ends[0].address, to: ends[0].endpoint, ends[0].address, question)
      let matches = PortMatches(
        rule.rule.ports, any, destination: destination < 0 ? nil : matrix.model.selectable(ends[destination].endpoint),
        rule.exposing, matrix.model.deviations)
      ports[key] = matches
      return matches
    }

    /// The peers that a rule admits, if this is what its ports mean. As `DeviationModel.admits`.
    private func admitted(_ rule: PreparedRule, _ direction: Direction, _ ports: PortMatches) -> Bits {
      let deviations = matrix.model.deviations
      var row = Bits(count: matrix.specified.ends.count)
      let matchesPort = ports.matchesAll || ports.matchesNumber || ports.matchesName
      guard case .listed = rule.rule.peers else {
        let matches =
          direction == .egress && deviations.contains(.egressNamedPortToAnyone)
          ? ports.matchesAll || ports.matchesNumber || ports.numberIsNamed : matchesPort
        return matches ? matrix.everything : row
      }
      if matchesPort || deviations.contains(.unresolvedNamedPort) && ports.hasOnlyUnresolvedNames {
        row.formUnion(rule.podPeers)
      }
      let isLeftOut = direction == .egress && deviations.contains(.egressNamedPortToBlock)
      if ports.matchesAll || ports.matchesNumber || !isLeftOut && ports.matchesName { row.formUnion(rule.blocks) }
      return row
    }
  }
}
