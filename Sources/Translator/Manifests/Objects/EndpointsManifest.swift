internal import NetpolModel
internal import OrderedCollections

/// A v1 Endpoints object. kube-proxy doesn't read these, but the EndpointSliceMirroring controller turns those of
/// Services without selector into EndpointSlices.
struct EndpointsManifest: Hashable {
  /// The controller mirrors at most so many addresses of a subset (`--mirroring-max-endpoints-per-subset`).
  private static let mostAddresses = 1000

  private struct Subset: Hashable {
    let ports: [EndpointSlice.Port]
    let members: [EndpointSlice.Member]
  }

  let id: NamespacedName
  /// `false` if whoever wrote it writes its slices too, or uses it as a lock.
  let isMirrored: Bool
  private let subsets: [Subset]

  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    id = try object.id(validation)
    let skips = try object.labels(validation)["endpointslice.kubernetes.io/skip-mirror"] == "true"
    let isLock = try object.metadata?["annotations"]?.fields()["control-plane.alpha.kubernetes.io/leader"] != nil
    isMirrored = !skips && !isLock
    var subsets: [Subset] = []
    for entry in try object.root["subsets"]?.list() ?? [] where isMirrored {
      subsets.append(try Self.subset(try entry.fields(), id.namespace))
    }
    self.subsets = subsets
  }

  private static func subset(_ fields: Fields, _ namespace: String) throws(ManifestError) -> Subset {
    var ports: [EndpointSlice.Port] = []
    for entry in try fields["ports"]?.list() ?? [] {
      let fields = try entry.fields()
      var name = try fields["name"]?.string()
      if name == "" { name = nil }
      let number = try fields.required("port", "give a number from 1 to 65535").port()
      ports.append(.init(name: name, transport: try fields["protocol"]?.transport() ?? .tcp, port: number))
    }
    var members: [EndpointSlice.Member] = []
    for (list, isReady) in [("addresses", true), ("notReadyAddresses", false)] {
      for entry in try fields[list]?.list() ?? [] {
        let fields = try entry.fields()
        members.append(
          .init(
            try fields.required("ip", "give an address").serviceAddress(), isReady: isReady,
            node: try fields["nodeName"]?.string(), pod: try fields.targetPod(namespace)))
      }
    }
    return Subset(ports: ports, members: members)
  }

  /// One slice for each set of ports and family. Like the controller, this first gathers an address's ports over all
  /// subsets (`RepackSubsets`). Skips names in `taken` and adds the new ones to it.
  func slices(taken: inout Set<NamespacedName>) -> [EndpointSlice] {
    var portsOf: OrderedDictionary<EndpointSlice.Member, Set<EndpointSlice.Port>> = [:]
    for subset in subsets { for member in subset.members { portsOf[member, default: []].formUnion(subset.ports) } }
    var groups: OrderedDictionary<Set<EndpointSlice.Port>, [EndpointSlice.Member]> = [:]
    for (member, ports) in portsOf where !ports.isEmpty { groups[ports, default: []].append(member) }
    return groups.flatMap { ports, members -> [EndpointSlice] in
      let mirrored = (members.filter(\.isReady) + members.filter { !$0.isReady }).prefix(Self.mostAddresses)
      return IPFamily.allCases.compactMap { family in
        let members = mirrored.filter { $0.address.family == family }
        if members.isEmpty { return nil }
        return EndpointSlice(
          id: .ofSlice(id, family, &taken), service: id.name, family: family, ports: ports.sorted(by: Self.precedes),
          members: members)
      }
    }
  }

  private static func precedes(_ first: EndpointSlice.Port, _ second: EndpointSlice.Port) -> Bool {
    (first.port, first.transport.rawValue, first.name ?? "")
      < (second.port, second.transport.rawValue, second.name ?? "")
  }
}

extension NamespacedName {
  /// A name for a slice of the Service: `web-ipv4-0`, or the first number that is not in `taken`, to which it is added.
  /// In a real cluster the suffix is random.
  static func ofSlice(_ service: NamespacedName, _ family: IPFamily, _ taken: inout Set<NamespacedName>)
    -> NamespacedName
  {
    var index = 0
    while true {
      let id = NamespacedName(service.namespace, "\(service.name)-\(family.rawValue.lowercased())-\(index)")
      if taken.insert(id).inserted { return id }
      index += 1
    }
  }
}
