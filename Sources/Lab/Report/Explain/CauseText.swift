internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Path
internal import RuleIR
internal import Run

/// The verdict's cause in a few lines: what the nearest rules lack, and what must be said besides.
struct CauseText {
  struct Line {
    enum Kind: String {
      /// A rule that was meant for the flow, or policies without rules.
      case cause = "Cause"
      /// The rule that lacks fewest conditions, and others that lack as few.
      case nearest = "Nearest"
      case also = "Also"
      /// What the policies say where packets pass all the same.
      case specification = "By the specification"
      case note = "Note"
    }
    let kind: Kind
    let text: String
  }

  private let flow: ExplainedFlow
  private let cluster: Cluster

  init(_ flow: ExplainedFlow, _ cluster: Cluster) {
    self.flow = flow
    self.cluster = cluster
  }

  /// Most important first.
  var lines: [Line] {
    let refusals = flow.parts.lazy.compactMap { part in part.refusing.map { (part, $0) } }.first
    guard let (part, side) = refusals else {
      return [refusedBefore].compactMap(\.self) + endpoints + notes(isRefused: false)
    }
    switch (flow.comparison.finding, flow.comparison.verdict) {
    // Nobody refuses what no packet can show.
    case (.noRoute, _), (.notModelled, _), (.notChosen, _), (.undecided, _): return notes(isRefused: false)
    case (_, .allow?):
      // A ping that passes: the specification says nothing of it.
      if flow.comparison.specified == nil {
        return [
          Line(kind: .note, text: "the specification says nothing of pings, and the rules let this one pass (D5)")
        ]
          + notes(isRefused: false)
      }
      return causes(part, side).prefix(1).map { Line(kind: .specification, text: "denied: \($0.text)") }
        + notes(isRefused: false)
    case (_, .deny?), (_, nil):
      return causes(part, side) + otherSide(of: part, besides: side) + notes(isRefused: true)
    }
  }

  private func causes(_ part: PartExplanation, _ side: SideExplanation) -> [Line] {
    let nearest = nearest(part, side)
    let found = [meant(part, side) ?? masqueraded(part, side)].compactMap(\.self) + nearest
    if !found.isEmpty { return found }
    let policies = side.policies.filter { $0.standing == .inForce }.map(\.policy)
    if policies.isEmpty { return [] }
    let names = policies.map { policy in "\(policy.id)\(policy.location.map { " (\($0))" } ?? "")" }.abridged(to: 3)
    let has = policies.count == 1 ? "has" : "have"
    var text = "\(names) \(has) no \(side.direction.keyword) rules: nobody is admitted"
    if side.direction == .ingress, policies.count == 1, policies[0].typesLocation == nil {
      text += "; without policyTypes a policy always isolates for ingress"
    }
    let opposite = side.direction.opposite
    if let only = policies.first, policies.count == 1, !only.isolates.contains(opposite), !only.rules(opposite).isEmpty
    {
      text +=
        "; its \(opposite.keyword) rules are not in force, since policyTypes names \(side.direction.rawValue) alone "
        + "[\(Code.otherTypes)]"
    }
    return [Line(kind: .cause, text: text)]
  }

  /// The rule that admits the flow as it was before it was translated.
  private func meant(_ part: PartExplanation, _ side: SideExplanation) -> Line? {
    guard let (policy, rule, byAddress) = part.meant else { return nil }
    let place = rule.rule.location.map { " (\($0))" } ?? ""
    let name = "\(policy.policy.id), \(side.direction.keyword) rule \(rule.index)\(place)"
    let (before, after) = (part.asked.ends(side.direction).peer.address, side.peer.address)
    let text = { (address: IPAddress, port: UInt16?) in port.map { address.description(port: $0) } ?? "\(address)" }
    let who = part.intermediary.map { "\($0)" } ?? "a node"
    if byAddress, before != after {
      if side.direction == .ingress {
        return Line(
          kind: .cause,
          text: "\(name) admits \(before), but the packet arrives as \(after): a node put its own address on it")
      }
      return Line(
        kind: .cause,
        text: "\(name) admits \(text(before, part.asked.port)), but \(who) has turned that into "
          + "\(text(after, side.flow.port)) before policies see the packet")
    }
    guard let asked = part.asked.port, let seen = side.flow.port, asked != seen else { return nil }
    return Line(kind: .cause, text: "\(name) admits port \(asked), but policies see the target of \(who): port \(seen)")
  }

