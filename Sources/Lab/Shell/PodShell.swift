internal import Kernel
public import Lowering
public import NetpolModel
internal import Network
internal import Path
internal import ServiceProxy
public import StandingLab
internal import Text
internal import Verdicts

/// A program in the network of a pod, a node or a host outside, while a lab of the whole cluster stands.
public struct PodShell: Sendable {
  public let cluster: Cluster
  public let style: EnforcementStyle
  public let endpoint: Endpoint
  /// The program's path and arguments.
  public let command: [String]
  private let environment: [String]
  private let startFile: String?

  /// Starts a server on a bound socket of the lab's control host, and returns more of the program's environment. It is given
  /// the socket, which it owns, and the address and port that nodes reach.
  public typealias Service = (_ socket: Int32, _ place: String) throws -> [String]

  /// What stands, before the program starts.
  public struct Standing: Sendable {
    public let nodes, pods, hosts: Int
    /// The number of ports at which pods answer.
    public let listeners: Int
    public let addresses: [IPAddress]
    /// The node that the pod is on.
    public let node: String?
    /// Whether the endpoint uses its node's network.
    public let isOnNodeNetwork: Bool
  }

  /// `command`: a path and arguments. With `nil` it is an interactive shell, the one that `shell` names.
  public init(
    _ cluster: Cluster, _ style: EnforcementStyle, at endpoint: Endpoint, command: [String]?, shell: String
  ) {
    self.cluster = cluster
    self.style = style
    self.endpoint = endpoint
    let prompt = Prompt(endpoint, shell: shell)
    self.command = command ?? prompt.command
    environment = command == nil ? prompt.environment : currentEnvironment
    startFile = command == nil ? prompt.startFile : nil
  }

  /// Builds the lab, runs the program and removes everything. Returns the program's exit status, or 128 and the number of
  /// the signal that ended it.
  ///
  /// `service`: what the program finds at the lab's control host. Throws `LabFailure` if this machine can't have the lab,
  /// or the program can't be started.
  public func run(
    version: String, progress: @escaping (LabProgress) -> Void = { _ in }, standing: (Standing) -> Void = { _ in },
    service: Service? = nil
  ) throws -> Int32 {
    try withWorker(version: version, style: style.name) { _, worker in
      let plan = try LabPlan(cluster, style, versionStamp: "1", choosingEndpoints: .random)
      var lab = ReusableLab(transports: [.tcp, .udp], worker: worker, progress)
      try lab.prepare(plan)
      guard let fabric = lab.fabric, let namespace = fabric.namespace(of: endpoint) else {
        throw LabError("\(endpoint) has no network of its own in the lab")
      }
      let names = ClusterNamesTable(cluster)
      let listeners = try AnsweringListeners(ContainerListeners(cluster, fabric, names).ports, worker: worker)
      let topology = fabric.topology
      let addresses = IPFamily.allCases.compactMap { topology.address(of: endpoint, $0) }
      standing(
        Standing(
          nodes: topology.nodes.count, pods: topology.pods.count + topology.hostNetworkPods.count,
          hosts: topology.externals.count, listeners: listeners.count, addresses: addresses, node: node(in: topology),
          isOnNodeNetwork: isPod && topology.hostNode(of: endpoint) != nil))
      let served = try service.map { try serve($0, at: fabric.control, worker) } ?? []
      let program = ContainedProgram(
        command, environment: environment + served, files: files(names, addresses), hostName: hostName,
        inherited: try startFile.map { try MemoryFile("prompt", contents: Array($0.utf8)) })
      return try withExtendedLifetime((listeners, lab)) {
        try program.withStartFile().run(in: namespace, on: worker)
      }
    }
  }

  private func serve(
    _ service: Service, at control: Fabric.ControlHost, _ worker: NamespaceWorker
  ) throws -> [String] {
    guard let address = control.addresses.first else { throw LabError("the control host has no address") }
    let socket = try worker.run(in: control.namespace) { try BoundSocket(at: address.bytes) }
    let place = address.description(port: socket.port)
    return try service(socket.take(), place)
  }

  private var isPod: Bool { if case .pod = endpoint { true } else { false } }

  private func node(in topology: Topology) -> String? {
    guard case .pod(let id) = endpoint else { return nil }
    return topology.pods[id]?.node ?? topology.hostNetworkPods[id]
  }

  private var hostName: String {
    switch endpoint {
    case .pod(let id) where id.name.isHostName: String(id.name.prefix(63))
    case .node(let name) where name.isHostName, .external(let name) where name.isHostName: String(name.prefix(63))
    case .pod, .node, .external, .service, .virtualAddress, .address: "lab"
    }
  }

  private func files(_ names: ClusterNamesTable, _ addresses: [IPAddress]) -> [ContainedProgram.File] {
    let namespace: String? = if case .pod(let id) = endpoint { id.namespace } else { nil }
    return [
      .init("/etc/hosts", names.hostsText(namespace: namespace, ownName: hostName, ownAddresses: addresses)),
      .init("/etc/resolv.conf", names.resolverText(namespace: namespace)),
      .init(
        "/etc/nsswitch.conf", ClusterNamesTable.switchText(try? ContainedProgram.File.text(of: "/etc/nsswitch.conf"))),
    ]
  }
}
