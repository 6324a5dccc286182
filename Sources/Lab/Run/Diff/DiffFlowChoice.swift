internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Oracle
internal import Path
internal import PolicyDiff
internal import StandingLab

/// Chooses a flow of each row that the lab can send under both policy sets. Machines that other rows use come first.
struct DiffFlowChoice {
  enum Chosen {
    case flows(old: Flow, new: Flow)
    case noFlow(String)
  }

  private let difference: PolicyDifference
  private let old: LabPlan
  private let new: LabPlan
  private let sctpObstacle: String?
  /// By end: the machines that can send from it and receive there.
  private var machines: [Int: [Machine]] = [:]
  private var used: Set<Int> = []

  /// A machine, and the address that it must use. `nil`: that which it has on each side.
  private struct Machine {
    let end: Int
    let endpoint: Endpoint
    let address: IPAddress?
  }

  /// How many ends of one side, and how many questions, are tried.
  private static let triedEnds = 12
  private static let triedQuestions = 8

  init(_ difference: PolicyDifference, old: LabPlan, new: LabPlan, sctpObstacle: String?) {
    self.difference = difference
    self.old = old
    self.new = new
    self.sctpObstacle = sctpObstacle
    let space = difference.space
    for (number, end) in space.ends.enumerated() {
      switch end.endpoint {
      case .pod(let id):
        if old.topology.pods[id] != nil, new.topology.pods[id] != nil {
          machines[number] = [Machine(end: number, endpoint: end.endpoint, address: nil)]
        }
      case .node: machines[number] = [Machine(end: number, endpoint: end.endpoint, address: end.new)]
      case .external, .service, .virtualAddress, .address: break
      }
    }
    let hosts = new.topology.externals.filter { host in old.topology.externals.contains { $0.name == host.name } }
    for host in hosts {
      for address in host.addresses {
        guard let number = space.number(of: .address(address), address), space.outside.contains(number) else {
          continue
        }
        machines[number, default: []].append(
          Machine(end: number, endpoint: .external(host.name), address: address))
      }
    }
  }

  mutating func flows(of row: DifferenceRow) -> Chosen {
    let (senders, receivers) = (candidates(row.senders), candidates(row.destinations))
    for (ends, found) in [(row.senders, senders), (row.destinations, receivers)] where found.isEmpty {
      let isOutside = ends.subtracting(difference.space.outside).isEmpty
      return .noFlow(isOutside ? "no host to send to or from" : why(ends))
    }
    let (questions, obstacle) = questions(of: row)
    if questions.isEmpty { return .noFlow(obstacle) }
    for question in questions {
      for sender in senders.prefix(Self.triedEnds) {
        for receiver in receivers.prefix(Self.triedEnds)
        where !difference.space.isUndisputed(sender.end, receiver.end) {
          guard let before = flow(sender, receiver, question, in: old),
            let after = flow(sender, receiver, question, in: new),
            isAllowed(before, in: old) == !row.isOpened, isAllowed(after, in: new) == row.isOpened
          else { continue }
          used.formUnion([sender.end, receiver.end])
          return .flows(old: before, new: after)
        }
      }
    }
    return .noFlow("no packet of these flows has a route in the lab")
  }

  /// Why none of some pods can send or receive.
  private func why(_ ends: Bits) -> String {
    let pods = ends.numbers.compactMap { if case .pod(let id) = difference.space.ends[$0].endpoint { id } else { nil } }
    let isOnBoth = pods.contains { old.cluster.pod($0) != nil && new.cluster.pod($0) != nil }
    return isOnBoth ? "none of these pods is in the lab" : "the other side gives the address of these pods to others"
  }

  private func candidates(_ ends: Bits) -> [Machine] {
    let found = ends.numbers.flatMap { machines[$0] ?? [] }
    return found.filter { used.contains($0.end) } + found.filter { !used.contains($0.end) }
  }

  private func questions(of row: DifferenceRow) -> ([Flow.Question], obstacle: String) {
    let ranges = row.questions.numbers.compactMap(difference.space.ports)
    if ranges.isEmpty { return ([], "the specification says nothing about ICMP (D5)") }
    let sent = ranges.filter { $0.transport != .sctp || sctpObstacle == nil }
    if sent.isEmpty { return ([], "SCTP can't be probed here (\(sctpObstacle ?? ""))") }
    // No packet can be sent to port 0.
    let first = sent.map { TransportPort($0.transport, max($0.range.first, 1)) }.filter { port in
      sent.contains { $0.transport == port.transport && $0.range.contains(port.port) }
    }
    let usual = first.map(\.transport).flatMap { transport in
      [80, 443, 8080].filter { port in sent.contains { $0.transport == transport && $0.range.contains(port) } }.map {
        TransportPort(transport, $0)
      }
    }
    let ports = (usual.prefix(1) + first).prefix(Self.triedQuestions)
    return (ports.map(Flow.Question.port), ports.isEmpty ? "no packet can be sent to port 0" : "")
  }

  /// `nil` if the machines would use other addresses, or if more than policies decides.
  private func flow(_ sender: Machine, _ receiver: Machine, _ question: Flow.Question, in plan: LabPlan) -> Flow? {
    let family = difference.space.ends[receiver.end].family
    guard
      let flow = plan.topology.flow(
        from: sender.endpoint, to: receiver.endpoint, question, family, destinationAddress: receiver.address),
      sender.address == nil || sender.address == flow.sourceAddress
    else { return nil }
    let journey = plan.enforced.journey(of: flow)
    return journey.end.noRoute == nil && plan.comparer.oracle.resolve(flow).intermediary == nil ? flow : nil
  }

  private func isAllowed(_ flow: Flow, in plan: LabPlan) -> Bool {
    plan.comparer.oracle.judge(flow).verdict == .allow
  }
}
