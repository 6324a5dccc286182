import NetpolModel

/// Resolves endpoints of the command line to those of a cluster.
struct EndpointNames {
  private let names: ClusterNames

  init(_ cluster: Cluster) { names = ClusterNames(cluster) }

  /// Returns the one endpoint that `reference` means. Throws `InputError` if there is none, or if a workload has several
  /// pods.
  func endpoint(_ reference: EndpointReference, option: String) throws -> Endpoint {
    if case .address(let address) = reference, address.isLoopback {
      throw InputError(
        "\(option) \(reference): packets to a loopback address never leave a pod; an Expectations document can ask it")
    }
    let endpoints: [Endpoint]
    do throws(UnknownName) { endpoints = try names.endpoints(reference) } catch {
      throw InputError("\(option) \(reference): \(error.problem); \(error.remedy)")
    }
    guard let endpoint = endpoints.first, endpoints.count == 1 else {
      let pods = endpoints.map(\.description).joined(separator: ", ")
      throw InputError("\(option) \(reference): has \(endpoints.count) pods; name one of \(pods)")
    }
    return endpoint
  }
}
