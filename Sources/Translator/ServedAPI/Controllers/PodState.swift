internal import NetpolModel
internal import Text

/// What the controllers must know of every pod at once.
struct PodState: Hashable, Sendable {
  struct NamedPort: Hashable, Sendable {
    let name: String
    let number: Int
    let transport: String
  }

  let uid: String
  /// The uid of the owner that controls it.
  let controller: String?
  let labels: Labels
  /// Empty: it has none yet.
  let node: String
  /// Whether it is deleted, but not gone.
  let isMarked: Bool
  let phase: String
  let isReady: Bool
  let isHostNetwork: Bool
  let addresses: [IPAddress]
  let ports: [NamedPort]
  let hostname: String
  let subdomain: String
  /// Whether a kubelet has anything to add to its status.
  let needsStart: Bool

  init(_ json: JSON) {
    let (spec, status) = (json["spec"], json["status"])
    uid = json.uid
    controller = json.controllerReference?["uid"]?.string
    labels = json.labels
    node = spec?["nodeName"]?.string ?? ""
    isMarked = json.isMarked
    phase = status?["phase"]?.string ?? ""
    isReady = json.isTrue("Ready")
    isHostNetwork = spec?["hostNetwork"]?.bool ?? false
    let texts = [status?["podIP"]?.string] + (status?["podIPs"]?.array.map { $0["ip"]?.string } ?? [])
    var addresses: [IPAddress] = []
    for address in texts.compactMap({ $0.flatMap(IPAddress.init) }) where !addresses.contains(address) {
      addresses.append(address)
    }
    self.addresses = addresses
    let sidecars = spec?["initContainers"]?.array.filter { $0["restartPolicy"] == "Always" } ?? []
    ports = ((spec?["containers"]?.array ?? []) + sidecars).flatMap { container in
      container["ports"]?.array.compactMap { port in
        guard let name = port["name"]?.string, let number = port["containerPort"]?.integer else { return nil }
        return NamedPort(name: name, number: number, transport: port["protocol"]?.string ?? "TCP")
      } ?? []
    }
    hostname = spec?["hostname"]?.string ?? ""
    subdomain = spec?["subdomain"]?.string ?? ""
    switch phase {
    case "", "Pending":
      // A kubelet has been there already: the image can't be had, or the like.
      needsStart = status?["startTime"] == nil && status?["containerStatuses"]?.array.isEmpty ?? true
    case "Running": needsStart = addresses.isEmpty || !json.hasCondition("Ready")
    default: needsStart = false
    }
  }

  /// Whether its containers have ended for good.
  var isTerminal: Bool { phase == "Succeeded" || phase == "Failed" }
  /// Whether a workload counts it (`controller.FilterActivePods`).
  var isActive: Bool { !isMarked && !isTerminal }
}
