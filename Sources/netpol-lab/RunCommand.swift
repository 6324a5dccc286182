import ArgumentParser
import Documents
import Foundation
import Manifests
import NetpolModel
import Path
import Report
import Run
import StandingLab
import Verdicts

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Build the cluster in network namespaces, send packets, and report which flows pass and why others don't."
  )

  @OptionGroup var input: ManifestOptions
  @OptionGroup var enforcement: StyleOption

  @Option(
    help: ArgumentHelp("Ask only about flows from this endpoint: \(EndpointReference.forms).", valueName: "endpoint"),
    transform: EndpointReference.init)
  var from: EndpointReference?

  @Option(
    help: ArgumentHelp("Ask only about flows to this endpoint.", valueName: "endpoint"),
    transform: EndpointReference.init)
  var to: EndpointReference?

  @Option(
    help: ArgumentHelp(
      "Ask only about this destination port: a number, the name that the destination gives it, or ICMP for a ping. Can be "
        + "repeated.", valueName: "80, UDP/53, http or ICMP"),
    transform: AskedPort.init(optionText:))
  var port: [AskedPort] = []

  @Option(
    help: ArgumentHelp(
      "Send to this IPv4 multicast group, on which --to listens. Needs --from, --to and a UDP --port.",
      valueName: "IPv4 group such as 224.0.0.251"))
  var group: MulticastGroup?

  @Option(
    help: ArgumentHelp(
      "How many packets to send: all (one for each flow), classes (at least one for each class of flows), or a number. "
        + "Without it: all, if there are no more than 50,000 flows, otherwise classes.", valueName: "all|classes|N"),
    transform: ClusterRun.Packets.init(optionText:))
  var packets: ClusterRun.Packets?

  @Option(help: ArgumentHelp("Of a grid of workloads, show those of one namespace.", valueName: "namespace"))
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "Of a grid of workloads, show the row and the column of one, with ports: a workload, pod, node, Service or host. "
        + "With --full, every name is listed.",
      valueName: "namespace/kind/name"))
  var focus: String?

  @Option(
    help: ArgumentHelp("Write every flow and its verdict to a file, one JSON object a line.", valueName: "file"))
  var flows: String?

  @Flag(help: "Show the whole grid of workloads, however large it is.")
  var full = false

  @Flag(help: "Check only the Expectations documents; skip the matrix of all flows.")
  var expectationsOnly = false

  @Option(help: "Check only the expectations of this claim, or the group with this name. Can be repeated.")
  var claim: [String] = []

  @Flag(help: "Let Expectations documents add files from outside of their folder.")
  var allowOutside = false

  @Flag(help: "With -o json: include the path of every flow, hop by hop.")
  var paths = false

  @Flag(help: "Count known deviations from the Kubernetes specification as failures too.")
  var strict = false

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    if group != nil, from == nil || to == nil || port.isEmpty || !port.allSatisfy(\.isUDP) {
      throw ValidationError("--group needs --from, --to and a UDP --port")
    }
    if selectsFlows, expectationsOnly || !claim.isEmpty {
      throw ValidationError("--from, --to and --port can't be combined with --expectations-only or --claim")
    }
    if full, namespace != nil { throw ValidationError("--full shows the whole grid; leave it out with --namespace") }
    if focus != nil, namespace != nil { throw ValidationError("--focus and --namespace can't be combined; give one") }
    if let flows, ["-", ""].contains(flows) {
      throw ValidationError("--flows \(flows): the report goes to standard output; give the name of a file")
    }
  }

  private var selectsFlows: Bool { from != nil || to != nil || !port.isEmpty }

  func run() throws {
    let (reading, sources) = try input.readingAndSources(standsIn: true)
    let files = input.files.joined(separator: ", ")
    if reading.cluster.pods.isEmpty { throw InputError("\(files): no pods and no workloads; add at least one Pod") }
    let (cluster, asked) = reading.cluster.addingHosts(
      sending: [from?.address].compactMap(\.self), receiving: [to?.address].compactMap(\.self))
    let selection = try ProbePlan.Selection(from: from, to: to, port, group: group?.address, in: cluster)
    // Questions about single flows leave the expectations out.
    let (groups, expected) =
      try selectsFlows ? ([], []) : reading.groupsToCheck(claim, allowingOutside: allowOutside).addingHosts()
    if expectationsOnly, groups.isEmpty {
      throw InputError("--expectations-only: \(files): no Expectations document")
    }
    var run = ClusterRun(
      style: enforcement.style, selection: selection, strict: strict, asksMatrix: !expectationsOnly)
    if let packets { run.packets = packets }
    try run.requireFlow(in: cluster)
    let shown = try shownWorkload(of: cluster)
    let remarks = Remarks(reading, cluster, asked: asked + expected, others: groups.map(\.cluster))
    try enterNamespaces()
    let lines = try flows.map { try FlowLines($0, strict: strict) }
    var report = try run.run(
      cluster, expecting: groups, version: version, eachFlow: lines.map { lines in { lines.write($0) } }
    ) {
      Terminal.progress($0.text)
    }
    Terminal.progress("")
    report.lines = SourceLines(sources)
    report.wasAskedForClaims = !claim.isEmpty
    report.tellsAllPaths = paths
    report.view.namespace = namespace?.lowercased()
    report.view.focus = shown
    report.view.isFull = full
    (report.notes, report.warnings) = (remarks.notes, remarks.warnings)
    let document = report.document
    try output.print(document, of: "run", about: input.files, failOn: findings.failOn)
    try lines?.close()
    try findings.failOn.check(document, isAsExpected: report.isAsExpected)
  }

  /// The name in the grid of what `--focus` names. Throws `InputError` if the cluster has no such namespace, or nothing
  /// of that name.
  private func shownWorkload(of cluster: Cluster) throws -> String? {
    if let namespace, !cluster.pods.contains(where: { $0.id.namespace == namespace.lowercased() }) {
      let known = Set(cluster.pods.map(\.id.namespace)).sorted()
      throw InputError("--namespace \(namespace): no pod is in it; known: \(known.abridged(to: 8))")
    }
    guard let focus = focus?.lowercased() else { return nil }
    let workloads = Set(cluster.pods.map(WorkloadGrid.name))
    let others =
      cluster.nodes.map { Endpoint.node($0.name) } + cluster.services.map { .service($0.id) }
      + cluster.externalHosts.map { .external($0.name) }
    let known = workloads.union(others.map(\.description))
    if let own = known.first(where: { $0.lowercased() == focus }) { return own }
    let pod = cluster.pods.first { $0.id.description == focus || "pod/\($0.id)" == focus }
    var short = known.filter { Self.withoutKind($0) == focus }.sorted()
    if short.isEmpty { short = known.filter { $0.lowercased().hasSuffix("/\(focus)") }.sorted() }
    if let only = pod.map(WorkloadGrid.name) ?? (short.count == 1 ? short[0] : nil) { return only }
    if !short.isEmpty {
      throw InputError("--focus \(focus): that is the name of several; write \(short.joined(separator: " or "))")
    }
    throw InputError(
      "--focus \(focus): no such workload, pod, node, Service or host; known: \(workloads.sorted().abridged(to: 8))")
  }

  /// `shop/web` of `shop/Deployment/web` and of `service/shop/web`, `node1` of `node/node1`.
  private static func withoutKind(_ name: String) -> String {
    let parts = name.lowercased().split(separator: "/")
    switch parts.count {
    case 2 where ["node", "host"].contains(parts[0]): return String(parts[1])
    case 3: return parts[0] == "service" ? "\(parts[1])/\(parts[2])" : "\(parts[0])/\(parts[2])"
    default: return name.lowercased()
    }
  }
}

extension ClusterRun.Packets {
  /// Throws `ValidationError` for anything else than `all`, `classes` or a number from 1.
  fileprivate init(optionText text: String) throws {
    switch text {
    case "all": self = .all
    case "classes": self = .classes
    default:
      guard let count = Int(text), count > 0 else {
        throw ValidationError("write all, classes, or a number from 1")
      }
      self = .atMost(count)
    }
  }
}
