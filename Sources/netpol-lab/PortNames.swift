import Algorithms
import NetpolModel

extension Cluster {
  /// Throws `InputError` if a port is a name that no destination has. `destinations` are those of `--to`; `nil` means
  /// all.
  /// `option` is where the port stands.
  func requirePorts(_ asked: [AskedPort], at destinations: [Endpoint]?, option: String = "--port") throws(InputError) {
    try requireServicePorts(asked, at: destinations ?? [], option)
    for case .name(let name) in asked {
      let known = portNames(at: destinations)
      if known.contains(name) { continue }
      let place = destinations.map { ends in
        ends.count == 1 ? ends[0].description : "\(ends[0]) and \(ends.count - 1) more"
      }
      throw InputError(
        "\(option) \(name): \(place.map { "no port of \($0)" } ?? "no port in the cluster") has this name; "
          + (known.isEmpty ? "none has a name, so write a number" : "known: \(known.abridged(to: 8))"))
    }
  }

  /// Throws for a number that a Service, the only destination, doesn't have: no one would answer or refuse.
  private func requireServicePorts(_ asked: [AskedPort], at destinations: [Endpoint], _ option: String)
    throws(InputError)
  {
    // nftables mode refuses other ports of a ClusterIP.
    guard !settings.kubeProxy.mode.isNftables, destinations.count == 1, case .service(let id)? = destinations.first,
      let service = services.first(where: { $0.id == id }), !service.clusterIPs.isEmpty
    else { return }
    for case .question(.port(let port)) in asked {
      if service.ports.contains(where: { $0.port == port.port && $0.transport == port.transport }) { continue }
      let known = service.ports.map { "\(TransportPort($0.transport, $0.port))\($0.name.map { " (\($0))" } ?? "")" }
      throw InputError("\(option) \(port): service/\(id) has no such port; known: \(known.abridged(to: 8))")
    }
  }

  private func portNames(at destinations: [Endpoint]?) -> [String] {
    let all: [Endpoint] =
      pods.map { .pod($0.id) } + services.map { .service($0.id) } + nodes.prefix(1).map { .node($0.name) }
    return (destinations ?? all).flatMap { portNames(at: $0) }.uniqued().sorted()
  }
}
