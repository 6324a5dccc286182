public import Evaluator
public import NetpolModel
internal import Path

/// What the rules of one node do with every packet that starts there, and with every packet that arrives there from
/// another machine for the node or one of its pods. In classes that no rule of the node tells apart.
public struct NodeClasses: Sendable {
  /// Packets of the node's pods and of the node itself.
  public internal(set) var departures: [PacketClass] = []
  /// Packets of others for the node's pods and for the node.
  public internal(set) var arrivals: [PacketClass] = []
  /// Packets of the node's pods that services have sent elsewhere, by their new destinations: one for each mark that
  /// they got then. Only with `PacketScope.all`.
  public internal(set) var redirected: [Redirected] = []
  /// What each pod's chain does by itself with first packets. Only with `PacketScope.all`, and if pods have chains.
  public internal(set) var sides: [PodSide] = []

  /// First packets from or to a pod, as its chain alone judges them.
  public struct PodSide: Sendable {
    /// The number of the pod's address.
    public let pod: Int
    public let direction: Direction
    public let classes: [PacketClass]
  }
}

/// Which packets run through the rules.
public enum PacketScope: Sendable {
  /// First packets: state NEW. What a translated packet meets is left open.
  case first
  /// Packets of all states, also after a translation, and whichever endpoint a service chooses.
  case all
}

/// Packets that a node's rules treat alike.
public struct PacketClass: Sendable {
  public enum End: Hashable, Sendable {
    case passed
    /// It leaves with the address of the node's outgoing interface.
    case masqueraded
    case stopped
    /// Only the walk of a single packet shows what happens: its destination was translated, for example.
    case open
  }

  public let packets: PacketSet
  public let end: End

  init(_ packets: PacketSet, _ end: End) {
    self.packets = packets
    self.end = end
  }
}

extension NodeClasses {
  /// `own`: the numbers of the node's own addresses. `pods`: those of its pods.
  init(
    _ evaluator: ClassEvaluator, _ node: Topology.NodePlace, own: Bits, pods: Bits, in topology: Topology,
    _ scope: PacketScope = .first
  ) {
    let space = evaluator.space
    let everything = Bits(allBelow: space.addresses.count)
    let isAll = if case .all = scope { true } else { false }
    guard let questions = Numbers(Bits(allBelow: space.questionCount)) else { return }
    let set = { (sources: Bits, destinations: Bits, isBridged: Bool) -> PacketSet? in
      guard let from = Numbers(sources), let to = Numbers(destinations) else { return nil }
      var set = PacketSet(from: from, to: to, questions)
      set.isBridged = isBridged
      if isAll {
        set.states = [.new, .established, .related, .invalid]
        set.codePoints = .max
      }
      return set
    }
    // Pods with one on-link network reach the node's other pods in it over the bridge.
    var links: [CIDR?: Bits] = [:]
    pods.visit { number in
      let place = topology.owner(of: space.addresses[number])
      guard case .pod(let id) = place else { return }
      let block = topology.pods[id]?.addresses.first { $0.address == space.addresses[number] }?.cidr
      links[block.flatMap { $0.isHost ? nil : $0 }, default: Bits(count: space.addresses.count)].insert(number)
    }
    var starting: [PacketSet] = []
    for (block, sources) in links.sorted(by: { ($0.key?.description ?? "") < ($1.key?.description ?? "") }) {
      let onLink =
        block.map { block in
          Bits(pods.numbers.filter { block.contains(space.addresses[$0]) }, count: space.addresses.count)
        } ?? Bits(count: space.addresses.count)
      if let bridged = set(sources, onLink, topology.bridgeNetfilter) {
        if topology.bridgeNetfilter {
          starting.append(bridged)
        } else {
          // The bridge switches the frame past all rules.
          departures.append(PacketClass(bridged, .passed))
        }
      }
      if let routed = set(sources, everything.subtracting(onLink), false) { starting.append(routed) }
    }
    var translated: TranslatedRows? = TranslatedRows(space)
    departures += Self.forwarded(starting, evaluator, own: own, scope, &translated)
    redirected = (translated?.groups ?? []).compactMap { mark, rows in
      guard let set = rows.set(mark, in: space) else { return nil }
      return Redirected(
        classes: Self.passedOn([set], evaluator, own: own, scope), destinations: rows.destinations)
    }
    if let sent = set(own, everything.subtracting(own), false) {
      if isAll {
        let (classes, groups) = Self.sent(sent, evaluator, own: own)
        departures += classes
        redirected += groups
      } else {
        departures += Self.run([sent], [.output, .postrouting], evaluator, own: own, scope)
      }
    }
    let others = everything.subtracting(own).subtracting(pods)
    if let arriving = set(others, pods.union(own), false) {
      var none: TranslatedRows?
      arrivals = Self.forwarded([arriving], evaluator, own: own, scope, &none)
    }
    if isAll { sides = Self.sides(evaluator, pods, in: topology, questions) }
    if !isAll { arrivals = Self.checkingAnswers(arrivals, evaluator, own: own) }
  }

