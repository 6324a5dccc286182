internal import NetpolModel
internal import RuleIR

/// Single ports between two addresses that every policy on this node admits: the most frequent shape of rules, and one
/// lookup for a packet. A group that would have too many has its peers in sets of its own instead.
struct AdmittedPairs {
  /// The most elements of one group, and of all.
  static let (mostOfGroup, most) = (4096, 1 << 15)

  private(set) var elements: [KeyedSet.Element] = []
  /// Indices of the groups whose peers are all here.
  private(set) var covered: Set<Int> = []

  /// `groups` are those of the node's pods that a policy selects, in one family.
  init(_ groups: [(group: PolicyGroup, admissions: Admissions)], _ family: IPFamily) {
    var judges: [Direction: [IPAddress: Int]] = [:]
    for (index, entry) in groups.enumerated() where !entry.admissions.everyone.isEverything {
      for pod in entry.group.pods {
        for address in pod.podIPs where address.family == family {
          judges[entry.group.direction, default: [:]][address] = index
        }
      }
    }
    var keys: Set<[UInt128]> = []
    for (index, (group, admissions)) in groups.enumerated() where !admissions.everyone.isEverything {
      let own = group.pods.flatMap(\.podIPs).filter { $0.family == family }
      let peers = admissions.singlePorts
      let count = peers.reduce(0) { $0 + $1.ports.count } * own.count
      if count > Self.mostOfGroup || keys.count + count > Self.most { continue }
      covered.insert(index)
      let others = judges[group.direction == .ingress ? .egress : .ingress] ?? [:]
      for (peer, ports) in peers {
        for address in own where address != peer {
          // The other end's policies, if they are enforced on this node, must admit it too.
          for port in ports where others[peer].map({ groups[$0].admissions.admits(address, port) }) ?? true {
            let (source, destination) = group.direction == .ingress ? (peer, address) : (address, peer)
            keys.insert([
              source.bits, destination.bits, UInt128(port.transport.number), UInt128(port.port),
            ])
          }
        }
      }
    }
    elements = keys.map { KeyedSet.Element($0) }
  }
}

extension Admissions {
  /// Peers for which the policies admit single ports and no ranges, with those that not everyone has.
  var singlePorts: [(peer: IPAddress, ports: [TransportPort])] {
    let toEveryone = Set(everyone.single)
    return pods.filter { !$0.value.hasRanges }.map { peer, ports in
      (peer, ports.single.filter { !toEveryone.contains($0) })
    }
  }

  /// Whether the group's policies admit a port for a peer.
  func admits(_ peer: IPAddress, _ port: TransportPort) -> Bool {
    everyone.contains(port) || pods[peer]?.contains(port) == true || blocks.ports(of: peer).contains(port)
  }
}
