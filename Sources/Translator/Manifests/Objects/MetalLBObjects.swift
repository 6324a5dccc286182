internal import NetpolModel
internal import Text

/// Reads MetalLB's own objects.
extension MetalLB {
  mutating func read(_ object: ManifestObject) throws(ManifestError) {
    guard object.group == "metallb.io", let name = try object.metadata?["name"]?.string() else { return }
    let spec = try object.root["spec"]?.fields()
    switch object.kind {
    case "IPAddressPool":
      let labels = try object.metadata?["labels"]?.stringMap() ?? [:]
      guard let spec else { throw object.root.missing("spec", "give spec.addresses") }
      try spec.closed(to: ["addresses", "autoAssign", "avoidBuggyIPs", "serviceAllocation"])
      var ranges: [ClosedRange<IPAddress>] = []
      for field in try spec.required("addresses", "give the pool's addresses").list() {
        ranges.append(try field.range())
      }
      pools.removeAll { $0.name == name }
      pools.append(Pool(name: name, labels: labels, ranges: ranges))
    case "L2Advertisement": advertisements.append(try Advertisement(.metallbL2, spec))
    case "BGPAdvertisement": advertisements.append(try Advertisement(.metallbBGP, spec))
    default: break
    }
  }
}

extension MetalLB.Advertisement {
  fileprivate init(_ program: LoadBalancing, _ spec: Fields?) throws(ManifestError) {
    self.init(program)
    try spec?.closed(to: [
      "ipAddressPools", "ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors", "preferredNodeSelectors",
      "interfaces", "peers", "communities", "localPref", "aggregationLength", "aggregationLengthV6",
    ])
    pools = try spec?["ipAddressPools"]?.strings() ?? []
    poolSelectors = try spec?["ipAddressPoolSelectors"]?.selectors() ?? []
    nodeSelectors = try spec?["nodeSelectors"]?.selectors() ?? []
    serviceSelectors = try spec?["serviceSelectors"]?.selectors() ?? []
    for entry in try spec?["preferredNodeSelectors"]?.list() ?? [] {
      let fields = try entry.fields()
      let weight = try fields.required("weight", "give a weight from 1 to 100")
      let nodes = try fields.required("preference", "give a label selector of nodes")
      preferences.append(Preference(weight: try weight.integer(), nodes: try nodes.selector(.asStored)))
    }
  }
}

extension Field {
  fileprivate func selectors() throws(ManifestError) -> [LabelSelector] {
    var selectors: [LabelSelector] = []
    for field in try list() { selectors.append(try field.selector(.asStored)) }
    return selectors
  }

  /// `192.168.10.0/24` or `192.168.9.1-192.168.9.5`.
  fileprivate func range() throws(ManifestError) -> ClosedRange<IPAddress> {
    let text = try string()
    if let cidr = CIDR(text) { return cidr.firstAddress...cidr.lastAddress }
    let ends = text.split(separator: "-").compactMap { IPAddress($0.filter { !$0.isWhitespace }) }
    guard ends.count == 2, ends[0].family == ends[1].family, ends[0] <= ends[1] else {
      throw error("\(text.quoted) is no range of addresses", "write 192.168.10.0/24 or 192.168.9.1-192.168.9.5")
    }
    return ends[0]...ends[1]
  }
}
