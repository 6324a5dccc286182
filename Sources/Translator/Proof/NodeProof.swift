internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path

/// What the specification and the deviations say about all packets that ask one question.
final class QuestionAnswers: Sendable {
  let question: Flow.Question
  let specified: OracleMatrix.Answers
  let predicted: DeviationMatrix.Answers
  /// Destinations where more than policies decides.
  let notPlain: Bits

  init(_ whole: FamilyProof, _ question: Flow.Question) {
    self.question = question
    specified = whole.specified.answers(to: question)
    predicted = whole.predicted.answers(to: question)
    let ends = whole.specified.ends.indices
    notPlain = Bits(ends.filter { !whole.specified.isPlain(question, at: $0) }, count: ends.count)
  }
}

/// Compares the engines for all packets that one node's rules meet.
struct NodeProof {
  private let whole: FamilyProof
  private let node: Int
  private let classes: NodeClasses
  /// By question: which of the classes have the question when the rules are done with them.
  private let departuresAt, arrivalsAt: [[Int32]]
  /// Of the question that is looked at.
  private var at: QuestionAnswers
  private(set) var part = ProofPart()
  private(set) var rows: Set<RowKey> = []
  private var reasonsOf: [ReasonKey: [ProofReason]] = [:]

  private struct ReasonKey: Hashable {
    let question: Flow.Question
    let from, to: Int
    let fromList, toList: Int
    let isLocal: Bool
    let place: ProofPacket.Place
  }

  /// `answers`: to any question.
  init(_ whole: FamilyProof, _ node: Int, _ answers: QuestionAnswers) {
    at = answers
    self.whole = whole
    self.node = node
    classes = whole.rules.classes(ofNode: node)
    departuresAt = FamilyProof.index(classes.departures, whole.space)
    arrivalsAt = FamilyProof.index(classes.arrivals, whole.space)
  }

  /// `numbers`: those of the space's questions that ask this.
  mutating func prove(_ numbers: [Int], _ answers: QuestionAnswers) {
    at = answers
    for number in numbers {
      departures(number)
      arrivals(number)
      sides(number)
    }
  }

  /// A row of packets of one end, and in how many classes they are. Rows of several questions may be the same.
  struct RowKey: Hashable {
    let node: Int
    let isDeparture: Bool
    let end: Int
    let hash: Int
    let agreeing: Int
    /// Of those that differ, by reason.
    let differing: [[ProofReason]: Int]
  }

  /// Packets of one end that are in one class as far as one question goes.
  struct Entry: Sendable {
    let node: Int
    let isDeparture: Bool
    let end, question: Int
    let state: ConntrackState
    let peers: Bits
    let rules, specification: Verdict
    let reasons: [ProofReason]
  }
  /// Kept for a certificate only.
  private(set) var entries: [Entry] = []
  var keepsEntries = false

  // MARK: - What leaves a node

  /// What becomes of the packets of one end, by number of the other end.
  private struct Row {
    /// By state: those that pass, and those of which the rules change no destination.
    private var passed: [Bits?] = [nil, nil, nil, nil]
    private var known: [Bits?] = [nil, nil, nil, nil]
    var open: Bits
    init(count: Int) { open = Bits(count: count) }

    mutating func add(_ states: ConntrackStates, _ peers: Numbers, passes: Bool, _ count: Int) {
      for (index, one) in Self.states.enumerated() where !states.isDisjoint(with: one) {
        var bits = known[index] ?? Bits(count: count)
        known[index] = nil
        bits.formUnion(peers)
        known[index] = bits
        if !passes { continue }
        bits = passed[index] ?? Bits(count: count)
        passed[index] = nil
        bits.formUnion(peers)
        passed[index] = bits
      }
    }

    /// A rule may have taken a new packet out of connection tracking.
    private static let states: [ConntrackStates] = [[.new, .untracked], .established, .related, .invalid]
    private static func index(_ state: ConntrackState) -> Int {
      switch state {
      case .new, .untracked: 0
      case .established: 1
      case .related: 2
      case .invalid: 3
      }
    }