  /// The rule that admits the sender, whose address a node has replaced.
  private func masqueraded(_ part: PartExplanation, _ side: SideExplanation) -> Line? {
    guard side.direction == .ingress, let plain = part.unmasqueraded, plain.verdict == .allow,
      let policy = plain.policies.first(where: { $0.standing == .inForce && $0.admits }),
      let rule = policy.rules.first(where: \.admits)
    else { return nil }
    let place = rule.rule.location.map { " (\($0))" } ?? ""
    return Line(
      kind: .cause,
      text:
        "\(policy.policy.id), ingress rule \(rule.index)\(place) admits \(plain.peer.endpoint), but the packet arrives as "
        + "\(side.peer.address): a node put its own address on it")
  }

  /// Up to three of the entries that lack fewest conditions. Those of the other address family come last.
  private func nearest(_ part: PartExplanation, _ side: SideExplanation) -> [Line] {
    guard let least = side.nearest?.distance else { return [] }
    let texts = MissText(cluster, part, side)
    var entries: [(isOtherFamily: Bool, text: String)] = []
    for policy in side.policies where policy.standing == .inForce {
      for rule in policy.rules where rule.distance == least {
        let peers = rule.peers.filter { $0.misses.count == rule.peers.first?.misses.count }
        for peer in peers.isEmpty ? [nil] : peers.map(Optional.some) {
          let isOther = peer?.misses.contains { if case .otherFamily = $0 { true } else { false } } ?? false
          entries.append((isOther, sentence(policy, rule, peer, side, texts)))
        }
      }
    }
    let sorted = entries.filter { !$0.isOtherFamily } + entries.filter(\.isOtherFamily)
    let lines = sorted.prefix(3).enumerated().map { Line(kind: $0 == 0 ? .nearest : .also, text: $1.text) }
    let rest = sorted.count - lines.count
    return lines + (rest > 0 ? [Line(kind: .also, text: "\(rest) more that lack as little")] : [])
  }

  /// `shop/db, ingress rule 0, peer 1 (db.yaml:14): …`
  private func sentence(
    _ policy: PolicyExplanation, _ rule: RuleExplanation, _ peer: RuleExplanation.Entry?, _ side: SideExplanation,
    _ texts: MissText
  ) -> String {
    let port = rule.ports.first
    let missesPeer = peer.map { !$0.admits } ?? false
    let missesPort = port.map { !$0.admits } ?? false
    var name = "\(policy.policy.id), \(side.direction.keyword) rule \(rule.index)"
    if missesPeer, let peer { name += ", peer \(peer.index)" }
    if missesPort, !missesPeer, let port, rule.ports.count == 1 { name += ", port \(port.index)" }
    let place =
      missesPeer
      ? peer.flatMap { rule.placeOfPeer($0.index) } : missesPort ? port.flatMap { rule.placeOfPort($0.index) } : nil
    if let place = place ?? rule.rule.location { name += " (\(place))" }
    let lacks =
      (peer?.misses ?? []).map { texts.coded($0, of: rule.rule) }
      + (missesPort ? [texts.ports(rule)] : [])
      .compactMap(\.self)
    return "\(name): \(lacks.joined(separator: "; and "))"
  }

  /// If the other end does not admit the flow either.
  private func otherSide(of part: PartExplanation, besides side: SideExplanation) -> [Line] {
    part.sides.filter { $0.verdict == .deny && $0.direction != side.direction }.map { other in
      let why = causes(other, in: part).first?.text ?? ""
      return Line(kind: .also, text: "\(other.direction.keyword) of \(other.subject.endpoint) is refused too: \(why)")
    }
  }

  private func causes(_ side: SideExplanation, in part: PartExplanation) -> [Line] {
    let alone = PartExplanation(
      asked: part.asked, sent: part.sent, arrived: part.arrived, intermediary: part.intermediary, sides: [side])
    return causes(alone, side)
  }

  /// A Service refuses the flow, but the sender's policies do so first, on its own node.
  private var refusedBefore: Line? {
    guard flow.comparison.verdict == .deny, let hook = flow.record.hooks.last, hook.stop != nil,
      let pod = hook.rules.last(where: \.decides)?.rule.origin?.pod, case .pod(pod) = flow.comparison.flow.source,
      let own = cluster.pod(pod), let endpoint = flow.comparison.flow.destinationText
    else { return nil }
    let policies = cluster.policies.filter {
      $0.id.namespace == pod.namespace && $0.isolates.contains(.egress) && $0.podSelector.matches(own.labels)
    }
    let names = policies.map { policy in "\(policy.id)\(policy.location.map { " (\($0))" } ?? "")" }.abridged(to: 3)
    return Line(
      kind: .cause,
      text:
        "on \(hook.position.machine) the egress policies of \(pod) refuse the packet first: \(names) admit nothing to "
        + "\(endpoint), the address before it is translated")
  }

