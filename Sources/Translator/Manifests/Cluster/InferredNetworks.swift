internal import NetpolModel
internal import Text

/// The service networks of one family that ClusterIPs imply: the longest prefixes that hold all of them and no address
/// of another machine.
struct InferredNetworks {
  private(set) var cidrs: [CIDR]
  private let addresses: [IPAddress]
  private let isSplit: Bool
  private var newServices = 0

  /// Addresses that are not of Services.
  struct Places {
    /// Of pods, nodes and external hosts, and the stated pod CIDRs.
    fileprivate let taken: [CIDR]
    /// The blocks around the pods.
    fileprivate let blocks: [CIDR]

    init(_ inventory: Inventory, _ pins: Pins) {
      let pods = inventory.pods.filter { !$0.pod.hostNetwork }.flatMap(\.addresses) + pins.pods.values.flatMap(\.podIPs)
      let nodes = Array(inventory.nodes.values) + (inventory.cluster?.nodes ?? [])
      let machines =
        nodes.flatMap(\.addresses).map(\.value) + inventory.pods.compactMap(\.statedHostIP?.value)
        + pins.nodes.flatMap(\.addresses) + (inventory.cluster?.externalHosts ?? []).flatMap(\.addresses)
      let stated = nodes.flatMap(\.podCIDRs).map(\.value) + pins.nodes.flatMap(\.podCIDRs)
      taken = Array(Set((pods + machines).map { CIDR($0) } + stated))
      blocks = Array(Set(pods.map(CIDRIndex.block)))
    }

    /// Whether the network holds no address and no pod block of another machine.
    func areOutside(_ network: CIDR) -> Bool {
      !taken.contains(where: network.overlaps) && !blocks.contains(where: network.overlaps)
    }
  }

  init(_ addresses: [IPAddress], _ family: IPFamily, _ places: Places) {
    self.addresses = addresses
    cidrs = enclosingNetworks(of: addresses.map { CIDR($0) }, family, avoiding: places.taken)
    isSplit = cidrs.count > 1
  }

  /// Widens the widest network until it has a free address for each of `count` more Services. If it can't have that many
  /// without holding an address or a pod block of another machine, adds `usual` instead, if that is free.
  mutating func makeRoom(for count: Int, usual: CIDR?, _ places: Places) {
    newServices = count
    let others = places.taken + places.blocks
    guard count > 0, var wide = cidrs.min(by: { $0.prefixLength < $1.prefixLength }) else { return }
    while wide.roomForServices(besides: addresses) < count {
      guard let parent = wide.parent, parent.fitsOneCluster, !others.contains(where: parent.overlaps) else {
        if let usual, !(others + cidrs).contains(where: usual.overlaps) { cidrs.append(usual) }
        return
      }
      wide = parent
    }
    cidrs.removeAll(where: wide.contains)
    cidrs = (cidrs + [wide]).sorted()
  }

  /// The networks, and why they are not simply the longest prefix.
  var remark: String {
    let why = isSplit ? " (one network would hold addresses of other machines too)" : ""
    let room = newServices == 0 ? "" : ", with room for \(counted(newServices, "Service")) without a ClusterIP"
    return cidrs.map(\.description).abridged(to: 5) + why + room
  }
}

extension CIDR {
  /// The offsets that a Service can have: not the network address, and not the broadcast address of IPv4.
  var serviceOffsets: Range<UInt128> {
    let span = lastAddress.bits - network.bits
    return 1..<max(1, family == .v4 || span == .max ? span : span + 1)
  }

  /// How many more Services find an address. At most `Int.max`.
  fileprivate func roomForServices(besides addresses: [IPAddress]) -> Int {
    let usable = serviceOffsets
    let taken = Set(addresses.filter { contains($0) && usable.contains($0.bits - network.bits) }).count
    return Int(clamping: usable.upperBound - usable.lowerBound) - taken
  }
}
