/// A port of a pod whose container sends on what arrives there: klipper-lb, in the pods that k3s's servicelb makes for a
/// Service of type LoadBalancer.
///
/// The container writes iptables rules in the pod's own network namespace (its `entry` script). The values are those of
/// its environment.
public struct PodForward: Hashable, Sendable {
  /// `SRC_PORT` and `DEST_PROTO`.
  public var port: TransportPort
  /// `SRC_RANGES`: who may use it, as the pod sees the sender.
  public var sourceRanges: [CIDR]
  /// `DEST_IPS`: the ClusterIPs of the Service, or the node's own addresses with traffic policy Local.
  public var destinations: [IPAddress]
  /// `DEST_PORT`: the port of the Service, or its NodePort with traffic policy Local.
  public var destinationPort: UInt16

  public init(
    _ port: TransportPort, from sourceRanges: [CIDR], to destinations: [IPAddress], port destinationPort: UInt16
  ) {
    self.port = port
    self.sourceRanges = sourceRanges
    self.destinations = destinations
    self.destinationPort = destinationPort
  }

  /// Where packets of a family go. The script puts the rule for each destination in front, so the last one counts.
  public func destination(_ family: IPFamily) -> IPAddress? { destinations.last { $0.family == family } }

  public func admits(_ source: IPAddress) -> Bool { sourceRanges.contains { $0.contains(source) } }
}
