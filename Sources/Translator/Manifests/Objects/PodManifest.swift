internal import NetpolModel
internal import Text

/// A pod as the input gives it. Without a status it still lacks a node, or addresses, or both.
struct PodManifest {
  var pod: Pod
  private(set) var hasStatus: Bool
  /// The node that `nodeSelector` asks for.
  let hostname: String?
  /// The addresses of the pod in its status. `statedHostIP` is its node's address there.
  private(set) var statedAddresses: [Stated<IPAddress>] = []
  private(set) var statedHostIP: Stated<IPAddress>?
  /// The owner that created the pod, as in its owner reference.
  private(set) var controller: Pod.Workload?
  /// All owners in its owner references.
  private(set) var owners: [Pod.Workload] = []
  /// Whether the pod has a deletionTimestamp.
  private(set) var isTerminating = false
  /// Its containers of klipper-lb.
  var balancers: [KlipperContainer] = []
  /// Whether a container has an environment like klipper-lb's that klipper-lb could not use.
  var hasUnusableBalancer = false
  var localDNS: [String] = []
  /// Whether NodeLocal DNS writes no rules for these.
  var localDNSHasNoRules = false
  /// Whether the pod is in a file that a variant adds.
  var isAdded = false

  init(_ object: ManifestObject, _ spec: PodSpec, _ validation: Validation) throws(ManifestError) {
    pod = Pod(
      id: PodID(try object.id(validation)), labels: try object.labels(validation), node: spec.nodeName,
      hostNetwork: spec.hostNetwork, ports: spec.ports, location: object.location)
    pod.hostPorts = spec.hostPorts
    pod.mesh = spec.mesh
    hostname = spec.hostname
    balancers = spec.balancers
    hasUnusableBalancer = spec.hasUnusableBalancer
    localDNS = spec.localDNS ?? []
    localDNSHasNoRules = spec.localDNSHasNoRules
    pod.isSpeaker = spec.isSpeaker
    controller = try object.controller()
    owners = try object.owners()
    isTerminating = object.metadata?["deletionTimestamp"] != nil
    pod.isReady = try object.root["status"]?.fields().condition("Ready") ?? true
    guard let status = try PodStatus(object.root["status"]) else {
      hasStatus = false
      return
    }
    hasStatus = true
    pod.phase = status.phase
    if status.phase == .pending { pod.isReady = false }
    pod.podIP = status.podIP?.value
    pod.podIPs = status.podIPs.map(\.value)
    pod.hostIP = status.hostIP?.value
    statedAddresses = (status.podIP.map { [$0] } ?? []) + status.podIPs
    statedHostIP = status.hostIP
  }

  /// A pod that a workload's controller would create.
  init(_ pod: Pod, hostname: String?) {
    self.pod = pod
    self.hostname = hostname
    hasStatus = false
  }

  /// This pod with the status of another.
  func withStatus(of other: PodManifest) -> PodManifest {
    var manifest = self
    manifest.hasStatus = other.hasStatus
    manifest.pod.phase = other.pod.phase
    manifest.pod.podIP = other.pod.podIP
    manifest.pod.podIPs = other.pod.podIPs
    manifest.pod.hostIP = other.pod.hostIP
    manifest.pod.isReady = other.pod.isReady
    manifest.statedAddresses = other.statedAddresses
    manifest.statedHostIP = other.statedHostIP
    manifest.isTerminating = other.isTerminating
    return manifest
  }

  var addresses: [IPAddress] { pod.podIPs }
}

/// `status` of a pod. A status without phase and addresses counts as no status.
struct PodStatus {
  let phase: PodPhase
  var podIP: Stated<IPAddress>?
  var podIPs: [Stated<IPAddress>]
  let hostIP: Stated<IPAddress>?

  init?(_ field: Field?) throws(ManifestError) {
    guard let fields = try field?.fields() else { return nil }
    guard ["phase", "podIP", "podIPs", "hostIP"].contains(where: { fields[$0] != nil }) else { return nil }
    if let field = fields["phase"] {
      let text = try field.string()
      guard let phase = PodPhase(rawValue: text) else {
        throw field.error(
          "unknown phase \(text.quoted)", "write \(PodPhase.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      self.phase = phase
    } else {
      phase = .pending
    }
    hostIP = try Self.address(fields["hostIP"])
    podIP = try Self.address(fields["podIP"])
    podIPs = []
    for entry in try fields["podIPs"]?.list() ?? [] {
      if let address = try Self.address(try entry.fields()["ip"]) { podIPs.append(address) }
    }
    reconcile()
  }

  /// `Convert_v1_PodStatus_To_core_PodStatus`: `podIP` fills `podIPs`, and is authoritative if the two differ. An API
  /// server does this whenever it decodes a pod, so what it prints has both.
  private mutating func reconcile() {
    if let podIP, podIPs.first?.value != podIP.value { podIPs = [podIP] }
    podIP = podIPs.first
  }

  private static func address(_ field: Field?) throws(ManifestError) -> Stated<IPAddress>? {
    guard let field, try !field.string().isEmpty else { return nil }
    return Stated(try field.address(), field)
  }
}

extension Fields {
  /// Whether the status of the condition is True. `nil` if there is no such condition, or if it has no status.
  func condition(_ type: String) throws(ManifestError) -> Bool? {
    for entry in try self["conditions"]?.list() ?? [] {
      let condition = try entry.fields()
      if try condition["type"]?.string() == type, let status = condition["status"] {
        return try status.string() == "True"
      }
    }
    return nil
  }
}