  private static func sides(
    _ evaluator: ClassEvaluator, _ pods: Bits, in topology: Topology, _ questions: Numbers
  ) -> [PodSide] {
    let everything = Bits(allBelow: evaluator.space.addresses.count)
    return pods.numbers.flatMap { number -> [PodSide] in
      guard case .pod(let id)? = topology.owner(of: evaluator.space.addresses[number]),
        let chain = evaluator.podChains[id], let others = Numbers(everything.without(number))
      else { return [] }
      return Direction.allCases.map { direction in
        let set =
          direction == .egress
          ? PacketSet(from: .one(number), to: others, questions) : PacketSet(from: others, to: .one(number), questions)
        let results = evaluator.run([set], in: chain)
        return PodSide(
          pod: number, direction: direction,
          classes: results.map { PacketClass($0.packets, $0.verdict == .accept ? .passed : .stopped) })
      }
    }
  }

  /// Packets of all states that the node itself sends, and those of them that services send elsewhere.
  private static func sent(
    _ set: PacketSet, _ evaluator: ClassEvaluator, own: Bits
  ) -> (classes: [PacketClass], redirected: [Redirected]) {
    var classes: [PacketClass] = []
    var others: [PacketSet] = []
    var translated = TranslatedRows(evaluator.space)
    for result in evaluator.run([set], at: .output, .untilTranslation) {
      guard let set = passed(result, &classes, .all) else { continue }
      if let new = set.newDestination {
        // What a node sends to itself meets its INPUT too.
        if own.contains(new) { classes.append(PacketClass(set, .open)) } else { translated.add(set) }
      } else {
        others.append(set)
      }
    }
    let rest = { (sets: [PacketSet], classes: inout [PacketClass]) in
      let left = evaluator.run(evaluator.joined(sets), at: .output, .afterTranslation).compactMap {
        passed($0, &classes, .all)
      }
      classes += run(evaluator.joined(left), [.postrouting], evaluator, own: own, .all)
    }
    rest(others, &classes)
    let redirected = translated.groups.compactMap { mark, rows -> Redirected? in
      guard let set = rows.set(mark, in: evaluator.space) else { return nil }
      var classes: [PacketClass] = []
      rest([set], &classes)
      return Redirected(classes: classes, destinations: rows.destinations)
    }
    return (classes, redirected)
  }

  /// From prerouting on, to the node itself or past it. What services send elsewhere is added to `translated`, if there
  /// is any, and not followed here.
  private static func forwarded(
    _ sets: [PacketSet], _ evaluator: ClassEvaluator, own: Bits, _ scope: PacketScope,
    _ translated: inout TranslatedRows?
  ) -> [PacketClass] {
    var classes: [PacketClass] = []
    var others: [PacketSet] = []
    for result in evaluator.run(sets, at: .prerouting) {
      guard let set = passed(result, &classes, scope) else { continue }
      if translated != nil, set.newDestination != nil { translated?.add(set) } else { others.append(set) }
    }
    return classes + passedOn(others, evaluator, own: own, scope)
  }

  /// After prerouting.
  private static func passedOn(
    _ sets: [PacketSet], _ evaluator: ClassEvaluator, own: Bits, _ scope: PacketScope
  ) -> [PacketClass] {
    var toOthers: [PacketSet] = []
    var toNode: [PacketSet] = []
    for set in sets {
      guard !set.isBridged || set.newDestination != nil, let own = Numbers(own) else {
        toOthers.append(set)
        continue
      }
      if let new = set.newDestination {
        // A translated packet is routed.
        var routed = set
        routed.isBridged = false
        if own.contains(new) { toNode.append(routed) } else { toOthers.append(routed) }
        continue
      }
      divide(set, at: own, &toNode, &toOthers)
    }
    return run(evaluator.joined(toNode), [.input], evaluator, own: own, scope)
      + run(evaluator.joined(toOthers), [.forward, .postrouting], evaluator, own: own, scope)
  }

  /// What goes to the node itself, and what goes past it.
  private static func divide(
    _ set: PacketSet, at own: Numbers, _ toNode: inout [PacketSet], _ toOthers: inout [PacketSet]
  ) {
    if let inside = set.destinations.intersection(own) {
      var part = set
      part.destinations = inside
      toNode.append(part)
    }
    if let outside = set.destinations.subtracting(own) {
      var part = set
      part.destinations = outside
      toOthers.append(part)
    }
  }

