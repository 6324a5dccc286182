internal import Algorithms
internal import NetpolModel
internal import Text

/// A Service as the input gives it, without the addresses and NodePorts that the API server would assign.
struct ServiceManifest {
  /// `spec.ipFamilyPolicy`.
  enum FamilyPolicy: String, CaseIterable {
    case single = "SingleStack"
    case preferDual = "PreferDualStack"
    case requireDual = "RequireDualStack"
  }

  var service: Service
  let isHeadless: Bool
  var statedIPs: [Stated<IPAddress>]
  let statedFamilies: [Stated<IPFamily>]
  let familyPolicy: FamilyPolicy
  /// The `nodePort` fields, by index of the port.
  let statedNodePorts: [Int: Field]
  /// `false` for a LoadBalancer with `allocateLoadBalancerNodePorts: false`.
  let wantsNodePorts: Bool
  /// Whether the EndpointSlice controller allots endpoints to zones by their CPUs (annotation `topology-mode: Auto`).
  let hasAutomaticHints: Bool
  let hasLoadBalancerClass: Bool
  /// When it was created, as RFC 3339. `nil` if no API server said so.
  let created: String?
  let uid: String?
  /// Whether `status.loadBalancer` is given, if only as `{}`.
  let hasLoadBalancerStatus: Bool
  /// The annotation in place of `loadBalancerSourceRanges`. kube-proxy doesn't read it.
  private(set) var annotatedSourceRanges: [CIDR] = []
  /// Where the load-balancer addresses come from if there is no status.
  var loadBalancerAssumption: String?

  var wantsClusterIP: Bool { !isHeadless && service.kind != .externalName }

  /// The Service's families, from `ipFamilies` and `ipFamilyPolicy`, or else that of the first service CIDR. `available`
  /// has the families of the service CIDRs.
  func families(_ available: [IPFamily]) -> [IPFamily] {
    let stated = statedIPs.map(\.value.family) + statedFamilies.map(\.value)
    var families = Array(stated.uniqued())
    if families.isEmpty { families = [available.first ?? .v4] }
    let others = IPFamily.allCases.filter { !families.contains($0) }
    switch familyPolicy {
    case .single: break
    case .preferDual: families += others.filter(available.contains)
    case .requireDual: families += others
    }
    return families
  }

  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    let spec = try object.root["spec"]?.fields()
    if validation == .apiServer, spec == nil {
      throw object.root.missing(
        "spec", "give one, with its ports; or, if this is a patch for kustomize, \(String.patchRemedy)")
    }
    let kind = try spec?.nonEmpty("type")?.word(Service.Kind.self) ?? .clusterIP
    var texts: [Field] = kind == .externalName ? [] : try spec?.clusterIPFields(validation) ?? []
    isHeadless = try texts.first?.string() == "None"
    if validation == .apiServer, isHeadless, kind != .clusterIP, let field = texts.first {
      throw field.error("may not be None with type \(kind.rawValue)", "remove it, or write type: ClusterIP")
    }
    if isHeadless { texts = [] }
    statedIPs = try texts.map { (field) throws(ManifestError) in Stated(try field.serviceAddress(), field) }
    if validation == .apiServer { try statedIPs.checkFamilies() }
    statedFamilies =
      try spec?["ipFamilies"]?.list().map { (field) throws(ManifestError) in
        Stated(try field.word(IPFamily.self), field)
      } ?? []
    if validation == .apiServer { try statedFamilies.checkRepeats() }
    familyPolicy = try spec?["ipFamilyPolicy"]?.word(FamilyPolicy.self) ?? .single

    let ports = try ServicePorts(spec?["ports"], kind, validation)
    statedNodePorts = ports.nodePorts
    let balances = kind == .loadBalancer
    let allocates = try spec?["allocateLoadBalancerNodePorts"]?.bool() ?? true
    wantsNodePorts = kind == .nodePort || balances && allocates
    hasAutomaticHints = try object.metadata?["annotations"]?.fields().asksForAutomaticHints ?? false

    uid = try? object.metadata?["uid"]?.string()
    created = try? object.metadata?["creationTimestamp"]?.string()
    hasLoadBalancerClass = spec?.nonEmpty("loadBalancerClass") != nil
    hasLoadBalancerStatus = try object.root["status"]?.fields()["loadBalancer"] != nil
    let annotations = try object.metadata?["annotations"]?.fields()
    let ranges = try annotations?["service.beta.kubernetes.io/load-balancer-source-ranges"]?.string() ?? ""
    annotatedSourceRanges = ranges.split(separator: ",").compactMap { CIDR($0.filter { !$0.isWhitespace }) }

