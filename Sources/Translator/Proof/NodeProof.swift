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

  /// `subjects`: the ends whose own policies are asked.
  init(_ whole: FamilyProof, _ question: Flow.Question, of subjects: [Int]) {
    self.question = question
    specified = whole.specified.answers(to: question, of: subjects)
    predicted = whole.predicted.answers(to: question, of: subjects)
    notPlain = whole.specified.notPlain(question)
  }
}

/// Compares the engines for all packets that one node's rules meet.
struct NodeProof {
  private let whole: FamilyProof
  private let node: Int
  /// The node's pods and its own addresses.
  private let subjects: [Int]
  private let classes: NodeClasses
  /// By question: which of the classes have the question when the rules are done with them.
  private let departuresAt, arrivalsAt: [[Int32]]
  /// The same for each of the redirected packets.
  private let redirectedAt: [[[Int32]]]
  /// Of the question that is looked at.
  private var at: QuestionAnswers
  private(set) var part = ProofPart()
  private(set) var rows: Set<RowKey> = []
  /// Sides that were found to agree.
  private var agreeing: [SidePlace: [SideBasis]] = [:]
  private var compared: [ComparedRow.Place: [ComparedRow]] = [:]
  /// Of the question that is looked at.
  private var reasonsOf: [ReasonKey: [ProofReason]] = [:]
  /// By end: its place among the subjects. -1: it is none.
  private let placeOf: [Int32]

  private struct ReasonKey: Hashable {
    let from, to: Int
    let fromList, toList: Int
    let isLocal: Bool
    let place: ProofPacket.Place
  }

  init(_ whole: FamilyProof, _ node: Int) {
    subjects = whole.rules.pods[node].union(whole.rules.own[node]).numbers
    var placeOf = [Int32](repeating: -1, count: whole.space.addresses.count)
    for (place, end) in subjects.enumerated() { placeOf[end] = Int32(place) }
    self.placeOf = placeOf
    at = QuestionAnswers(whole, .echo, of: [])
    self.whole = whole
    self.node = node
    classes = whole.rules.classes(ofNode: node)
    departuresAt = FamilyProof.index(classes.departures, whole.space)
    arrivalsAt = FamilyProof.index(classes.arrivals, whole.space)
    redirectedAt = classes.redirected.map { FamilyProof.index($0.classes, whole.space) }
  }

  /// `numbers`: those of the space's questions that ask this.
  mutating func prove(_ question: Flow.Question, _ numbers: [Int]) {
    at = QuestionAnswers(whole, question, of: subjects)
    reasonsOf = [:]
    for number in numbers {
      departures(number)
      arrivals(number)
      sides(number)
    }
  }

  /// A row of packets of one end, and in how many classes they are. Rows of several questions may be the same.
  struct RowKey: Hashable, Sendable {
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

  private var count: Int { whole.space.addresses.count }

  // MARK: - What leaves a node

  /// By subject: the classes with the question that its packets are in.
  private func places(
    _ all: [PacketClass], _ indexes: [Int32], isDeparture: Bool, redirected: Int? = nil
  ) -> [ComparedRow.Place] {
    var found = [[Int32]](repeating: [], count: subjects.count)
    // Copies of a class would cost more than this.
    all.withUnsafeBufferPointer { all in
      for index in indexes where all[Int(index)].packets.newDestination == nil {
        let packets = all[Int(index)].packets
        (isDeparture ? packets.sources : packets.destinations).visit { end in
          if placeOf[end] >= 0 { found[Int(placeOf[end])].append(index) }
        }
      }
    }
    return found.enumerated().compactMap { place, classes in
      classes.isEmpty
        ? nil
        : ComparedRow.Place(
          end: subjects[place], isDeparture: isDeparture, redirected: redirected, classes: classes)
    }
  }

  private func row(_ place: ComparedRow.Place) -> PacketRow {
    var row = PacketRow(count: count)
    let all =
      place.redirected.map { classes.redirected[$0].classes }
      ?? (place.isDeparture ? classes.departures : classes.arrivals)
    all.withUnsafeBufferPointer { all in
      for index in place.classes {
        let packets = all[Int(index)].packets
        row.add(all[Int(index)].end, packets.states, place.isDeparture ? packets.destinations : packets.sources)
      }
    }
    return row
  }

