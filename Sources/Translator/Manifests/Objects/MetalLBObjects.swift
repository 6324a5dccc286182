internal import NetpolModel
internal import Text

/// Reads MetalLB's own objects. What in them can't be understood is left out: MetalLB checks them itself.
extension MetalLB {
  mutating func read(_ object: ManifestObject) {
    guard object.group == "metallb.io", let name = try? object.metadata?["name"]?.string() else { return }
    let spec = try? object.root["spec"]?.fields()
    switch object.kind {
    case "IPAddressPool":
      let labels = (try? object.metadata?["labels"]?.stringMap()) ?? [:]
      let texts = (try? spec?["addresses"]?.strings()) ?? []
      pools.removeAll { $0.name == name }
      pools.append(Pool(name: name, labels: labels, ranges: texts.compactMap(Self.range)))
    case "L2Advertisement": advertisements.append(Advertisement(.metallbL2, spec))
    case "BGPAdvertisement": advertisements.append(Advertisement(.metallbBGP, spec))
    default: break
    }
  }

  /// `192.168.10.0/24` or `192.168.9.1-192.168.9.5`.
  private static func range(_ text: String) -> ClosedRange<IPAddress>? {
    if let cidr = CIDR(text) { return cidr.firstAddress...cidr.lastAddress }
    let ends = text.split(separator: "-").compactMap { IPAddress($0.filter { !$0.isWhitespace }) }
    guard ends.count == 2, ends[0].family == ends[1].family, ends[0] <= ends[1] else { return nil }
    return ends[0]...ends[1]
  }
}

extension MetalLB.Advertisement {
  fileprivate init(_ program: LoadBalancing, _ spec: Fields?) {
    self.init(program)
    let selectors = { (name: String) -> [LabelSelector] in
      ((try? spec?[name]?.list()) ?? []).compactMap { try? $0.selector(.asStored) }
    }
    pools = (try? spec?["ipAddressPools"]?.strings()) ?? []
    poolSelectors = selectors("ipAddressPoolSelectors")
    nodeSelectors = selectors("nodeSelectors")
    serviceSelectors = selectors("serviceSelectors")
    preferences = ((try? spec?["preferredNodeSelectors"]?.list()) ?? []).compactMap { entry in
      guard let fields = try? entry.fields(), let weight = try? fields["weight"]?.integer(),
        let nodes = try? fields["preference"]?.selector(.asStored)
      else { return nil }
      return Preference(weight: weight, nodes: nodes)
    }
  }
}
