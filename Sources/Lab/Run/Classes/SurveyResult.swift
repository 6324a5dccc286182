internal import Enforcement
public import EngineComparison
internal import NetpolModel
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
  private var ways: Set<ColumnWay> = []

  struct FindingKey: Hashable {
    let from, to: String
    let question: Flow.Question
    let family: IPFamily
    let isolation: [Int]
    let sameNode: Bool
  }

  private struct MixedKey: Hashable {
    let from: String
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

  /// Adds the flows from one sender to a destination that leads on. `members`: the senders for which it stands.
  mutating func add(_ comparisons: [Comparison], of members: [Endpoint], to destination: Endpoint) {
    classCount += 1
    for comparison in comparisons { add(comparison, members, destination) }
    addMixed(comparisons, senders: members.count)
  }

  private mutating func add(_ comparison: Comparison, _ members: [Endpoint], _ destination: Endpoint) {
    let flow = comparison.flow
    let mix = WorkloadGrid.Mix(comparison)
    switch comparison.evaluated {
    case .allow?: tally.allowed += members.count
    case .deny?: tally.denied += members.count
    case nil: tally.unanswered += members.count
    }
    if mix.contains(.deviating) { tally.deviating += members.count }
    if mix.contains(.failing) { tally.unexplained += members.count }
    if case .notModelled(let why) = comparison.finding { notModelled[why, default: 0] += members.count }
    for (name, alike) in Dictionary(grouping: members, by: grid.name) {
      grid.add(alike[0], destination, flow.question, mix)
      if mix.isDisjoint(with: [.deviating, .failing]) { continue }
      let key = FindingKey(
        from: name, to: grid.name(destination), question: flow.question, family: flow.family, isolation: [],
        sameNode: false)
      if !count(key, alike.count) { add(comparison, key, alike.count) }
    }
  }

  /// The answers of a service's endpoints to one sender that stands for others.
  private mutating func addMixed(_ comparisons: [Comparison], senders: Int) {
    guard let flow = comparisons.first?.flow, comparisons.count > 1,
      Set(comparisons.compactMap(\.evaluated)).count > 1
    else { return }
    let key = MixedKey(
      from: grid.name(flow.source), to: flow.destination, address: flow.destinationAddress, question: flow.question,
      verdicts: comparisons.map(\.evaluated))
    if let known = mixedOf[key] {
      mixed[known].senders += senders
    } else {
      mixedOf[key] = mixed.count
      mixed.append(Mixed(comparisons: comparisons, senders: senders))
    }
  }

  /// Sends one packet for each way in which a destination that leads on answers.
  mutating func sendColumn(_ comparison: Comparison) {
    let flow = comparison.flow
    let way = ColumnWay(
      destination: flow.destination, address: flow.destinationAddress, question: flow.question, chosen: flow.chosen,
      verdict: comparison.evaluated, isDeviation: comparison.evaluated != comparison.specified?.verdict,
      isPod: { if case .pod = flow.source { true } else { false } }(), end: comparison.journey.stop,
      hops: comparison.journey.hops.map(\.hook))
    if ways.insert(way).inserted { send(flow) }
  }

  private struct ColumnWay: Hashable {
    let destination: Endpoint
    let address: IPAddress
    let question: Flow.Question
    let chosen: ServiceTarget?
    let verdict: Verdict?
    let isDeviation, isPod: Bool
    let end: Journey.Stop?
    let hops: [Hook]
  }
}
