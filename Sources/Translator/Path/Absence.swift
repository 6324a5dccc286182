public import NetpolModel

extension Topology {
  /// Why a pod is not in the lab.
  public enum Absence: Hashable, Sendable, CustomStringConvertible {
    case onNoNode
    /// All its containers have ended, and its address may belong to another pod by now.
    case ended(PodPhase)
    case withoutAddress
    case addressTaken(IPAddress, by: Endpoint)

    public var code: Code {
      switch self {
      case .onNoNode: .podOnNoNode
      case .ended: .podEnded
      case .withoutAddress: .podWithoutAddress
      case .addressTaken: .podAddressTaken
      }
    }

    /// A clause about the pod, without its name.
    public var description: String {
      switch self {
      case .onNoNode: "it is on no node"
      case .ended(let phase): "its phase is \(phase.rawValue)"
      case .withoutAddress: "it has no address yet"
      case .addressTaken(let address, let owner): "its address \(address) belongs to \(owner)"
      }
    }
  }

  /// `nil` if the endpoint is in the lab, or is not a pod.
  public func absence(of endpoint: Endpoint) -> Absence? {
    guard case .pod(let id) = endpoint else { return nil }
    return unplaced.first { $0.pod == id }?.why
  }
}
