internal import Algorithms
internal import EngineComparison
public import NetpolModel

/// The results of a group's expectations.
public struct GroupResult: Sendable {
  public let group: Expectations.Group
  public let flows: [FlowResult]
  /// The difference from the cluster that the group is compared with. `nil` if it is compared with none.
  public let difference: Difference?
  /// Whether it would be compared if the cluster had fewer flows.
  public let isDifferenceLeftOut: Bool
  let strict: Bool

  /// What packets show about the document's claim.
  public enum DocumentVerdict: String, Sendable {
    case holds, refuted, undecided
  }

  /// `nil` if the document states nothing about any flow.
  public var document: DocumentVerdict? { DocumentVerdict(flows.compactMap(\.document)) }

  public var metCount: Int { flows.filter { $0.state == .met }.count }
  public var missed: [FlowResult] { flows.filter { $0.state == .missed } }
  public var askedCount: Int { flows.filter { $0.state != .notAsked }.count }

  /// Flows on which the engines disagree, without duplicates.
  public var failures: [Answer] {
    let answers = flows.flatMap(\.pairs).compactMap(\.answer).uniqued(on: \.flow)
    return answers.filter { $0.comparison.isFailure(strict: strict) } + (difference?.failures(strict: strict) ?? [])
  }
  public var isAsExpected: Bool { missed.isEmpty && failures.isEmpty }
}

extension GroupResult.DocumentVerdict {
  /// Refuted if at least one flow differs from what the document says. `nil` if there is no flow.
  init?(_ verdicts: [Self]) {
    if verdicts.isEmpty { return nil }
    self = verdicts.contains(.refuted) ? .refuted : verdicts.contains(.undecided) ? .undecided : .holds
  }
}

/// The result of one expected flow.
public struct FlowResult: Sendable {
  public enum State: String, Sendable {
    case met, missed, notAsked
  }

  public let expected: ExpectedFlow
  /// One for each pair of endpoints that the flow covers.
  public let pairs: [PairResult]

  public var state: State {
    if pairs.isEmpty { return .missed }
    if expected.expect == .mixed { return mixedState }
    if pairs.contains(where: { $0.state == .missed }) { return .missed }
    return pairs.contains { $0.state == .notAsked } ? .notAsked : .met
  }

  /// Each pair of endpoints must have some flows that are delivered and some that are not. Those that were not asked
  /// can't disprove it.
  private var mixedState: State {
    if pairs.contains(where: { $0.whyNot != nil && $0.state == .missed }) { return .missed }
    let groups = Dictionary(grouping: pairs) { [$0.from, $0.to] }.values
    let open = groups.filter { flows in Set(flows.compactMap { $0.answer?.observed }).count < 2 }
    if open.isEmpty { return .met }
    return open.allSatisfy { flows in flows.contains { $0.state == .notAsked } } ? .notAsked : .missed
  }

  /// Whether packets do what the document says. `nil` if it says nothing about this flow, or the flow could not be
  /// asked.
  public var document: GroupResult.DocumentVerdict? {
    guard let claimed = expected.document, state != .notAsked else { return nil }
    let verdicts = pairs.map { pair -> GroupResult.DocumentVerdict in
      guard let observed = pair.answer?.observed else { return .undecided }
      return observed == claimed ? .holds : .refuted
    }
    return GroupResult.DocumentVerdict(verdicts) ?? .undecided
  }
}

/// The result of one pair of endpoints.
public struct PairResult: Sendable {
  public let from: Endpoint
  public let to: Endpoint
  /// `nil` if nothing was asked. `whyNot` then gives the reason.
  public let answer: Answer?
  public let whyNot: String?
  public let state: FlowResult.State

  init(_ pair: AskedPair, _ answer: Answer?, _ expected: ExpectedFlow) {
    from = pair.from
    to = pair.to
    self.answer = answer
    switch pair.asking {
    case .notAsked(let why):
      (whyNot, state) = (why, .notAsked)
    case .impossible(let why):
      (whyNot, state) = (why, .missed)
    case .flow:
      whyNot = answer == nil ? "no packet was sent" : nil
      state = answer.map { $0.meets(expected) } == true ? .met : .missed
    }
  }
}

extension Answer {
  func meets(_ expected: ExpectedFlow) -> Bool {
    guard let observed, expected.expect.verdict.map({ $0 == observed }) ?? true else { return false }
    guard expected.codes.allSatisfy(codes.contains) else { return false }
    guard let mechanism = expected.mechanism else { return true }
    return mechanism.outcome == outcome
  }
}