    func known(_ state: ConntrackState, _ count: Int) -> Bits { known[Self.index(state)] ?? Bits(count: count) }
    func passed(_ state: ConntrackState, _ count: Int) -> Bits { passed[Self.index(state)] ?? Bits(count: count) }
  }

  private var count: Int { whole.space.addresses.count }

  private static func add(
    _ end: PacketClass.End, _ states: ConntrackStates, _ peers: Numbers, to row: inout Row, _ count: Int
  ) {
    if end == .open {
      row.open.formUnion(peers)
    } else {
      row.add(states, peers, passes: end != .stopped, count)
    }
  }

  /// Adds one class to the rows of its ends. Copies of a class would cost more than this.
  private static func add(
    _ all: UnsafeBufferPointer<PacketClass>, _ index: Int, _ isDeparture: Bool, to found: inout [Int: Row], _ count: Int
  ) {
    let (end, states) = (all[index].end, all[index].packets.states)
    if isDeparture {
      let peers = all[index].packets.destinations
      all[index].packets.sources.visit { add(end, states, peers, to: &found[$0, default: Row(count: count)], count) }
    } else {
      let peers = all[index].packets.sources
      all[index].packets.destinations.visit {
        add(end, states, peers, to: &found[$0, default: Row(count: count)], count)
      }
    }
  }

  private mutating func departures(_ number: Int) {
    let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
    let count = count
    var found: [Int: Row] = [:]
    // What services have sent elsewhere.
    var redirected: [Int: Row] = [:]
    let departures = classes.departures
    let indexes = departuresAt[number]
    var elsewhere: [Int] = []
    departures.withUnsafeBufferPointer { all in
      for index in indexes.lazy.map({ Int($0) }) {
        if all[index].packets.newDestination != nil {
          elsewhere.append(index)
        } else if all[index].packets.hasNewDestination {
          Self.add(all, index, true, to: &redirected, count)
        } else {
          Self.add(all, index, true, to: &found, count)
        }
      }
    }
    for index in elsewhere { translated(departures[index], number, isDeparture: true) }
    for (source, row) in found.sorted(by: { $0.key < $1.key }) {
      let isOwn = own.contains(source)
      let outside = Bits(allBelow: count).subtracting(pods).subtracting(own)
      // Of another node's pods and addresses, only the sender's side counts here.
      let wanted = at.specified.peers(of: source, .egress)
      let expected = at.predicted.departures(of: source)
      let specifiedHere = at.specified.destinations(of: source)
      let predictedHere = at.predicted.destinations(of: source)
      var domain = Bits(allBelow: count).subtracting(at.notPlain).subtracting(whole.unsent).without(source)
      if isOwn { domain.subtract(own) }
      countGaps(row, domain, number, without: source)
      let near = { (far: Bits, near: Bits) in far.intersection(outside).union(near.subtracting(outside)) }
      compare(
        source, number, row, domain, near(wanted, specifiedHere), near(expected, predictedHere),
        isDeparture: true)
    }
    for (source, row) in redirected.sorted(by: { $0.key < $1.key }) {
      self.redirected(source, number, row)
    }
  }

