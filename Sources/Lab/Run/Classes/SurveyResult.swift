internal import Enforcement
public import EngineComparison
public import NetpolModel
internal import Path

/// What a survey of all flows found.
public struct SurveyResult: Sendable {
  /// One flow, and how many it stands for.
  public struct Found: Sendable {
    public let comparison: Comparison
    public internal(set) var count: Int
  }

  /// A service some of whose endpoints refuse a sender.
  public struct Mixed: Sendable {
    public let comparisons: [Comparison]
    public internal(set) var senders: Int
  }

  public internal(set) var tally = Tally()
  /// In how many classes the engines judged the flows.
  public internal(set) var classCount = 0
  public internal(set) var grid = WorkloadGrid()
  /// Flows with findings and deviations, one for each pair of workloads, port and reason.
  public internal(set) var found: [Found] = []
  public internal(set) var mixed: [Mixed] = []
  /// Why flows have no verdict because something is not modelled, and how many.
  public internal(set) var notModelled: [String: Int] = [:]
  /// The flows to send, each with why it was chosen.
  var chosen: [Flow] = []
  private var isChosen: Set<Flow> = []
  private var findingOf: [FindingKey: Int] = [:]
  private var mixedOf: [MixedKey: Int] = [:]

  struct FindingKey: Hashable {
    /// Numbers of workloads.
    let from, to: Int?
    let question: Flow.Question
    let family: IPFamily
    let isolation: [Int]
    let sameNode: Bool
  }

  /// Senders for which one stands.
  struct Askers {
    let count: Int
    /// How many of them each workload has.
    let workloads: [(number: Int, count: Int)]

    init(workloads: [(number: Int, count: Int)]) {
      self.workloads = workloads
      count = workloads.reduce(0) { $0 + $1.count }
    }
  }

  private struct MixedKey: Hashable {
    let from: Int?
    let to: Endpoint
    let address: IPAddress
    let question: Flow.Question
    let verdicts: [Verdict?]
  }

  init() {}

  /// How many packets show every kind of class.
  public var chosenCount: Int { chosen.count }

  /// The chosen flows; if there are more than the limit, some of all kinds.
  func packets(_ limit: Int?) -> [Flow] {
    guard let limit, chosen.count > limit else { return chosen }
    return (0..<limit).map { chosen[$0 * chosen.count / limit] }
  }

  mutating func send(_ flow: Flow) {
    if isChosen.insert(flow).inserted { chosen.append(flow) }
  }

  /// Whether a finding of this kind is known; it is counted then.
  mutating func count(_ key: FindingKey, _ count: Int) -> Bool {
    guard let known = findingOf[key] else { return false }
    found[known].count += count
    return true
  }

  mutating func add(_ comparison: Comparison, _ key: FindingKey, _ count: Int) {
    findingOf[key] = found.count
    found.append(Found(comparison: comparison, count: count))
  }

  /// Adds the flows that ask one question of receivers that nothing translates.
  mutating func add(_ tally: Tally, _ rows: WorkloadGrid.Rows, _ receivers: [Int: [Endpoint]]) {
    self.tally += tally
    grid.add(rows, receivers)
  }

  /// Adds the flows from one sender, which stands for others, to destinations that lead on and have one address.
  mutating func add(_ comparisons: [Comparison], of askers: Askers, to destinations: [Endpoint]) {
    classCount += 1
    for destination in destinations {
      for comparison in comparisons { add(comparison, askers, destination) }
    }
    addMixed(comparisons, askers)
  }

  private mutating func add(_ comparison: Comparison, _ askers: Askers, _ destination: Endpoint) {
    let flow = comparison.flow
    let mix = WorkloadGrid.Mix(comparison)
    switch comparison.evaluated {
    case .allow?: tally.allowed += askers.count
    case .deny?: tally.denied += askers.count
    case nil: tally.unanswered += askers.count
    }
    if mix.contains(.deviating) { tally.deviating += askers.count }
    if mix.contains(.failing) { tally.unexplained += askers.count }
    if case .notModelled(let why) = comparison.finding {
      notModelled["\(why) [\(why.code)]", default: 0] += askers.count
    }
    guard let to = grid.number(destination) else { return }
    grid.add(askers.workloads.lazy.map(\.number), to, flow.question, mix)
    if mix.isDisjoint(with: [.deviating, .failing]) { return }
    for (from, count) in askers.workloads {
      let key = FindingKey(
        from: from, to: to, question: flow.question, family: flow.family, isolation: [], sameNode: false)
      if !self.count(key, count) { add(comparison, key, count) }
    }
  }

  /// The answers of a service's endpoints to one sender that stands for others.
  private mutating func addMixed(_ comparisons: [Comparison], _ askers: Askers) {
    guard let flow = comparisons.first?.flow, comparisons.count > 1,
      Set(comparisons.compactMap(\.answer)).count > 1
    else { return }
    let key = MixedKey(
      from: grid.number(flow.source), to: flow.destination, address: flow.destinationAddress, question: flow.question,
      verdicts: comparisons.map(\.answer))
    if let known = mixedOf[key] {
      mixed[known].senders += askers.count
    } else {
      mixedOf[key] = mixed.count
      mixed.append(Mixed(comparisons: comparisons, senders: askers.count))
    }
  }
}

extension Comparison {
  /// What a client gets from an endpoint. One that no machine has refuses too.
  public var answer: Verdict? {
    if let verdict { return verdict }
    if case .noRoute = finding, flow.chosen != nil { return .deny }
    return nil
  }
}