  private mutating func departures(_ number: Int) {
    let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
    let count = count
    let departures = classes.departures
    let indexes = departuresAt[number]
    for index in indexes where departures[Int(index)].packets.newDestination != nil {
      translated(departures[Int(index)], number, isDeparture: true)
    }
    let outside = Bits(allBelow: count).subtracting(pods).subtracting(own)
    let everything = Bits(allBelow: count).subtracting(at.notPlain).subtracting(whole.unsent)
    for place in places(departures, indexes, isDeparture: true) {
      let source = place.end
      // Of another node's pods and addresses, only the sender's side counts here.
      let near = { (far: Bits, near: Bits) in far.intersection(outside).union(near.subtracting(outside)) }
      var domain = everything.without(source)
      if own.contains(source) { domain.subtract(own) }
      compare(
        place, number,
        ComparedRow.Basis(
          domain: domain,
          specified: near(at.specified.peers(of: source, .egress), at.specified.destinations(of: source)),
          predicted: near(at.predicted.departures(of: source), at.predicted.destinations(of: source)),
          undecided: at.notPlain, isPassing: isPassingICMP(number)))
    }
    for (index, group) in classes.redirected.enumerated() where group.questions.contains(number) {
      for place in places(group.classes, redirectedAt[index][number], isDeparture: true, redirected: index) {
        if let destinations = group.destinations(of: place.end, number) { redirected(place, destinations, number) }
      }
    }
  }