  /// Services have sent these packets of a node's pod elsewhere: policies judge them by their new destinations.
  private mutating func redirected(_ source: Int, _ number: Int, _ row: Row) {
    let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
    let near = pods.union(own)
    let out = at.predicted.departures(of: source)
    let wanted = at.specified.peers(of: source, .egress).subtracting(near)
      .union(at.specified.destinations(of: source).intersection(near))
    var expected = out.subtracting(near).union(at.predicted.destinations(of: source).intersection(near))
    let domain = Bits(allBelow: count).subtracting(whole.unsent)
    if domain.contains(source), whole.traits.deviations.contains(.hairpin), !out.contains(source),
      !at.predicted.senders(to: source).contains(source)
    {
      expected.remove(source)
    }
    if !whole.topology.bridgeNetfilter {
      // The matrix takes these for packets that a bridge switches.
      pods.intersection(row.known(.new, count)).visit { target in
        let (from, to) = (whole.end(source), whole.end(target))
        let flow = Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, at.question)
        let model = whole.comparer.reading
        let (leaves, arrives) = (model.allowsRouted(flow, .egress), model.allowsRouted(flow, .ingress))
        let passes =
          source == target && whole.traits.deviations.contains(.hairpin) ? leaves || arrives : leaves && arrives
        if passes || source == target && !whole.traits.deviations.contains(.hairpin) {
          expected.insert(target)
        } else {
          expected.remove(target)
        }
      }
    }
    compare(source, number, row, domain, wanted, expected, isDeparture: true, isRedirected: true)
  }

  private mutating func arrivals(_ number: Int) {
    let own = whole.rules.own[node]
    let count = count
    var found: [Int: Row] = [:]
    let arrivals = classes.arrivals
    let indexes = arrivalsAt[number]
    var elsewhere: [Int] = []
    arrivals.withUnsafeBufferPointer { all in
      for index in indexes.lazy.map({ Int($0) }) {
        if all[index].packets.newDestination != nil {
          elsewhere.append(index)
        } else {
          Self.add(all, index, false, to: &found, count)
        }
      }
    }
    for index in elsewhere { translated(arrivals[index], number, isDeparture: false) }
    let everything = Bits(allBelow: count)
    for (destination, row) in found.sorted(by: { $0.key < $1.key }) {
      let isOwn = own.contains(destination)
      var domain = Bits(allBelow: count).subtracting(whole.unsent).subtracting(whole.groups)
      domain.subtract(whole.martians[node])
      if at.notPlain.contains(destination) { domain = Bits(count: count) }
      countGaps(row, domain, number, without: nil)
      compare(
        destination, number, row, domain,
        isOwn ? everything : at.specified.peers(of: destination, .ingress),
        isOwn ? everything : at.predicted.senders(to: destination), isDeparture: false)
    }
  }

  private mutating func countGaps(_ row: Row, _ domain: Bits, _ number: Int, without end: Int?) {
    let ports = whole.portCounts[number]
    if !row.open.isEmpty { part.gaps[.open, default: 0] += whole.weights.weigh(row.open) * ports }
    var left = row.known(.new, count).subtracting(domain).subtracting(whole.unsent)
    if let end { left.remove(end) }
    if left.isEmpty { return }
    let groups = left.intersection(whole.groups)
    if !groups.isEmpty { part.gaps[.multicast, default: 0] += whole.weights.weigh(groups) * ports }
    let services = left.subtracting(whole.groups).intersection(at.notPlain)
    if !services.isEmpty { part.gaps[.service, default: 0] += whole.weights.weigh(services) * ports }
  }

  // MARK: - Comparing

  private mutating func compare(
    _ end: Int, _ number: Int, _ row: Row, _ domain: Bits, _ specified: Bits, _ predicted: Bits,
    isDeparture: Bool, isRedirected: Bool = false
  ) {
    if domain.isEmpty { return }
    let ports = whole.portCounts[number]
    let place: ProofPacket.Place = isDeparture ? .departure : .arrival
    let whole = whole
    let all = domain
    var hasher = Hasher()
    var agreeingClasses = 0
    var differing: [[ProofReason]: Int] = [:]
    let isPassing = isPassingICMP(number)
    for state in [ConntrackState.new, .established, .related, .invalid] {
      let domain = all.intersection(row.known(state, count))
      if domain.isEmpty { continue }
      part.packets += whole.weights.weigh(domain) * ports
      hasher.combine(domain)
      let passed = row.passed(state, count).intersection(domain)
      var wanted = specified.intersection(domain)
      var expected = predicted.intersection(domain)
      let isStanding = state == .established || state == .related
      if isStanding { wanted = domain }
      if isStanding || isPassing { expected = domain }
      let refused = whole.defaultDeny.refused(
        node, end, isDeparture: isDeparture, at.question,
        passesChains: isStanding || isPassing && (state == .new || !whole.traits.dropsStrays))
      expected.subtract(refused)
      // Dropping it is always right: nobody knows what connection it belongs to.
      if state == .invalid { expected.formIntersection(passed) }
      let surprises = passed.symmetricDifference(expected)
      surprise(surprises, passed, wanted, node, end, number, state, place, isRedirected: isRedirected)
      let differs = passed.symmetricDifference(wanted).subtracting(surprises)
      hasher.combine(passed)
      hasher.combine(wanted)
      let agreeing = domain.subtracting(differs).subtracting(surprises)
      for (bits, verdict) in [(agreeing.intersection(passed), Verdict.allow), (agreeing.subtracting(passed), .deny)]
      where !bits.isEmpty {
        agreeingClasses += 1
        if !isRedirected { keep(node, end, number, state, bits, verdict, verdict, [], isDeparture) }
      }
      if differs.isEmpty { continue }
      let groups = groups(differs, passed, refused, end, number, state, place, isRedirected: isRedirected)
      for (reasons, bits) in groups {
        hasher.combine(reasons)
        hasher.combine(bits)
        for (some, verdict) in [(bits.intersection(passed), Verdict.allow), (bits.subtracting(passed), .deny)]
        where !some.isEmpty {
          differing[reasons, default: 0] += 1
          if !isRedirected {
            keep(node, end, number, state, some, verdict, verdict == .allow ? .deny : .allow, reasons, isDeparture)
          }
        }
        // Classes are counted by the caller, since questions share them.
        if part.differing[reasons] != nil {
          part.add(reasons, packets: whole.weights.weigh(bits) * ports)
          continue
        }
        var example = packet(node, place, end, bits.first ?? 0, number, state)
        if isRedirected { example.asked = whole.asked(node, bits.first ?? 0, number) }
        part.add(reasons, classes: 0, packets: whole.weights.weigh(bits) * ports, example)
      }
    }
    rows.insert(
      RowKey(
        node: node, isDeparture: isDeparture, end: end, hash: hasher.finalize(), agreeing: agreeingClasses,
        differing: differing))
  }

  private mutating func keep(
    _ node: Int, _ end: Int, _ number: Int, _ state: ConntrackState, _ peers: Bits, _ rules: Verdict,
    _ specification: Verdict, _ reasons: [ProofReason], _ isDeparture: Bool
  ) {
    guard keepsEntries else { return }
    entries.append(
      Entry(
        node: node, isDeparture: isDeparture, end: end, question: number, state: state, peers: peers, rules: rules,
        specification: specification, reasons: reasons))
  }

  private func isPassingICMP(_ number: Int) -> Bool {
    guard number >= whole.space.echo else { return false }
    let types = whole.space.portless[number - whole.space.echo].icmpTypes
    return !types.isEmpty && types.isSubset(of: whole.traits.passingICMPTypes[whole.family] ?? [])
  }

  private func packet(
    _ node: Int, _ place: ProofPacket.Place, _ end: Int, _ other: Int, _ number: Int, _ state: ConntrackState
  ) -> ProofPacket {
    switch place {
    case .departure, .side(.egress): whole.packet(node, place, from: end, to: other, number, state)
    case .arrival, .side(.ingress): whole.packet(node, place, from: other, to: end, number, state)
    }
  }

  private mutating func surprise(
    _ bits: Bits, _ passed: Bits, _ wanted: Bits, _ node: Int, _ end: Int, _ number: Int, _ state: ConntrackState,
    _ place: ProofPacket.Place, isRedirected: Bool = false
  ) {
    guard let first = bits.first else { return }
    let passes = passed.contains(first)
    var packet = packet(node, place, end, first, number, state)
    if isRedirected { packet.asked = whole.asked(node, first, number) }
    part.counterexamples.append(
      Counterexample(
        packet: packet, rules: passes ? .allow : .deny,
        specification: wanted.contains(first) ? .allow : .deny, predicted: passes ? .deny : .allow))
  }

  /// The differences, by the deviations that make them.
  private mutating func groups(
    _ differs: Bits, _ passed: Bits, _ refused: Bits, _ end: Int, _ number: Int, _ state: ConntrackState,
    _ place: ProofPacket.Place, isRedirected: Bool
  ) -> [([ProofReason], Bits)] {
    var groups: [[ProofReason]: Bits] = [:]
    let isICMP = isPassingICMP(number)
    let local = whole.rules.pods[node].union(whole.rules.own[node])
    differs.visit { other in
      let reasons: [ProofReason]
      if state == .invalid, !passed.contains(other) {
        reasons = [.stray]
      } else if refused.contains(other) {
        reasons = [whole.defaultDeny.reason(end, other, node)]
      } else if isICMP {
        reasons = [.icmp]
      } else if isRedirected, other == end {
        reasons = [.deviation(.hairpin)]
      } else {
        reasons = self.reasons(end, other, isLocal: local.contains(other), place)
      }
      groups[reasons, default: Bits(count: count)].insert(other)
    }
    return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
  }

  private mutating func reasons(
    _ end: Int, _ other: Int, isLocal: Bool, _ place: ProofPacket.Place
  ) -> [ProofReason] {
    let isDeparture = place == .departure || place == .side(.egress)
    let (source, destination) = isDeparture ? (end, other) : (other, end)
    let key = ReasonKey(
      question: at.question, from: whole.kinds.numbers[source], to: whole.kinds.numbers[destination],
      fromList: whole.specified.isolation(of: source, .egress),
      toList: whole.specified.isolation(of: destination, .ingress), isLocal: isLocal, place: place)
    if let known = reasonsOf[key] { return known }
    let (from, to) = (whole.end(source), whole.end(destination))
    let flow = Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, at.question)
    let found = whole.comparer.reading.reasons(
      flow, as: isDeparture && !isLocal ? .egress : isDeparture ? nil : .ingress
    )
    .map(ProofReason.deviation)
    reasonsOf[key] = found
    return found
  }

  // MARK: - What services translate

  /// Packets whose destination the node has translated: policies must judge them by the new one.
  private mutating func translated(_ one: PacketClass, _ number: Int, isDeparture: Bool) {
    guard let target = one.packets.newDestination, one.end != .open, one.packets.states.contains(.new) else { return }
    let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
    let passes = one.end != .stopped
    var wanted = Bits(count: count)
    var expected = Bits(count: count)
    var sources = Bits(count: count)
    sources.formUnion(one.packets.sources)
    sources.subtract(whole.unsent)
    if !isDeparture { sources.subtract(whole.martians[node]) }
    let isNear = pods.contains(target)
    let letIn = isNear ? at.specified.peers(of: target, .ingress) : Bits(allBelow: count)
    let expectedIn = isNear ? at.predicted.senders(to: target) : Bits(allBelow: count)
    let hairpins = whole.traits.deviations.contains(.hairpin)
    if !isDeparture {
      // Only the receiver's side counts here.
      wanted = sources.intersection(letIn)
      expected = sources.intersection(expectedIn)
    }
    (isDeparture ? sources : Bits(count: count)).visit { source in
      let isLocal = isDeparture && (pods.contains(source) || own.contains(source))
      let out = !isLocal || at.specified.peers(of: source, .egress).contains(target)
      var expectedOut = !isLocal || at.predicted.departures(of: source).contains(target)
      var expectedIn = expectedIn.contains(source)
      if !whole.topology.bridgeNetfilter, isLocal, isNear {
        // The matrix takes it for a packet that a bridge switches.
        let (from, to) = (whole.end(source), whole.end(target))
        let flow = Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, at.question)
        expectedOut = whole.comparer.reading.allowsRouted(flow, .egress)
        expectedIn = whole.comparer.reading.allowsRouted(flow, .ingress)
      }
      if source == target {
        wanted.insert(source)
        if !hairpins || expectedOut || expectedIn { expected.insert(source) }
        return
      }
      if out, letIn.contains(source) { wanted.insert(source) }
      if expectedOut, expectedIn { expected.insert(source) }
    }
    let asked = one.packets.destinations.first
    if isPassingICMP(number) { expected = sources }
    let refusing = refusedSources(one, target, node, isDeparture, passesChains: isPassingICMP(number))
    expected.subtract(refusing)
    let passed = passes ? sources : Bits(count: count)
    let surprises = passed.symmetricDifference(expected)
    let ports = whole.portCounts[number]
    part.packets += whole.weights.weigh(sources) * ports
    let example = { [whole, node] (source: Int) in
      whole.packet(
        node, isDeparture ? .departure : .arrival, from: source, to: target, number, .new, asked: asked)
    }
    if let first = surprises.first {
      part.counterexamples.append(
        Counterexample(
          packet: example(first), rules: passes ? .allow : .deny,
          specification: wanted.contains(first) ? .allow : .deny,
          predicted: passes ? .deny : .allow))
    }
    let differs = passed.symmetricDifference(wanted).subtracting(surprises)
    var groups: [[ProofReason]: Bits] = [:]
    differs.visit { source in
      let reasons: [ProofReason] =
        refusing.contains(source)
        ? [whole.defaultDeny.reason(source, target, node)]
        : isPassingICMP(number)
          ? [.icmp]
          : source == target
            ? [.deviation(.hairpin)]
            : self.reasons(
              source, target, isLocal: pods.contains(target) || own.contains(target),
              isDeparture ? .departure : .side(.ingress))
      groups[reasons, default: Bits(count: count)].insert(source)
    }
    for (reasons, bits) in groups {
      part.add(
        reasons, classes: 1, packets: whole.weights.weigh(bits) * ports, example(bits.first ?? 0))
      part.classes += 1
    }
    if differs.union(surprises) != sources { part.classes += 1 }
  }

  private func refusedSources(
    _ one: PacketClass, _ target: Int, _ node: Int, _ isDeparture: Bool, passesChains: Bool
  ) -> Bits {
    if !isDeparture {
      return whole.defaultDeny.refused(node, target, isDeparture: false, at.question, passesChains: passesChains)
    }
    var bits = Bits(count: count)
    one.packets.sources.visit { source in
      let refused = whole.defaultDeny.refused(node, source, isDeparture: true, at.question, passesChains: passesChains)
      if refused.contains(target) { bits.insert(source) }
    }
    return bits
  }

  // MARK: - One side by itself

  /// Each pod's chain by itself: between nodes' rules a wrong rule hides behind what the other end refuses.
  private mutating func sides(_ number: Int) {
    let own = whole.rules.own[node]
    let isPassing = isPassingICMP(number)
    let count = count
    for side in classes.sides {
      var row = Row(count: count)
      for one in side.classes where one.packets.questions.contains(number) {
        Self.add(
          one.end, one.packets.states, side.direction == .egress ? one.packets.destinations : one.packets.sources,
          to: &row,
          count)
      }
      // What the node itself gets and sends has rules outside of pods' chains.
      var domain = row.known(.new, count).subtracting(own).subtracting(whole.unsent).subtracting(whole.groups).without(
        side.pod)
      if side.direction == .ingress { domain.subtract(whole.martians[node]) }
      if side.direction == .egress { domain.subtract(at.notPlain) }
      let passed = row.passed(.new, count).intersection(domain)
      var expected =
        side.direction == .egress ? at.predicted.departures(of: side.pod) : at.predicted.senders(to: side.pod)
      if isPassing { expected = domain }
      if !whole.topology.bridgeNetfilter {
        // The matrix takes these for packets that a bridge switches.
        whole.rules.pods[node].visit { other in
          if isPassing { return }
          let (a, b) = side.direction == .egress ? (side.pod, other) : (other, side.pod)
          let flow = Flow(
            from: whole.end(a).endpoint, whole.end(a).address, to: whole.end(b).endpoint, whole.end(b).address,
            at.question
          )
          if whole.comparer.reading.allowsRouted(flow, side.direction) {
            expected.insert(other)
          } else {
            expected.remove(other)
          }
        }
      }
      expected.formIntersection(domain)
      let surprises = passed.symmetricDifference(expected)
      if surprises.isEmpty { continue }
      let wanted = at.specified.peers(of: side.pod, side.direction).intersection(domain)
      surprise(surprises, passed, wanted, node, side.pod, number, .new, .side(side.direction))
    }
  }
}
