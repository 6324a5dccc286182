/// An address and port that a service's packets may go to, with the lab's number for it.
///
/// kube-proxy draws one of several by a random number (`xt_statistic`). Nobody could send a packet to each of them on
/// purpose. So in the lab the first packet says which one it is for, by its Differentiated Services code point. That is
/// a field of the IP header that no policy, no NAT and no tunnel of the lab looks at or changes.
public struct ServiceTarget: Hashable, Sendable {
  public var address: IPAddress
  public var port: UInt16
  /// 0 to 62 of the 64 (RFC 2474); 63 stands for none. `nil` if the service has more endpoints than there are code points.
  public var codePoint: UInt8?

  /// Names no endpoint of a service.
  public static let noCodePoint: UInt8 = 63

  public init(_ address: IPAddress, port: UInt16, codePoint: UInt8? = nil) {
    self.address = address
    self.port = port
    self.codePoint = codePoint
  }

  public func isAt(_ address: IPAddress, port: UInt16) -> Bool { self.address == address && self.port == port }

  public var description: String { address.description(port: port) }
}

extension [EndpointSlice] {
  /// The endpoints of a service's port in one family that some node may send packets to, each once, by address. The
  /// same on every node, so that each has the same number there.
  public func targets(of port: Service.Port, _ family: IPFamily) -> [ServiceTarget] {
    var found: Set<ServiceTarget> = []
    for slice in self where slice.family == family {
      for target in slice.ports where (target.name ?? "") == (port.name ?? "") && target.transport == port.transport {
        for member in slice.members
        where member.address.family == family && (member.isReady || member.isServing && member.isTerminating) {
          found.insert(ServiceTarget(member.address, port: target.port))
        }
      }
    }
    return found.sorted { ($0.address, $0.port) < ($1.address, $1.port) }.enumerated().map { number, target in
      ServiceTarget(target.address, port: target.port, codePoint: number < 63 ? UInt8(number) : nil)
    }
  }
}
