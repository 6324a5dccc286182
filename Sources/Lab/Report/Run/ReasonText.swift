internal import NetpolModel

extension Reason {
  /// A sentence without its full stop.
  var text: String {
    switch self {
    case .sameEndpoint: "a pod reaches itself"
    case .ownNode: "the pod's own node may always reach it"
    case .notIsolated(let direction): "no policy isolates the \(direction.subject) for \(direction.keyword)"
    case .admitted(let direction, let policy, let rule, let peer):
      "\(policy) admits it by \(direction.keyword) rule \(rule)" + (peer.map { ", peer \($0)" } ?? "")
    case .isolated(let direction, let policies):
      "the \(direction.subject) is isolated for \(direction.keyword) by "
        + "\(policies.map(\.description).joined(separator: ", ")), and no rule of theirs admits it"
    case .translated(let service, let endpoint, let port, let source):
      "the service \(service) translates to \(endpoint) port \(port), where it comes from \(source)"
    case .outOfSourceRanges(let service):
      "the sender is in none of the loadBalancerSourceRanges of the service \(service)"
    case .noEndpoints(let service): "the service \(service) has no endpoint that may be sent to"
    }
  }
}

extension Direction {
  /// The end that a policy of this direction selects.
  fileprivate var subject: String { self == .egress ? "source" : "destination" }
}
