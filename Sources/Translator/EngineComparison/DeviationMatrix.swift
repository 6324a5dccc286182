internal import Lowering
public import NetpolModel
public import Oracle

/// The verdicts of the deviation model for all flows that policies alone decide: question by question, all peers of an
/// end at once. Equal to `DeviationModel.verdict`, flow by flow. A class, since all answers share its many arrays.
public final class DeviationMatrix: Sendable {
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
  /// The ends that are pods without a chain of their own: their status has not the address of their node.
  let unknown: Bits
  /// By end: what is known of it, if it is a pod with an address of its own.
  private let subjects: [Subject?]
  /// By kind: the ends of pods whose containers have the same ports.
  private let endsOfKind: [Bits]
  /// The ends of pods that give a port a name.
  private let naming: [TransportPort: Bits]
  /// By direction and list of isolating policies: what the peers of an end with this list depend on.
  private let dependences: [Direction: [Dependence]]
  private let enforcesNothing, hidesByBridge, ignoresUnknown, exemptsOwnPorts: Bool

  private enum Dependence: Sendable {
    case list
    /// On the ports of the end's containers too, and on whether it is among these ends: those that give names of a rule
    /// their numbers.
    case ports([Bits])
    case end
  }

  private struct Subject: Sendable {
    let node: String?
    let hasChain: Bool
    let portKind: Int
  }

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
    let number = Dictionary(ends.enumerated().map { ($1.endpoint, $0) }) { first, _ in first }
    let pods = ends.map { model.selectable($0.endpoint) }
    let answers = Self.answers(model, specified)
    var endsOf: [String: [Int]] = [:]
    for (end, pod) in pods.enumerated() { if let pod { endsOf[pod.id.namespace, default: []].append(end) } }
    let byNamespace = endsOf
    let all = model.cluster.policies
    let selecting = concurrentMap(all.count) { index in
      Bits(
        (byNamespace[all[index].id.namespace] ?? []).filter { end in
          pods[end].map { all[index].podSelector.matches($0.labels) } == true
        }, count: ends.count)
    }
    selected = Dictionary(zip(all.map(\.id), selecting)) { first, _ in first }
    var policies: [PolicyID: [Direction: [PreparedRule]]] = [:]
    for policy in all {
      for direction in Direction.allCases {
        policies[policy.id, default: [:]][direction] = policy.rules(direction).map { rule in
          let exposing = model.exposing(rule, of: policy, direction)
          let bits = { (question: PeersQuestion?) in question.flatMap { answers[$0] } ?? Bits(count: ends.count) }
          return PreparedRule(
            rule: rule, podPeers: bits(PeersQuestion(pods: rule, of: policy)),
            blocks: bits(PeersQuestion(blocks: rule)),
            exposing: exposing,
            exposingEnds: Bits(exposing.compactMap { number[.pod($0.id)] }, count: ends.count),
            exposedPorts: Set(
              exposing.flatMap(\.ports).filter { $0.name != nil }.map { TransportPort($0.transport, $0.number) }))
        }
      }
    }
    self.policies = policies
    var kinds: [[ContainerPort]: Int] = [:]
    var endsOfKind: [Bits] = []
    var naming: [TransportPort: Bits] = [:]
    subjects = pods.enumerated().map { end, pod in
      guard let pod else { return nil }
      let kind = kinds[pod.ports, default: kinds.count]
      if kind == kinds.count {
        kinds[pod.ports] = kind
        endsOfKind.append(Bits(count: ends.count))
      }
      endsOfKind[kind].insert(end)
      for port in pod.ports where port.name != nil {
        naming[TransportPort(port.transport, port.number), default: Bits(count: ends.count)].insert(end)
      }
      return Subject(node: pod.node, hasChain: model.hasChain(pod), portKind: kind)
    }
    let subjects = subjects
    unknown = Bits(
      ends.indices.filter { subjects[$0].map { !$0.hasChain } ?? false }, count: ends.count)
    self.endsOfKind = endsOfKind
    self.naming = naming
    enforcesNothing = model.enforcesNothing
    hidesByBridge = model.deviations.contains(.bridgeHidesPackets) && !model.cluster.settings.bridgeNetfilter
    ignoresUnknown = model.deviations.contains(.unknownHostIP)
    exemptsOwnPorts = model.deviations.contains(.ownNodePorts)
    dependences = Direction.allCases.reduce(into: [:]) { lists, direction in
      lists[direction] = (0..<specified.listCount(direction)).map { number in
        let own = specified.policies(ofList: number, direction)
        if model.deviations.contains(.bothTypePolicy), own.contains(where: { $0.isolates.count == 2 }) { return .end }
        let naming = own.flatMap { policies[$0.id]?[direction] ?? [] }.filter(\.rule.namesPorts)
        return direction == .egress || naming.isEmpty ? .list : .ports(naming.map(\.exposingEnds))
      }
    }
    var speakers: [String: Bits] = [:]
    var podsOf: [String: Bits] = [:]
    var oddSources = Bits(count: ends.count)
    var oddDestinations = Bits(count: ends.count)
    for (index, end) in ends.enumerated() {
      let speaker = model.oracle.nodeSpeaking(end.endpoint)
      if let speaker { speakers[speaker, default: Bits(count: ends.count)].insert(index) }
      let pod = pods[index]
      if let node = pod?.node { podsOf[node, default: Bits(count: ends.count)].insert(index) }
      let isKnown = subjects[index]?.hasChain ?? false
      if let place = (pod?.node ?? speaker).flatMap(model.node(named:)), !isKnown,
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

  /// Which ends are among some peers.
  private struct PeersQuestion: Hashable {
    let peers: [NetworkPolicy.Peer]
    /// `nil` for blocks, which mean the same everywhere.
    let namespace: String?

    /// `nil` if the rule has no such peers.
    init?(pods rule: NetworkPolicy.Rule, of policy: NetworkPolicy) {
      peers = rule.peers.list.filter { if case .pods = $0 { true } else { false } }
      namespace = policy.id.namespace
      if peers.isEmpty { return nil }
    }

    init?(blocks rule: NetworkPolicy.Rule) {
      peers = rule.peers.list.filter { if case .block = $0 { true } else { false } }
      namespace = nil
      if peers.isEmpty { return nil }
    }
  }

  private static func answers(_ model: DeviationModel, _ specified: OracleMatrix) -> [PeersQuestion: Bits] {
    let ends = specified.ends
    var asked: [(question: PeersQuestion, policy: NetworkPolicy)] = []
    var known: Set<PeersQuestion> = []
    for policy in model.cluster.policies {
      for rule in policy.ingress + policy.egress {
        for question in [PeersQuestion(pods: rule, of: policy), PeersQuestion(blocks: rule)].compactMap(\.self)
        where known.insert(question).inserted {
          asked.append((question, policy))
        }
      }
    }
    let questions = asked
    let answers = concurrentMap(questions.count) { index in
      let (question, policy) = questions[index]
      if question.namespace == nil {
        let blocks = question.peers.compactMap { if case .block(let block) = $0 { block } else { nil } }
        return Bits(ends.indices.filter { model.contains(ends[$0].address, in: blocks) }, count: ends.count)
      }
      return specified.podsAlike.reduce(into: Bits(count: ends.count)) { bits, alike in
        guard let end = alike.first.map({ ends[$0] }) else { return }
        let flow = Flow(from: end.endpoint, end.address, to: end.endpoint, end.address, .echo)
        if model.admitsPeer(question.peers, of: policy, flow, .ingress) { bits.formUnion(alike) }
      }
    }
    return Dictionary(zip(questions.map(\.question), answers)) { first, _ in first }
  }

  /// `subjects`: as `OracleMatrix.answers`.
  public func answers(to question: Flow.Question, of subjects: [Int]? = nil) -> Answers {
    Answers(self, question, subjects)
  }

  /// All flows that ask one question.
  public struct Answers: Sendable {
    private let matrix: DeviationMatrix
    private let question: Flow.Question
    private var known: [Key: Bits] = [:]
    private var ports: [RuleKey: PortMatches] = [:]
    /// The ends of pods that give the asked port a name.
    private let naming: Bits
    /// By subject: its place. `nil`: every end is one.
    private let places: [Int: Int]?
    /// By place: the destinations to which egress policies let the subject send, and those where ingress policies let
    /// it in.
    private var letOut: [Bits] = []
    private var letIn: [Bits] = []
    /// By place: the sources that the subject's ingress policies let in.
    private var admitted: [Bits] = []

    private struct Key: Hashable {
      let direction: Direction
      let list: Int
      var portKind = -1
      var isExposing: [Bool] = []
    }
    private struct RuleKey: Hashable {
      let policy: PolicyID
      let direction: Direction
      let index: Int
      let destination: Destination?
    }
    /// What named ports mean at a destination depends on the ports of its containers, and on whether its pod is among
    /// those that give the names their numbers.
    private struct Destination: Hashable {
      let portKind: Int
      let isExposing: Bool
    }

    fileprivate init(_ matrix: DeviationMatrix, _ question: Flow.Question, _ subjects: [Int]?) {
      self.matrix = matrix
      self.question = question
      let ends = matrix.specified.ends
      if case .port(let asked) = question, let named = matrix.naming[asked] {
        naming = named
      } else {
        naming = Bits(count: ends.count)
      }
      places = subjects.map { subjects in Dictionary(zip(subjects, subjects.indices)) { first, _ in first } }
      let asked = subjects ?? Array(ends.indices)
      admitted = asked.map { peers(of: $0, .ingress) }
      letOut = asked.map { peers(of: $0, .egress) }
      letIn = subjects.map { Bits.transposed(admitted, of: $0) } ?? Bits.transposed(admitted)
    }

    /// The destinations to which egress policies let a source send.
    public func departures(of source: Int) -> Bits {
      place(source).map { letOut[$0] } ?? computed(source, .egress)
    }

    /// The destinations to which the model lets the flows of a source go.
    public func destinations(of source: Int) -> Bits {
      let (model, ends) = (matrix.model, matrix.specified.ends)
      var bits = departures(of: source)
      bits.formIntersection(arrivals(of: source))
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
    public func arrivals(of source: Int) -> Bits {
      place(source).map { letIn[$0] } ?? Bits(count: matrix.specified.ends.count)
    }

    /// The sources that a destination's ingress policies let in.
    public func senders(to destination: Int) -> Bits {
      place(destination).map { admitted[$0] } ?? computed(destination, .ingress)
    }

    /// `nil` if it is no subject.
    private func place(_ end: Int) -> Int? { places.map { $0[end] } ?? end }

    private func computed(_ end: Int, _ direction: Direction) -> Bits {
      var other = self
      return other.peers(of: end, direction)
    }

    private func flow(_ source: Int, _ destination: Int) -> Flow {
      let (from, to) = (matrix.specified.ends[source], matrix.specified.ends[destination])
      return Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, question)
    }

    /// The peers with which an end may exchange packets, as far as one direction's policies count.
    private mutating func peers(of end: Int, _ direction: Direction) -> Bits {
      guard !matrix.enforcesNothing, let subject = matrix.subjects[end] else { return matrix.everything }
      var row = policyPeers(of: end, direction, subject)
      if matrix.hidesByBridge, let node = subject.node, let neighbours = matrix.podsOf[node] {
        neighbours.visit { if matrix.model.isHiddenByBridge(flow(end, $0)) { row.insert($0) } }
      }
      return row
    }

    private mutating func policyPeers(of end: Int, _ direction: Direction, _ subject: Subject) -> Bits {
      guard matrix.ignoresUnknown, !subject.hasChain else { return judged(end, direction, subject, by: subject.node) }
      // Only a node whose address the pod's hostIP is would judge it, and only packets from its own pods.
      var row = matrix.everything
      let hostIP = matrix.model.selectable(matrix.specified.ends[end].endpoint)?.hostIP
      let judges = matrix.model.cluster.nodes.filter { node in hostIP.map(node.addresses.contains) ?? false }
      for judge in judges {
        guard let theirs = matrix.podsOf[judge.name] else { continue }
        row.subtract(theirs)
        row.formUnion(judged(end, direction, subject, by: judge.name).intersection(theirs))
      }
      return row
    }

    /// The peers that the policies admit on the node that judges.
    private mutating func judged(_ end: Int, _ direction: Direction, _ subject: Subject, by judge: String?) -> Bits {
      let list = matrix.specified.isolation(of: end, direction)
      if list < 0 { return matrix.everything }
      var row = policyPeers(end, direction, subject, list)
      if let judge, let own = matrix.speakers[judge] {
        if direction == .ingress {
          row.formUnion(own)
        } else if matrix.exemptsOwnPorts {
          own.visit { if matrix.model.isExemptInInput(flow(end, $0)) { row.insert($0) } }
        }
      }
      return row
    }

    private mutating func policyPeers(_ end: Int, _ direction: Direction, _ subject: Subject, _ list: Int) -> Bits {
      var key = Key(direction: direction, list: list)
      switch matrix.dependences[direction]?[list] {
      case .list?: break
      case .ports(let exposing)?:
        key.portKind = subject.portKind
        key.isExposing = exposing.map { $0.contains(end) }
      case .end?, nil: return policyPeers(end, direction, list)
      }
      if let found = known[key] { return found }
      let row = policyPeers(end, direction, list)
      known[key] = row
      return row
    }

    private mutating func policyPeers(_ end: Int, _ direction: Direction, _ list: Int) -> Bits {
      var row = Bits(count: matrix.specified.ends.count)
      for policy in matrix.specified.policies(ofList: list, direction) { add(policy, end, direction, to: &row) }
      return row
    }

    private mutating func add(_ policy: NetworkPolicy, _ subject: Int, _ direction: Direction, to row: inout Bits) {
      let (model, ends) = (matrix.model, matrix.specified.ends)
      if model.deviations.contains(.overlappingBlocks), policy.hasOverlappingBlocks(ends[subject].address.family) {
        return
      }
      for (index, rule) in (matrix.policies[policy.id]?[direction] ?? []).enumerated() {
        let key = RuleKey(policy: policy.id, direction: direction, index: index, destination: nil)
        for (ports, peers) in kinds(rule, key, direction == .ingress ? subject : nil, matrix.everything) {
          row.formUnion(peers.intersection(admitted(rule, direction, ports)))
        }
      }
      guard model.deviations.contains(.bothTypePolicy), policy.isolates.count == 2,
        let others = matrix.selected[policy.id]
      else { return }
      let opposite = direction.opposite
      for (index, rule) in (matrix.policies[policy.id]?[opposite] ?? []).enumerated() {
        let key = RuleKey(policy: policy.id, direction: opposite, index: index, destination: nil)
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
        return [(matches(rule, key, special.contains(destination) ? destination : nil), ends)]
      }
      if special.isEmpty { return [(matches(rule, key, nil), ends)] }
      var kinds = [(matches(rule, key, nil), ends.subtracting(special))]
      let others = special.intersection(ends)
      for alike in matrix.endsOfKind where !alike.isDisjoint(with: others) {
        let some = others.intersection(alike)
        for part in [some.intersection(rule.exposingEnds), some.subtracting(rule.exposingEnds)] {
          if let first = part.first { kinds.append((matches(rule, key, first), part)) }
        }
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

    /// `destination`: `nil` for any that neither gives the port a name nor exposes one of the rule's.
    private mutating func matches(_ rule: PreparedRule, _ key: RuleKey, _ destination: Int?) -> PortMatches {
      let ends = matrix.specified.ends
      let kind = destination.flatMap { end in
        matrix.subjects[end].map { Destination(portKind: $0.portKind, isExposing: rule.exposingEnds.contains(end)) }
      }
      let key = RuleKey(policy: key.policy, direction: key.direction, index: key.index, destination: kind)
      if let known = ports[key] { return known }
      let any = Flow(from: ends[0].endpoint, ends[0].address, to: ends[0].endpoint, ends[0].address, question)
      let matches = PortMatches(
        rule.rule.ports, any, destination: destination.flatMap { matrix.model.selectable(ends[$0].endpoint) },
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
