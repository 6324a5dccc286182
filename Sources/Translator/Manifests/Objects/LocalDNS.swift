internal import Algorithms
internal import NetpolModel
internal import Text

extension PodSpec.Container {
  /// `-localip` of NodeLocal DNS (kubernetes/dns, cmd/node-cache), an argument that no other program has. `nil` without
  /// it.
  ///
  /// With `-setupinterface=false` it binds nothing.
  var localDNS: [String]? {
    if turnsOff("setupinterface") { return nil }
    let stated = words.adjacentPairs().firstNonNil { ["-localip", "--localip"].contains($0) ? $1 : nil }
    let joined = words.firstNonNil { word in
      ["-localip=", "--localip="].firstNonNil { word.hasPrefix($0) ? String(word.dropFirst($0.count)) : nil }
    }
    return (stated ?? joined)?.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
  }

  /// Whether a flag of NodeLocal DNS is false.
  func turnsOff(_ flag: String) -> Bool { words.contains { $0 == "-\(flag)=false" || $0 == "--\(flag)=false" } }
}

extension Cluster {
  /// Tells the pods of NodeLocal DNS their addresses. Its manifest has placeholders, which its installation guide
  /// replaces: one for 169.254.20.10, one for the ClusterIP of kube-dns. Returns notes about them.
  mutating func connectLocalDNS(_ manifests: [PodManifest]) -> [Note] {
    let stated = Dictionary(manifests.map { ($0.pod.id, $0.localDNS) }) { first, _ in first }
    let service =
      service(NamespacedName("kube-system", "kube-dns")) ?? service(NamespacedName("kube-system", "coredns"))
    let taken = Set(
      nodes.flatMap(\.addresses) + externalHosts.flatMap(\.addresses)
        + pods.filter { !$0.hostNetwork }.flatMap(\.podIPs))
    let isUsable = { (address: IPAddress) in
      address.bits != 0 && !address.isLoopback && !address.isMulticast && !taken.contains(address)
    }
    let withoutRules = Set(manifests.filter(\.localDNSHasNoRules).map(\.pod.id))
    let clusterIPs = Set(services.flatMap(\.clusterIPs))
    var translated: Set<IPAddress> = []
    var unusable: [String] = []
    for index in pods.indices {
      guard let texts = stated[pods[index].id], !texts.isEmpty else { continue }
      pods[index].localDNS = texts.flatMap { text -> [IPAddress] in
        switch text {
        case "__PILLAR__LOCAL__DNS__": [IPAddress(v4: 0xa9fe_140a)]
        case "__PILLAR__DNS__SERVER__": service?.clusterIPs.first.map { [$0] } ?? []
        default: IPAddress(text).flatMap { isUsable($0) ? [$0] : nil } ?? []
        }
      }
      // Without its NOTRACK rules, kube-proxy translates what goes to a Service.
      if withoutRules.contains(pods[index].id) {
        translated.formUnion(clusterIPs.intersection(pods[index].localDNS))
        pods[index].localDNS.removeAll(where: clusterIPs.contains)
      }
      unusable += texts.filter { $0.first != "_" && !(IPAddress($0).map(isUsable) ?? false) }
    }
    var notes: [Note] = []
    if !unusable.isEmpty {
      let names = Set(unusable.map(\.quoted)).sorted().abridged(to: 5)
      notes.append(Note(.warning, "-localip of NodeLocal DNS: \(names) is no address that it can have; left out"))
    }
    if !translated.isEmpty {
      notes.append(
        Note(
          .warning,
          "NodeLocal DNS with -setupiptables=false: kube-proxy translates queries to "
            + "\(translated.sorted().map(\.description).joined(separator: ", ")), unless somebody else writes its rules"
        ))
    }
    let addresses = Set(localDNS.values.joined()).sorted()
    if !addresses.isEmpty {
      notes.append(
        Note(
          .note,
          "NodeLocal DNS on \(localDNS.keys.sorted().abridged(to: 5)): queries to "
            + "\(addresses.map(\.description).joined(separator: ", ")) end in the node's own process"))
    }
    return notes
  }
}