  private static func run(
    _ sets: [PacketSet], _ hooks: [Hook], _ evaluator: ClassEvaluator, own: Bits, _ scope: PacketScope
  ) -> [PacketClass] {
    var classes: [PacketClass] = []
    var live = sets
    for (place, hook) in hooks.enumerated() {
      if place > 0 { live = evaluator.joined(live) }
      live = evaluator.run(live, at: hook).compactMap { result in
        guard let set = passed(result, &classes, scope) else { return nil }
        // What a node sends to itself meets its INPUT too.
        if hook == .output, let new = set.newDestination, own.contains(new) {
          classes.append(PacketClass(set, .open))
          return nil
        }
        return set
      }
    }
    return classes + live.map { PacketClass($0, $0.isMasqueraded ? .masqueraded : .passed) }
  }

  /// Returns the packets that go on, or adds a class.
  private static func passed(
    _ result: ClassEvaluator.Result, _ classes: inout [PacketClass], _ scope: PacketScope
  ) -> PacketSet? {
    if result.verdict != .accept {
      classes.append(PacketClass(result.packets, .stopped))
      return nil
    }
    let isLeftOpen = if case .first = scope { result.packets.newDestination != nil } else { false }
    if result.packets.needsWalk || isLeftOpen {
      classes.append(PacketClass(result.packets, .open))
      return nil
    }
    return result.packets
  }

  /// What the node gets and answers must leave it again. Where its rules stop some answer, each packet is followed by
  /// itself.
  private static func checkingAnswers(
    _ classes: [PacketClass], _ evaluator: ClassEvaluator, own: Bits
  ) -> [PacketClass] {
    guard let questions = Numbers(Bits(allBelow: evaluator.space.questionCount)), let mine = Numbers(own),
      let others = Numbers(Bits(allBelow: evaluator.space.addresses.count).subtracting(own))
    else { return classes }
    var answers = PacketSet(from: mine, to: others, questions)
    answers.states = .established
    let isFree = evaluator.run([answers], at: .output).allSatisfy { $0.verdict == .accept }
    if isFree { return classes }
    return classes.map { one in
      one.end == .passed && !one.packets.destinations.isDisjoint(with: mine) ? PacketClass(one.packets, .open) : one
    }
  }
}

extension NodeClasses {
  /// Packets of a node or of its pods after services have sent them elsewhere: the rules that follow see their new destinations
  /// alone.
  public struct Redirected: Sendable {
    /// For all destinations and questions: what the rules do is the same, whether a service leads there or not.
    public let classes: [PacketClass]
    fileprivate struct Place: Hashable {
      let source, question: Int
    }
    fileprivate let destinations: [Place: Bits]
    /// The questions that some service leads on.
    public let questions: Set<Int>

    fileprivate init(classes: [PacketClass], destinations: [Place: Bits]) {
      self.classes = classes
      self.destinations = destinations
      questions = Set(destinations.keys.map(\.question))
    }

    /// Where services lead the packets of a source. `nil`: nowhere.
    public func destinations(of source: Int, _ question: Int) -> Bits? {
      destinations[Place(source: source, question: question)]
    }
  }
}

private struct TranslatedRows {
  struct Rows {
    var sources: Bits
    var destinations: [NodeClasses.Redirected.Place: Bits] = [:]

    func set(_ mark: UInt32, in space: PacketSpace) -> PacketSet? {
      guard let from = Numbers(sources), let to = Numbers(Bits(allBelow: space.addresses.count)),
        let questions = Numbers(Bits(allBelow: space.questionCount))
      else { return nil }
      var set = PacketSet(from: from, to: to, questions)
      set.mark = mark
      set.hasNewDestination = true
      set.codePoints = .max
      return set
    }
  }

  private struct Key: Hashable {
    let mark: UInt32
    let sources: Numbers
    let question: Int
  }

  private let space: PacketSpace
  private var destinations: [Key: Bits] = [:]

  init(_ space: PacketSpace) { self.space = space }

  mutating func add(_ set: PacketSet) {
    guard let destination = set.newDestination else { return }
    let none = Bits(count: space.addresses.count)
    set.questionsNow.visit { question in
      destinations[Key(mark: set.mark, sources: set.sources, question: question), default: none].insert(destination)
    }
  }

  private var rows: [UInt32: Rows] {
    let none = Bits(count: space.addresses.count)
    return destinations.reduce(into: [:]) { rows, one in
      // Without copies.
      var own = rows.removeValue(forKey: one.key.mark) ?? Rows(sources: none)
      own.sources.formUnion(one.key.sources)
      one.key.sources.visit { source in
        let place = NodeClasses.Redirected.Place(source: source, question: one.key.question)
        if own.destinations[place] == nil {
          own.destinations[place] = one.value
        } else {
          own.destinations[place]?.formUnion(one.value)
        }
      }
      rows[one.key.mark] = own
    }
  }

  /// By mark.
  var groups: [(mark: UInt32, rows: Rows)] { rows.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}
