internal import Algorithms
internal import NetpolModel

/// Assigns the ClusterIPs and NodePorts that the API server would assign to Services.
struct ServiceAllocation {
  /// Sorted by namespace and name.
  private(set) var services: [Service] = []
  /// The families in which each Service has endpoints.
  private(set) var families: [NamespacedName: [IPFamily]] = [:]

  private struct Holder {
    let id: NamespacedName
    let location: SourceLocation?
    var description: String { ["Service \(id)", location.map { "(\($0))" }].compacted().joined(separator: " ") }
  }

  private let settings: ClusterSettings
  private let pins: Pins
  private let isStrict: Bool
  private var addressHolders: [IPAddress: Holder] = [:]
  private var portHolders: [TransportPort: Holder] = [:]
  private var addressPool: ServiceAddressPool
  private var portPool: NodePortPool
  private var assumedIPs: [String] = []
  private var assumedPorts: [String] = []
  private var balancers: [String] = []

  init(_ manifests: [ServiceManifest], _ settings: ClusterSettings, _ pins: Pins, _ validation: Validation)
    throws(ManifestError)
  {
    self.settings = settings
    self.pins = pins
    isStrict = validation == .apiServer
    addressPool = ServiceAddressPool(settings.serviceCIDRs)
    portPool = NodePortPool(settings.nodePorts)
    let sorted = manifests.sorted { $0.service.id < $1.service.id }
    for manifest in sorted { pin(manifest) }
    for manifest in sorted { try claim(manifest) }
    for manifest in sorted {
      families[manifest.service.id] = try families(of: manifest)
      services.append(try complete(manifest))
      if let source = manifest.loadBalancerAssumption { balancers.append("\(manifest.service.id) (\(source))") }
    }
  }

  var notes: [Note] {
    [
      ("ClusterIPs assumed", assumedIPs), ("NodePorts assumed", assumedPorts),
      ("load-balancer addresses taken from the request because there is no status", balancers),
    ].filter { !$1.isEmpty }.map { Note(.note, "\($0): \($1.abridged(to: 5))") }
  }

  /// Reserves what the Service was given in the base cluster.
  private mutating func pin(_ manifest: ServiceManifest) {
    let holder = Holder(id: manifest.service.id, location: manifest.service.location)
    guard let pinned = pins.services[manifest.service.id] else { return }
    for address in pins.clusterIPs(of: manifest) { addressHolders[address] = holder }
    if manifest.wantsNodePorts {
      for port in manifest.service.ports where port.nodePort == nil {
        if let number = pinned.nodePort(port) { portHolders[TransportPort(port.transport, number)] = holder }
      }
    }
  }

  private mutating func claim(_ manifest: ServiceManifest) throws(ManifestError) {
    let holder = Holder(id: manifest.service.id, location: manifest.service.location)
    for address in manifest.statedIPs {
      if isStrict, !settings.serviceCIDRs.contains(where: { $0.contains(address.value) }) {
        throw address.field.error(
          "\(address.value) is not in any service CIDR (\(settings.serviceCIDRs.map(\.description).abridged()))",
          "use another address, or set serviceCIDRs in a Cluster document")
      }
      if isStrict, let first = addressHolders[address.value] {
        throw address.field.error(
          "\(address.value) is the ClusterIP of \(first.description)", "give the Service an address of its own")
      }
      addressHolders[address.value] = holder
    }
    for (position, field) in manifest.statedNodePorts.sorted(by: { $0.key < $1.key }) {
      let port = manifest.service.ports[position]
      guard let number = port.nodePort else { continue }
      let key = TransportPort(port.transport, number)
      if isStrict, !settings.nodePorts.contains(number) {
        throw field.error(
          "\(number) is not in the range \(settings.nodePorts)",
          "use another number, or set nodePortRange in a Cluster document")
      }
      if isStrict, let first = portHolders[key] {
        throw field.error("\(key) is a NodePort of \(first.description)", "use a number that is free")
      }
      portHolders[key] = holder
    }
  }

  /// The Service's families. Throws if the service CIDRs lack one of them.
  private func families(of manifest: ServiceManifest) throws(ManifestError) -> [IPFamily] {
    let available = settings.serviceCIDRs.map(\.family)
    let families = manifest.families(available)
    guard isStrict, manifest.wantsClusterIP, let family = families.first(where: { !available.contains($0) }) else {
      return families
    }
    throw ManifestError(
      location: manifest.statedFamilies.first { $0.value == family }?.field.location ?? manifest.service.location,
      object: "Service \(manifest.service.id)",
      problem: "it asks for \(family.rawValue), but no service CIDR is \(family.rawValue)",
      remedy: "set serviceCIDRs of both families in a Cluster document, or ask for another family")
  }

  private mutating func complete(_ manifest: ServiceManifest) throws(ManifestError) -> Service {
    var service = manifest.service
    let pinned = pins.services[service.id]
    if manifest.wantsClusterIP {
      for family in families[service.id] ?? [] {
        if let stated = manifest.statedIPs.first(where: { $0.value.family == family }) {
          service.clusterIPs.append(stated.value)
        } else if let address = pinned?.clusterIPs.first(where: { $0.family == family }) {
          service.clusterIPs.append(address)
        } else if let address = addressPool.next(family, for: service.id, taken: { addressHolders[$0] != nil }) {
          service.clusterIPs.append(address)
          addressHolders[address] = Holder(id: service.id, location: service.location)
          assumedIPs.append("\(service.id) \(address)")
        } else if settings.serviceCIDRs.contains(where: { $0.family == family }) {
          throw Self.exhausted(service, "\(family.rawValue) address is left in the service CIDRs", "wider serviceCIDRs")
        }
      }
    }
    if manifest.wantsNodePorts {
      for index in service.ports.indices where service.ports[index].nodePort == nil {
        let port = service.ports[index]
        if let number = pinned?.nodePort(port) {
          service.ports[index].nodePort = number
          continue
        }
        let isTaken = { (number: UInt16) in
          Transport.allCases.contains { portHolders[TransportPort($0, number)] != nil }
        }
        guard let number = portPool.next(taken: isTaken) else {
          throw Self.exhausted(service, "NodePort is left in \(settings.nodePorts)", "a wider nodePortRange")
        }
        service.ports[index].nodePort = number
        let key = TransportPort(port.transport, number)
        portHolders[key] = Holder(id: service.id, location: service.location)
        assumedPorts.append("\(service.id) \(key)")
      }
    }
    return service
  }

  private static func exhausted(_ service: Service, _ what: String, _ remedy: String) -> ManifestError {
    ManifestError(
      location: service.location, object: "Service \(service.id)", problem: "no \(what)",
      remedy: "give \(remedy) in a Cluster document")
  }
}

extension Service {
  /// The NodePort that the service has for a port with this number and transport.
  fileprivate func nodePort(_ port: Port) -> UInt16? {
    ports.first { $0.port == port.port && $0.transport == port.transport }?.nodePort
  }
}