  /// Why a Service has no endpoint for the flow.
  private var endpoints: [Line] {
    (flow.comparison.specified?.because ?? []).compactMap { reason in
      switch reason {
      case .noEndpoints(let id):
        return EndpointText(id, cluster).map { service in
          Line(
            kind: .cause,
            text: "Service \(id): \(service.absence(flow.comparison.flow.family, flow.comparison.flow.port))")
        }
      case .outOfSourceRanges(let id):
        return cluster.service(id).map { service in
          let ranges = service.loadBalancerSourceRanges.map(\.description).abridged(to: 4)
          return Line(
            kind: .cause,
            text: "Service \(id): its loadBalancerSourceRanges (\(ranges)) don't hold the client's address")
        }
      case .noLocalEndpoints(let id, let node):
        return EndpointText(id, cluster).map { service in
          Line(kind: .cause, text: "Service \(id): \(service.places(besides: node, flow.comparison.flow.family))")
        }
      default: return nil
      }
    }
  }

  private func notes(isRefused: Bool) -> [Line] {
    var notes: [String] = []
    for part in flow.parts {
      guard case .service(let id)? = part.intermediary, let node = nodeOf(part.asked.source) else { continue }
      if let advice = EndpointText(id, cluster)?.advice(to: node, part.asked.family) { notes.append(advice) }
    }
    for side in flow.parts.flatMap(\.sides) {
      for policy in side.policies.filter({ $0.standing == .otherTypes(hasRules: true) }).prefix(2) {
        notes.append(
          "the \(side.direction.keyword) rules of \(policy.policy.id) are not in force: policyTypes names "
            + "\(side.direction.opposite.rawValue) alone\(policy.policy.typesLocation.map { " (\($0))" } ?? "") "
            + "[\(Code.otherTypes)]")
      }
      let vain = side.policies.filter { $0.standing == .selectsInVain }.map(\.policy.id.description)
      if !vain.isEmpty {
        notes.append(
          "\(vain.abridged(to: 3)) \(vain.count == 1 ? "selects" : "select") \(side.subject.endpoint) in vain: "
            + "no policy applies to a pod on its node's network [\(Code.selectsInVain)]")
      }
    }
    if !isRefused, flow.comparison.verdict == .allow, let job = jobEnd {
      notes.append(
        "\(job.id) is a pod of a \(job.owner?.kind ?? "Job"): where its address must get into a set first, its first "
          + "packets are refused until the next sync; netpol-lab lag measures how long")
    }
    if !isRefused, flow.comparison.verdict == .allow { notes += undeclared }
    if isRefused, flow.comparison.flow.transportPort != nil {
      notes.append("connections that were open before these policies came stay open (D13)")
    }
    return notes.map { Line(kind: .note, text: $0) }
  }

  /// That no container of the receiver declares the port: it may be the wrong one.
  private var undeclared: [String] {
    guard let last = flow.parts.last?.arrived, case .pod(let id) = last.destination, let asked = last.transportPort,
      let pod = cluster.pod(id), !pod.ports.isEmpty,
      !pod.ports.contains(where: { $0.transport == asked.transport && $0.number == asked.port })
    else { return [] }
    let declared = Set(pod.ports.map { "\($0.transport.rawValue)/\($0.number)" }).sorted().abridged(to: 4)
    return [
      "no container of \(id) declares \(asked) (declared: \(declared)); the packet passes if something listens there"
    ]
  }

  /// The node that translates what a pod or a node sends.
  private func nodeOf(_ source: Endpoint) -> String? {
    switch source {
    case .pod(let id): cluster.pod(id)?.node
    case .node(let name): name
    case .external, .service, .virtualAddress, .address: nil
    }
  }

  /// An end that is made anew for every run, if a policy in force must know its address.
  private var jobEnd: Pod? {
    guard flow.parts.flatMap(\.sides).contains(where: { $0.standing == .isolated }) else { return nil }
    for case .pod(let id) in [flow.comparison.flow.source, flow.comparison.flow.destination] {
      if let pod = cluster.pod(id), let owner = pod.owner, ["Job", "CronJob"].contains(owner.kind) { return pod }
    }
    return nil
  }
}

extension NetworkPolicy.Rule {
  func placeOfPeer(_ index: Int) -> SourceLocation? { places.peers.dropFirst(index).first }
  func placeOfPort(_ index: Int) -> SourceLocation? { places.ports.dropFirst(index).first }
}

extension RuleExplanation {
  func placeOfPeer(_ index: Int) -> SourceLocation? { rule.placeOfPeer(index) }
  func placeOfPort(_ index: Int) -> SourceLocation? { rule.placeOfPort(index) }
}

extension Flow {
  /// `10.0.0.1:80`. `nil`: a ping.
  fileprivate var destinationText: String? { port.map { destinationAddress.description(port: $0) } }
}
