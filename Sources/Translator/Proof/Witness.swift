internal import Enforcement
public import EngineComparison
internal import Evaluator
public import NetpolModel
internal import Oracle
internal import Path
internal import RuleIR

/// A counterexample with what both sides say about it.
public struct Witness: Sendable {
  public struct AtHook: Sendable {
    public let hook: Hook
    public let isAccepted: Bool
    /// `filter FORWARD rule 3: jump to the pod's chain`, in the order in which it met them.
    public let rules: [String]
  }

  public let counterexample: Counterexample
  /// The rules that the packet meets on the node, as far as it gets.
  public let hooks: [AtHook]
  /// Why the specification says so.
  public let because: [Reason]

  public init(_ counterexample: Counterexample, _ comparer: Comparer) {
    self.counterexample = counterexample
    let packet = counterexample.packet
    var payload = packet.payload
    if case .transport(let transport, let source, _) = payload, let port = packet.asked?.port {
      payload = .transport(transport, source: source, destination: port)
    }
    var current = Packet(
      from: packet.source.address, to: packet.asked?.address ?? packet.destination.address, payload,
      state: packet.state)
    let topology = comparer.enforced.topology
    let isOwn = { (address: IPAddress) in
      topology.node(packet.node)?.localAddresses.contains(address) == true
    }
    var hooks: [AtHook] = []
    func pass(_ hook: Hook) -> Bool {
      guard let outcome = comparer.enforced.run(current, at: hook, of: packet.node) else { return false }
      let rules = outcome.steps.map { "\($0.table) \($0.chain) rule \($0.index + 1): \($0.rule.comment ?? "-")" }
      hooks.append(AtHook(hook: hook, isAccepted: outcome.verdict == .accept, rules: rules))
      current = outcome.packet
      return outcome.verdict == .accept
    }
    if isOwn(current.source), packet.place == .departure {
      if pass(.output) { _ = pass(.postrouting) }
    } else if pass(.prerouting) {
      if isOwn(current.destination) { _ = pass(.input) } else if pass(.forward) { _ = pass(.postrouting) }
    }
    self.hooks = hooks
    let question: Flow.Question =
      if case .transport(let transport, _, let port) = packet.payload {
        .port(TransportPort(transport, port))
      } else {
        .echo
      }
    because =
      comparer.oracle.judge(
        Flow(
          from: packet.source.endpoint, packet.source.address, to: packet.destination.endpoint,
          packet.destination.address, question)
      ).because
  }
}
