import NetpolModel

/// Resolves endpoints of the command line to those of a cluster.
struct EndpointNames {
  private let names: ClusterNames

  init(_ cluster: Cluster) { names = ClusterNames(cluster) }

  /// Returns the endpoints that `reference` means: all pods of a workload, otherwise one endpoint. The name of a workload
  /// does without its kind if no pod and no other workload is called so. Throws `InputError` if there is none. `allowsLoopback`: whether a loopback address is one.
  func endpoints(
    _ reference: EndpointReference, option: String, allowsLoopback: Bool = false
  ) throws -> [Endpoint] {
    let endpoints: [Endpoint]
    do throws(UnknownName) { endpoints = try names.endpoints(names.withKind(reference)) } catch {
      throw InputError("\(option) \(reference): \(error.problem); \(error.remedy)")
    }
    if case .address(let address)? = endpoints.first, let obstacle = address.obstacleOutside {
      if allowsLoopback, address.isLoopback { return endpoints }
      throw InputError("\(option) \(reference): \(address.remark(obstacle))")
    }
    return endpoints
  }

  /// The same for an option that takes only one endpoint. Throws `InputError` if a workload has several pods.
  func endpoint(_ reference: EndpointReference, option: String) throws -> Endpoint {
    let endpoints = try endpoints(reference, option: option)
    guard let endpoint = endpoints.first, endpoints.count == 1 else {
      let pods = endpoints.map(\.description).abridged(to: 8)
      throw InputError("\(option) \(reference): has \(endpoints.count) pods; name one of \(pods)")
    }
    return endpoint
  }
}

extension IPAddress {
  /// What is wrong with an address that no packet between machines can have, and what to do.
  fileprivate func remark(_ obstacle: String) -> String {
    if isLoopback {
      return
        "a loopback address is the sender's own machine; let a node send, or ask in an Expectations document"
    }
    if isMulticast, family == .v4 { return "is \(obstacle); ask with run --group \(self), and a listener with --to" }
    return "is \(obstacle); name a pod, a node, or another address"
  }
}
