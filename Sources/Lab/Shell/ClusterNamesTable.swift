internal import NetpolModel

/// The names by which machines and Services of a cluster are known inside of it, and their addresses.
struct ClusterNamesTable {
  struct Entry: Hashable {
    let address: IPAddress
    /// The longest first.
    let names: [String]
  }

  private(set) var entries: [Entry] = []
  private let servicesIn: [String: [Service]]
  private let podsIn: [String: [Pod]]
  private let cluster: Cluster
  /// The end of every Service's and pod's name.
  static let domain = "cluster.local"

  init(_ cluster: Cluster) {
    self.cluster = cluster
    servicesIn = Dictionary(grouping: cluster.services, by: \.id.namespace)
    podsIn = Dictionary(grouping: cluster.pods, by: \.id.namespace)
    for service in cluster.services {
      add(service.id, "svc", addresses(of: service))
      if service.clusterIPs.isEmpty { addMembers(of: service) }
    }
    let services = Set(cluster.services.map(\.id))
    for pod in cluster.pods where !pod.phase.isTerminal {
      let id = pod.id.namespacedName
      let isAlone = !services.contains(id)
      for address in pod.podIPs { add([address], Self.names(id, "pod", withShort: isAlone)) }
    }
    for node in cluster.nodes { add(node.addresses, [node.name]) }
    for host in cluster.externalHosts { add(host.addresses, [host.name]) }
  }

  /// A StatefulSet's pods have names of their own within its headless Service.
  private mutating func addMembers(of service: Service) {
    for member in cluster.slices(of: service.id).flatMap(\.members) {
      guard let id = member.pod, id.namespace == service.id.namespace, cluster.pod(id)?.owner?.kind == "StatefulSet"
      else { continue }
      add(NamespacedName(service.id.namespace, "\(id.name).\(service.id.name)"), "svc", [member.address])
    }
  }

  private mutating func add(_ id: NamespacedName, _ kind: String, _ addresses: [IPAddress]) {
    add(addresses, Self.names(id, kind, withShort: true))
  }

  private mutating func add(_ addresses: [IPAddress], _ names: [String]) {
    let names = names.filter(\.isHostName)
    if names.isEmpty { return }
    entries += addresses.map { Entry(address: $0, names: names) }
  }

  private static func names(_ id: NamespacedName, _ kind: String, withShort: Bool) -> [String] {
    let name = "\(id.name).\(id.namespace)"
    return ["\(name).\(kind).\(domain)", "\(name).\(kind)"] + (withShort ? [name] : [])
  }

  /// The ClusterIPs. Of a headless Service, the addresses of all endpoints that are ready.
  private func addresses(of service: Service) -> [IPAddress] {
    if !service.clusterIPs.isEmpty { return service.clusterIPs }
    let members = cluster.slices(of: service.id).flatMap(\.members)
    return Set(members.filter { $0.isReady || service.publishesNotReadyAddresses }.map(\.address)).sorted()
  }

  /// The addresses of a name, as a name server answers: only for whole names. `nil` if nothing has the name.
  func addresses(of name: String) -> [IPAddress]? {
    let found = entries.filter { $0.names.first == name.lowercased() }.map(\.address)
    return found.isEmpty ? nil : found
  }

  /// The text of /etc/hosts in a pod of a namespace, or on another machine. In a pod, what is in its own namespace is known by its name alone.
  func hostsText(namespace: String?, ownName: String, ownAddresses: [IPAddress]) -> String {
    var lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    if ownName.isHostName { lines += ownAddresses.map { "\($0)\t\(ownName)" } }
    var short: [String: String] = [:]
    if let namespace {
      for pod in podsIn[namespace] ?? [] { short["\(pod.id.name).\(namespace).pod.\(Self.domain)"] = pod.id.name }
      // A Service's name counts before a pod's.
      for service in servicesIn[namespace] ?? [] {
        short["\(service.id.name).\(namespace).pod.\(Self.domain)"] = nil
        short["\(service.id.name).\(namespace).svc.\(Self.domain)"] = service.id.name
      }
    }
    for entry in entries {
      let names = entry.names + [entry.names.first.flatMap { short[$0] }].compactMap(\.self).filter(\.isHostName)
      lines.append("\(entry.address)\t\(names.joined(separator: " "))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The text of /etc/resolv.conf, with a pod's search list. The server is the cluster's, if it has one.
  func resolverText(namespace: String?) -> String {
    var lines: [String] = []
    if let namespace, namespace.isHostName {
      lines.append("search \(namespace).svc.\(Self.domain) svc.\(Self.domain) \(Self.domain)")
    }
    lines += nameServers.map { "nameserver \($0)" }
    // Nobody else answers here, so there is nothing to wait for.
    lines.append("options ndots:5 timeout:1 attempts:1")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The addresses of the cluster's DNS Service.
  var nameServers: [IPAddress] {
    cluster.services.first { $0.id == NamespacedName("kube-system", "kube-dns") }?.clusterIPs
      ?? cluster.services.first { $0.labels["k8s-app"] == "kube-dns" }?.clusterIPs ?? []
  }

  /// A machine's /etc/nsswitch.conf, with names of hosts from files first and then by DNS: a service of the machine itself
  /// would answer for the machine.
  static func switchText(_ own: String?) -> String {
    let lines = (own ?? "").split(separator: "\n").filter { !$0.trimmingPrefix { $0 == " " }.hasPrefix("hosts:") }
    return (lines.map(String.init) + ["hosts: files dns"]).joined(separator: "\n") + "\n"
  }
}

extension String {
  /// Whether it can stand in a line of /etc/hosts (hosts(5)).
  var isHostName: Bool {
    let isUsual = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    return (1...253).contains(utf8.count) && utf8.allSatisfy(isUsual) && utf8.first != UInt8(ascii: "-")
  }
}