    service = Service(
      id: try object.id(validation, NameSyntax.isDNSLabel), kind: kind,
      selector: try spec?["selector"]?.labels(validation),
      ports: ports.ports, location: object.location)
    service.labels = try object.labels(validation)
    service.loadBalancerClass = try spec?.nonEmpty("loadBalancerClass")?.string()
    service.sharesAddress = ["metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip"].contains {
      annotations?[$0] != nil
    }
    service.announcingNode = try object.metadata?["annotations"]?.fields()["kube-vip.io/vipHost"]?.string()
    let external = try spec?["externalIPs"]?.list() ?? []
    service.externalIPs = try external.map { (field) throws(ManifestError) in try field.serviceAddress() }
    service.externalTrafficPolicy =
      try spec?.nonEmpty("externalTrafficPolicy")?.word(Service.TrafficPolicy.self) ?? .cluster
    service.internalTrafficPolicy = try spec?["internalTrafficPolicy"]?.word(Service.TrafficPolicy.self) ?? .cluster
    service.trafficDistribution = try spec?.nonEmpty("trafficDistribution")?.word(TrafficDistribution.self).meaning
    if let field = spec?["healthCheckNodePort"], field.scalar != .integer(0) {
      service.healthCheckNodePort = try field.port()
    }
    service.hasClientAffinity = try spec?.nonEmpty("sessionAffinity")?.word(SessionAffinity.self) == .clientIP
    service.externalName = kind == .externalName ? try spec?["externalName"]?.string().onOneLine : nil
    service.publishesNotReadyAddresses = try spec?["publishNotReadyAddresses"]?.bool() ?? false
    let balancer = balances ? try LoadBalancerAddresses(object, spec) : nil
    service.loadBalancerIPs = balancer?.addresses ?? []
    loadBalancerAssumption = balancer?.assumption
    for entry in try spec?["loadBalancerSourceRanges"]?.list() ?? [] where balances {
      service.loadBalancerSourceRanges.append(try entry.cidr())
    }
    if validation == .apiServer, let field = spec?.nonEmpty("externalTrafficPolicy"),
      kind == .clusterIP || kind == .externalName,
      external.isEmpty
    {
      throw field.error(
        "may not be given with type \(kind.rawValue)", "remove it, or write type: NodePort or LoadBalancer")
    }
    if validation == .apiServer { try checkNeeds(spec) }
  }

  /// Throws if the Service lacks what its type needs (a name, or ports unless it is headless), or has what its type may
  /// not have.
  private func checkNeeds(_ spec: Fields?) throws(ManifestError) {
    guard let spec else { return }
    if service.kind != .loadBalancer {
      for name in ["loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts"] {
        guard let field = spec[name], !field.isEmptyList else { continue }
        throw field.error("may only be given with type LoadBalancer", "remove it, or write type: LoadBalancer")
      }
    }
    if service.kind == .externalName {
      if let field = spec.nonEmpty("clusterIP") {
        throw field.error("may not be given with type ExternalName", "remove it, or write another type")
      }
      if (service.externalName ?? "").isEmpty {
        throw spec.missing("externalName", "give the DNS name, or another type")
      }
    } else if service.ports.isEmpty, !isHeadless {
      throw spec.missing("ports", "give at least one, or clusterIP: None for a headless Service")
    }
  }
}

private enum SessionAffinity: String, CaseIterable {
  case none = "None"
  case clientIP = "ClientIP"
}

private enum TrafficDistribution: String, CaseIterable {
  case preferClose = "PreferClose"
  case preferSameZone = "PreferSameZone"
  case preferSameNode = "PreferSameNode"

  var meaning: Service.TrafficDistribution {
    switch self {
    case .preferClose, .preferSameZone: .preferSameZone
    case .preferSameNode: .preferSameNode
    }
  }
}

extension Fields {
  /// The annotation that asks for Topology Aware Routing, or its older name. Only these values turn it on
  /// (`hintsEnabled` of the EndpointSlice controller's utilities).
  fileprivate var asksForAutomaticHints: Bool {
    get throws(ManifestError) {
      let names = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"]
      guard let field = names.lazy.compactMap({ self[$0] }).first else { return false }
      return try ["Auto", "auto"].contains(field.string())
    }
  }

  /// `clusterIPs`, or `clusterIP` if that is missing, without empty strings.
  fileprivate func clusterIPFields(_ validation: Validation) throws(ManifestError) -> [Field] {
    var list: [Field] = []
    for field in try self["clusterIPs"]?.list() ?? [] where try !field.string().isEmpty { list.append(field) }
    guard let single = self["clusterIP"], try !single.string().isEmpty else { return list }
    if list.isEmpty { return [single] }
    if validation == .apiServer, let first = list.first, try first.string() != single.string() {
      throw first.error("differs from clusterIP \(try single.string().quoted)", "give the same address first in both")
    }
    return list
  }
}

extension [Stated<IPAddress>] {
  fileprivate func checkFamilies() throws(ManifestError) {
    var families: Set<IPFamily> = []
    for address in self where !families.insert(address.value.family).inserted {
      throw address.field.error(
        "\(address.value) is a second \(address.value.family.rawValue) address", "give at most one of each family")
    }
  }
}

extension Field {
  /// An address that nodes can answer for.
  func serviceAddress() throws(ManifestError) -> IPAddress {
    let address = try address()
    if let obstacle = address.obstacle {
      throw error("\(address) is \(obstacle)", "give a unicast address that others can reach")
    }
    return address
  }
}

extension [Stated<IPFamily>] {
  fileprivate func checkRepeats() throws(ManifestError) {
    for (index, family) in enumerated() where self[..<index].contains(where: { $0.value == family.value }) {
      throw family.field.error("\(family.value.rawValue) appears twice", "keep one of them")
    }
  }
}

extension Field {
  fileprivate var isEmptyList: Bool { isList && (try? list().isEmpty) == true }
}
