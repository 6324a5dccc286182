internal import NetpolModel
internal import Text

extension ServedCluster {
  /// Makes a pod run: completes its status. What the status says already stays.
  mutating func start(_ key: ObjectKey, _ now: APITime) {
    guard let state = controllers.index.pods[key], state.needsStart, !state.isMarked,
      let node = controllers.index.nodes[state.node], var pod = store.json(key)
    else { return }
    let hasAddress = pod["status"]?["podIP"]?.string?.isEmpty == false
    guard let addresses = hasAddress ? state.addresses : addresses(for: state, on: node) else {
      controllers.addressless[state.node, default: []].insert(key)
      return
    }
    controllers.addressless[state.node]?.remove(key)
    if state.phase != "Running" { pod[["status", "phase"]] = "Running" }
    if let first = addresses.first {
      pod.fill(["status", "podIP"], .string("\(first)"))
      pod.fill(["status", "podIPs"], .array(addresses.map { ["ip": .string("\($0)")] }))
    }
    if let first = node.reportedAddresses.first {
      pod.fill(["status", "hostIP"], .string("\(first)"))
      pod.fill(["status", "hostIPs"], .array(node.reportedAddresses.map { ["ip": .string("\($0)")] }))
    }
    pod.fill(["status", "qosClass"], .string(pod.qosClass))
    pod.fill(["status", "startTime"], .string(now.text))
    for type in ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"] {
      if state.phase != "Running" || !pod.hasCondition(type) { pod.setCondition(type, true, now) }
    }
    if pod["status"]?["containerStatuses"]?.array.isEmpty ?? true {
      pod[["status", "containerStatuses"]] = .array(
        pod["spec"]?["containers"]?.array.map { container in
          let image = container["image"] ?? ""
          return [
            "name": container["name"] ?? "", "image": image, "imageID": image, "ready": true, "started": true,
            "restartCount": 0, "lastState": [:], "state": ["running": ["startedAt": .string(now.text)]],
          ]
        } ?? [])
    }
    put(key, pod, now)
  }

  /// `nil`: the node has none that is free.
  private mutating func addresses(for pod: PodState, on node: NodeState) -> [IPAddress]? {
    if pod.isHostNetwork { return node.addresses.isEmpty ? nil : node.reportedAddresses }
    var addresses: [IPAddress] = []
    for network in node.podCIDRs where !addresses.contains(where: { $0.family == network.family }) {
      guard let address = controllers.podAddresses.take(network, controllers.index) else { return nil }
      addresses.append(address)
    }
    return addresses.isEmpty ? nil : addresses
  }

  /// Removes a deleted pod whose containers have ended.
  mutating func stop(_ key: ObjectKey, _ now: APITime) {
    guard var pod = store.json(key), pod.isMarked else { return }
    if pod.hasFinalizers {
      pod[["metadata", "deletionGracePeriodSeconds"]] = 0
      put(key, pod, now)
    } else {
      remove(key, now)
    }
  }

  /// What the pod garbage collector does.
  mutating func removePods(ofLostNode name: String, _ now: APITime) {
    if controllers.index.nodes[name] != nil || name.isEmpty { return }
    let pods = (controllers.index.podsByNode[name] ?? []).sorted()
    for pod in pods.prefix(Controllers.burst) { delete(pod, gracePeriod: 0, now) }
    // Those that are left have finalizers.
    if pods.count > Controllers.burst { controllers.enqueue(.lostNode(name), now + Controllers.reaction) }
  }
}

extension JSON {
  /// `pkg/apis/core/v1/helper/qos`: by the requests and limits of a pod's containers.
  fileprivate var qosClass: String {
    let containers = ["containers", "initContainers"].flatMap { self["spec"]?[$0]?.array ?? [] }
    let resources = containers.map { $0["resources"] ?? .empty }
    if resources.allSatisfy({ ($0["requests"]?.fields ?? [:]).isEmpty && ($0["limits"]?.fields ?? [:]).isEmpty }) {
      return "BestEffort"
    }
    let isGuaranteed = resources.allSatisfy { resource in
      ["cpu", "memory"].allSatisfy { name in
        guard let limit = resource["limits"]?[name] else { return false }
        return resource["requests"]?[name] == nil || resource["requests"]?[name] == limit
      }
    }
    return isGuaranteed ? "Guaranteed" : "Burstable"
  }
}
