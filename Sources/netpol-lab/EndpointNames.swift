import NetpolModel

/// Endpoints as a user writes them.
struct EndpointNames {
  private let names: ClusterNames

  init(_ cluster: Cluster) { names = ClusterNames(cluster) }

  /// In one of `EndpointReference.forms`; of a workload only if it has one pod.
  func endpoint(_ text: String, option: String) throws -> Endpoint {
    let endpoints: [Endpoint]
    do {
      let end = try EndpointReference(text)
      if case .address(let address) = end, address.isLoopback {
        throw InputError(
          "\(option) \(text): what is sent to a loopback address leaves no pod; an Expectations document can ask it")
      }
      endpoints = try names.endpoints(end)
    } catch let error as EndpointTextError {
      throw InputError("\(option) \(text): \(error.problem); \(error.remedy)")
    } catch let error as UnknownName {
      throw InputError("\(option) \(text): \(error.problem); \(error.remedy)")
    }
    guard let endpoint = endpoints.first, endpoints.count == 1 else {
      let pods = endpoints.map(\.description).joined(separator: ", ")
      throw InputError("\(option) \(text): has \(endpoints.count) pods; name one of \(pods)")
    }
    return endpoint
  }
}

/// `80`, `TCP/80`, `80/udp`.
func transportPort(_ text: String) throws -> TransportPort {
  let parts = text.split(separator: "/").map(String.init)
  if parts.count == 1, let port = UInt16(parts[0]), port > 0 { return TransportPort(.tcp, port) }
  for (transport, port) in [(parts.first, parts.last), (parts.last, parts.first)] where parts.count == 2 {
    if let transport = transport.flatMap({ Transport(rawValue: $0.uppercased()) }),
      let port = port.flatMap(UInt16.init),
      port > 0
    {
      return TransportPort(transport, port)
    }
  }
  throw InputError("--port \(text): write a number from 1 to 65535, with TCP/, UDP/ or SCTP/ before it")
}
