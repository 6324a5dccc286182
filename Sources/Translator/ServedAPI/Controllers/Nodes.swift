internal import NetpolModel
internal import Text

extension ServedCluster {
  /// Gives a node what it lacks of addresses and networks, labels and conditions. Then its pods can start.
  mutating func completeNode(_ key: ObjectKey, _ now: APITime) {
    guard var node = store.json(key), let state = controllers.index.nodes[key.name] else { return }
    if state.addresses.isEmpty, let address = controllers.index.freeNodeAddress {
      let addresses = node["status"]?["addresses"]?.array ?? []
      node[["status", "addresses"]] = .array(
        addresses + [
          ["type": "InternalIP", "address": .string("\(address)")], ["type": "Hostname", "address": .string(key.name)],
        ])
    }
    if state.podCIDRs.isEmpty, let network = controllers.index.freePodNetwork(for: key.name) {
      node[["spec", "podCIDR"]] = .string("\(network)")
      node[["spec", "podCIDRs"]] = [.string("\(network)")]
    }
    node.fill(["metadata", "labels", "kubernetes.io/hostname"], .string(key.name))
    node.fill(["metadata", "labels", "kubernetes.io/os"], "linux")
    for name in ["capacity", "allocatable"] {
      node.fill(["status", name], ["cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "1000"])
    }
    if node["status"]?["nodeInfo"] == nil {
      var info: JSON = [
        "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": .string(version.gitVersion),
      ]
      for name in [
        "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "machineID", "osImage", "systemUUID",
      ] { info[name] = "" }
      node[["status", "nodeInfo"]] = info
    }
    if !node.hasCondition("Ready") {
      let others = [
        ("MemoryPressure", "KubeletHasSufficientMemory"), ("DiskPressure", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "KubeletHasSufficientPID"),
      ]
      for (type, reason) in others where !node.hasCondition(type) {
        node.setCondition(type, false, reason: reason, now)
      }
      node.setCondition("Ready", true, reason: "KubeletReady", message: "kubelet is posting ready status", now)
    }
    put(key, node, now)
    evictPods(from: state, now)
    // Those that came before the node, or before an address was free.
    var pods = controllers.addressless.removeValue(forKey: key.name) ?? []
    if !controllers.startedNodes.contains(key.name) {
      controllers.startedNodes.insert(key.name)
      pods.formUnion(controllers.index.podsByNode[key.name] ?? [])
    }
    for pod in pods.sorted() {
      guard let state = controllers.index.pods[pod], state.needsStart, !state.isMarked else { continue }
      controllers.enqueue(.start(pod), now + controllers.pace.start)
    }
  }
}

extension ServedCluster {
  /// Deletes pods that don't tolerate a node's NoExecute taints. What is tolerated for a time is tolerated for ever here.
  private mutating func evictPods(from node: NodeState, _ now: APITime) {
    if !node.taints.contains(where: { $0.effect == "NoExecute" }) { return }
    for key in (controllers.index.podsByNode[node.name] ?? []).sorted() {
      guard let pod = store.json(key), !pod.isMarked, node.repels(pod, by: ["NoExecute"]) else { continue }
      delete(key, now)
    }
  }
}

extension ObjectIndex {
  /// From 192.168.20.11 up.
  fileprivate var freeNodeAddress: IPAddress? {
    let first: UInt128 = 0xc0a8_140b
    for bits in first...0xc0a8_fffe where bits & 0xff != 0 && bits & 0xff != 0xff {
      let address = IPAddress(family: .v4, bits: bits)
      if nodeAddresses[address] == nil, podAddresses[address] == nil { return address }
    }
    return nil
  }

  /// Of k3s's 10.42.0.0/16: a /24 of which no other node has a part, where the node's pods have their addresses already,
  /// if any has one.
  fileprivate func freePodNetwork(for node: String) -> CIDR? {
    let all = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)
    let taken = nodes.values.flatMap(\.podCIDRs)
    let own = (podsByNode[node] ?? []).compactMap { key in
      pods[key].flatMap { pod in pod.isHostNetwork ? nil : pod.addresses.first { all.contains($0) } }
    }
    if let address = own.min() {
      let network = CIDR(address, prefixLength: 24)
      if !taken.contains(where: network.overlaps) { return network }
    }
    for number: UInt128 in 0...255 {
      let network = CIDR(all.network.advanced(by: number << 8), prefixLength: 24)
      if taken.contains(where: network.overlaps) { continue }
      let isFree = (0...255 as ClosedRange<UInt128>).allSatisfy { offset in
        podAddresses[network.network.advanced(by: offset)] == nil
      }
      if isFree { return network }
    }
    return nil
  }
}