  /// Services have sent these packets of a node's pod elsewhere: policies judge them by their new destinations.
  private mutating func redirected(_ place: ComparedRow.Place, _ destinations: Bits, _ number: Int) {
    let source = place.end
    let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
    let near = pods.union(own)
    let out = at.predicted.departures(of: source)
    let wanted = at.specified.peers(of: source, .egress).subtracting(near)
      .union(at.specified.destinations(of: source).intersection(near))
    var expected = out.subtracting(near).union(at.predicted.destinations(of: source).intersection(near))
    let domain = destinations.subtracting(whole.unsent)
    if domain.contains(source), whole.traits.deviations.contains(.hairpin), !out.contains(source),
      !at.predicted.senders(to: source).contains(source)
    {
      expected.remove(source)
    }
    if !whole.topology.bridgeNetfilter {
      // The matrix takes these for packets that a bridge switches.
      pods.intersection(domain).visit { target in
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
    compare(
      place, number,
      ComparedRow.Basis(
        domain: domain, specified: wanted, predicted: expected, undecided: Bits(count: count),
        isPassing: isPassingICMP(number)))
  }

  private mutating func arrivals(_ number: Int) {
    let own = whole.rules.own[node]
    let count = count
    let arrivals = classes.arrivals
    let indexes = arrivalsAt[number]
    for index in indexes where arrivals[Int(index)].packets.newDestination != nil {
      translated(arrivals[Int(index)], number, isDeparture: false)
    }
    let everything = Bits(allBelow: count)
    let senders = everything.subtracting(whole.unsent).subtracting(whole.groups).subtracting(whole.martians[node])
    for place in places(arrivals, indexes, isDeparture: false) {
      let isOwn = own.contains(place.end)
      let isPlain = !at.notPlain.contains(place.end)
      compare(
        place, number,
        ComparedRow.Basis(
          domain: isPlain ? senders : Bits(count: count),
          specified: isOwn ? everything : at.specified.peers(of: place.end, .ingress),
          predicted: isOwn ? everything : at.predicted.senders(to: place.end),
          undecided: isPlain ? Bits(count: count) : nil, isPassing: isPassingICMP(number)))
    }
  }

  private func gaps(_ row: PacketRow, _ place: ComparedRow.Place, _ basis: ComparedRow.Basis) -> [Proof.Gap: Double] {
    var gaps: [Proof.Gap: Double] = [:]
    if !row.open.isEmpty { gaps[.open] = whole.weights.weigh(row.open) }
    if place.isRedirected { return gaps }
    var left = row.known(.new).subtracting(basis.domain).subtracting(whole.unsent)
    if place.isDeparture { left.remove(place.end) } else { left.subtract(whole.martians[node]) }
    if left.isEmpty { return gaps }
    let groups = left.intersection(whole.groups)
    if !groups.isEmpty { gaps[.multicast] = whole.weights.weigh(groups) }
    left.subtract(whole.groups)
    if let undecided = basis.undecided { left.formIntersection(undecided) }
    if !left.isEmpty { gaps[.service] = whole.weights.weigh(left) }
    return gaps
  }

  // MARK: - Comparing

  private mutating func compare(_ place: ComparedRow.Place, _ number: Int, _ basis: ComparedRow.Basis) {
    if let known = known(place, basis) {
      count(known, number)
      return
    }
    var found = ComparedRow(basis: basis)
    var row = row(place)
    if place.isRedirected { row.restrict(to: basis.domain) }
    found.gaps = gaps(row, place, basis)
    if !basis.domain.isEmpty { compare(place, number, row, &found) }
    count(found, number)
    // What default-deny refuses depends on the port.
    if !keepsEntries, !found.hasSurprise, !whole.defaultDeny.isOn { compared[place, default: []].append(found) }
  }

  /// What was found before for equal packets, if the reasons are still the same.
  private mutating func known(_ place: ComparedRow.Place, _ basis: ComparedRow.Basis) -> ComparedRow? {
    for known in compared[place] ?? [] where known.basis == basis {
      var isSame = true
      for one in known.explained where isSame {
        isSame =
          reasons(place.end, one.other, isLocal: one.isLocal, place.isDepartureOrArrival) == one.reasons
      }
      if isSame { return known }
    }
    return nil
  }

  private mutating func count(_ found: ComparedRow, _ number: Int) {
    let ports = whole.portCounts[number]
    part.packets += found.packets * ports
    for (reasons, packets) in found.differing { part.add(reasons, packets: packets * ports) }
    for (gap, packets) in found.gaps { part.gaps[gap, default: 0] += packets * ports }
  }

  private mutating func compare(
    _ at: ComparedRow.Place, _ number: Int, _ row: PacketRow, _ found: inout ComparedRow
  ) {
    let (end, isDeparture, isRedirected) = (at.end, at.isDeparture, at.isRedirected)
    let place = at.isDepartureOrArrival
    let (specified, predicted, all) = (found.basis.specified, found.basis.predicted, found.basis.domain)
    let whole = whole
    var hasher = Hasher()
    var agreeingClasses = 0
    var differing: [[ProofReason]: Int] = [:]
    let isPassing = found.basis.isPassing
    for state in [ConntrackState.new, .established, .related, .invalid] {
      let domain = all.intersection(row.known(state))
      if domain.isEmpty { continue }
      found.packets += whole.weights.weigh(domain)
      hasher.combine(domain)
      let passed = row.passed(state).intersection(domain)
      var wanted = specified.intersection(domain)
      var expected = predicted.intersection(domain)
      let isStanding = state == .established || state == .related
      if isStanding { wanted = domain }
      if isStanding || isPassing { expected = domain }
      let refused = whole.defaultDeny.refused(
        node, end, isDeparture: isDeparture, self.at.question,
        passesChains: isStanding || isPassing && (state == .new || !whole.traits.dropsStrays))
      expected.subtract(refused)
      // Dropping it is always right: nobody knows what connection it belongs to.
      if state == .invalid { expected.formIntersection(passed) }
      let surprises = passed.symmetricDifference(expected)
      if !surprises.isEmpty { found.hasSurprise = true }
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
      let groups = groups(differs, passed, refused, at, number, state, &found)
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
        found.differing[reasons, default: 0] += whole.weights.weigh(bits)
        if part.differing[reasons] != nil { continue }
        var example = packet(node, place, end, bits.first ?? 0, number, state)
        if isRedirected { example.asked = whole.asked(node, bits.first ?? 0, number) }
        part.add(reasons, classes: 0, packets: 0, example)
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
    _ differs: Bits, _ passed: Bits, _ refused: Bits, _ place: ComparedRow.Place, _ number: Int,
    _ state: ConntrackState, _ found: inout ComparedRow
  ) -> [([ProofReason], Bits)] {
    var groups: [[ProofReason]: Bits] = [:]
    let isICMP = isPassingICMP(number)
    let end = place.end
    let local = whole.rules.pods[node].union(whole.rules.own[node])
    var left = differs
    let take = { (bits: Bits, reasons: [ProofReason], groups: inout [[ProofReason]: Bits]) in
      left.subtract(bits)
      if !bits.isEmpty { groups[reasons] = groups[reasons]?.union(bits) ?? bits }
    }
    if state == .invalid { take(left.subtracting(passed), [.stray], &groups) }
    left.intersection(refused).visit { other in
      take(Bits([other], count: count), [whole.defaultDeny.reason(end, other, node)], &groups)
    }
    if isICMP { take(left, [.icmp], &groups) }
    if place.isRedirected, left.contains(end) { take(Bits([end], count: count), [.deviation(.hairpin)], &groups) }
    left.visit { other in
      let isLocal = local.contains(other)
      let reasons = self.reasons(end, other, isLocal: isLocal, place.isDepartureOrArrival)
      if !found.explained.contains(where: { $0.isLocal == isLocal && isAlike($0.other, other) }) {
        found.explained.append(ComparedRow.Explained(other: other, isLocal: isLocal, reasons: reasons))
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
      from: whole.kinds.numbers[source], to: whole.kinds.numbers[destination],
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

  /// Whether the deviations have the same reasons for both, in packets of or for a third end.
  private func isAlike(_ a: Int, _ b: Int) -> Bool {
    whole.kinds.numbers[a] == whole.kinds.numbers[b]
      && Direction.allCases.allSatisfy { whole.specified.isolation(of: a, $0) == whole.specified.isolation(of: b, $0) }
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

  private struct SidePlace: Hashable {
    let side: Int
    /// The numbers of the side's classes that have the question.
    let classes: [Int32]
  }
  private struct SideBasis: Equatable {
    let predicted, undecided: Bits
    let isPassing: Bool
  }

  private static func classes(of side: NodeClasses.PodSide, _ number: Int) -> [Int32] {
    side.classes.withUnsafeBufferPointer { all in
      all.indices.lazy.filter { all[$0].packets.questions.contains(number) }.map { Int32($0) }
    }
  }

  /// Each pod's chain by itself: between nodes' rules a wrong rule hides behind what the other end refuses.
  private mutating func sides(_ number: Int) {
    let own = whole.rules.own[node]
    let isPassing = isPassingICMP(number)
    let count = count
    for index in classes.sides.indices {
      let side = classes.sides[index]
      let isEgress = side.direction == .egress
      let place = SidePlace(side: index, classes: Self.classes(of: side, number))
      let basis = SideBasis(
        predicted: isEgress ? at.predicted.departures(of: side.pod) : at.predicted.senders(to: side.pod),
        undecided: isEgress ? at.notPlain : Bits(count: count), isPassing: isPassing)
      if agreeing[place]?.contains(basis) == true { continue }
      var row = PacketRow(count: count)
      for one in place.classes.lazy.map({ side.classes[Int($0)] }) {
        row.add(one.end, one.packets.states, isEgress ? one.packets.destinations : one.packets.sources)
      }
      // What the node itself gets and sends has rules outside of pods' chains.
      var domain = row.known(.new).subtracting(own).subtracting(whole.unsent).subtracting(whole.groups).without(
        side.pod)
      if side.direction == .ingress { domain.subtract(whole.martians[node]) }
      domain.subtract(basis.undecided)
      let passed = row.passed(.new).intersection(domain)
      var expected = isPassing ? domain : basis.predicted
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
      if surprises.isEmpty {
        // Which packets a bridge switches is asked flow by flow.
        if whole.topology.bridgeNetfilter { agreeing[place, default: []].append(basis) }
        continue
      }
      let wanted = at.specified.peers(of: side.pod, side.direction).intersection(domain)
      surprise(surprises, passed, wanted, node, side.pod, number, .new, .side(side.direction))
    }
  }
}
