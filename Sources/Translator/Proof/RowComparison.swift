internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path

/// Compares what becomes of the packets of one end.
extension NodeProof {
  mutating func compare(_ place: ComparedRow.Place, _ number: Int, _ basis: ComparedRow.Basis) {
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
        if isRedirected { example.asked = whole.asked(bits.first ?? 0, number) }
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

  func isPassingICMP(_ number: Int) -> Bool {
    guard number >= whole.space.echo else { return false }
    let types = whole.space.portless[number - whole.space.echo].icmpTypes
    return !types.isEmpty && types.isSubset(of: whole.traits.passingICMPTypes[whole.family] ?? [])
  }

  func packet(
    _ node: Int, _ place: ProofPacket.Place, _ end: Int, _ other: Int, _ number: Int, _ state: ConntrackState
  ) -> ProofPacket {
    switch place {
    case .departure, .side(.egress): whole.packet(node, place, from: end, to: other, number, state)
    case .arrival, .side(.ingress): whole.packet(node, place, from: other, to: end, number, state)
    }
  }

  mutating func surprise(
    _ bits: Bits, _ passed: Bits, _ wanted: Bits, _ node: Int, _ end: Int, _ number: Int, _ state: ConntrackState,
    _ place: ProofPacket.Place, isRedirected: Bool = false
  ) {
    guard let first = bits.first else { return }
    let passes = passed.contains(first)
    var packet = packet(node, place, end, first, number, state)
    if isRedirected { packet.asked = whole.asked(first, number) }
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

  mutating func reasons(
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
}
