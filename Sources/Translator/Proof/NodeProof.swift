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
  let whole: FamilyProof
  let node: Int
  /// The node's pods and its own addresses.
  let subjects: [Int]
  let classes: NodeClasses
  /// By question: which of the classes have the question when the rules are done with them.
  let departuresAt, arrivalsAt: [[Int32]]
  /// The same for each of the redirected packets.
  let redirectedAt: [[[Int32]]]
  /// Of the question that is looked at.
  var at: QuestionAnswers
  var part = ProofPart()
  var rows: Set<RowKey> = []
  /// Sides that were found to agree.
  var agreeing: [SidePlace: [SideBasis]] = [:]
  var compared: [ComparedRow.Place: [ComparedRow]] = [:]
  /// Of the question that is looked at.
  var reasonsOf: [ReasonKey: [ProofReason]] = [:]
  /// By end: its place among the subjects. -1: it is none.
  let placeOf: [Int32]

  struct ReasonKey: Hashable {
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
  var entries: [Entry] = []
  var keepsEntries = false

  var count: Int { whole.space.addresses.count }

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

  func row(_ place: ComparedRow.Place) -> PacketRow {
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
    // An endpoint at such an address meets rules for two services.
    let domain = destinations.subtracting(whole.unsent).subtracting(whole.specified.serviceAddresses)
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
        domain: domain, specified: wanted, predicted: expected,
        undecided: destinations.intersection(whole.specified.serviceAddresses), isPassing: isPassingICMP(number)))
  }

  private mutating func arrivals(_ number: Int) {
    let own = whole.rules.own[node]
    let count = count
    let arrivals = classes.arrivals
    let indexes = arrivalsAt[number]
    for index in indexes where arrivals[Int(index)].packets.newDestination != nil {
      translated(arrivals[Int(index)], number)
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

  func gaps(_ row: PacketRow, _ place: ComparedRow.Place, _ basis: ComparedRow.Basis) -> [Proof.Gap: Double] {
    var gaps: [Proof.Gap: Double] = [:]
    if !row.open.isEmpty { gaps[.open] = whole.weights.weigh(row.open) }
    if place.isRedirected {
      if let left = basis.undecided, !left.isEmpty { gaps[.service] = whole.weights.weigh(left) }
      return gaps
    }
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
}
