internal import Comparison
public import NetpolModel

/// What a lab can be asked: whether a first packet arrives.
public enum Inquiry: Hashable, Sendable, CustomStringConvertible {
  case flow(Flow)
  case ping(Ping)

  public var source: Endpoint {
    switch self {
    case .flow(let flow): flow.source
    case .ping(let ping): ping.source
    }
  }
  public var destination: Endpoint {
    switch self {
    case .flow(let flow): flow.destination
    case .ping(let ping): ping.destination
    }
  }
  public var sourceAddress: IPAddress {
    switch self {
    case .flow(let flow): flow.sourceAddress
    case .ping(let ping): ping.sourceAddress
    }
  }
  public var destinationAddress: IPAddress {
    switch self {
    case .flow(let flow): flow.destinationAddress
    case .ping(let ping): ping.destinationAddress
    }
  }
  public var family: IPFamily { destinationAddress.family }

  public var description: String {
    switch self {
    case .flow(let flow): flow.description
    case .ping(let ping): ping.description
    }
  }
}

extension EnforcedCluster {
  func walk(_ inquiry: Inquiry) -> EvaluatedWalk {
    switch inquiry {
    case .flow(let flow): walk(flow)
    case .ping(let ping): walk(ping)
    }
  }
}
