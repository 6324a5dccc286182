import ArgumentParser
import Foundation
import Manifests
import NetpolModel
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
    help: ArgumentHelp("Ask only about this destination port. Can be repeated.", valueName: "80, TCP/80 or UDP/53"))
  var port: [TransportPort] = []

  @Option(
    help: ArgumentHelp(
      "Send to this IPv4 multicast group, on which --to listens. Needs --from, --to and a UDP --port.",
      valueName: "IPv4 group such as 224.0.0.251"))
  var group: MulticastGroup?

  @Flag(help: "Check only the Expectations documents; skip the matrix of all flows.")
  var expectationsOnly = false

  @Option(help: "Check only the expectations of this claim, or the group with this name. Can be repeated.")
  var claim: [String] = []

  @Flag(help: "With -o json: include the path of every flow, hop by hop.")
  var paths = false

  @Flag(help: "Count known deviations from the Kubernetes specification as failures too.")
  var strict = false

  @Option(name: .shortAndLong, help: "Report format.")
  var output = ReportFormat.text

  func validate() throws {
    if group != nil, from == nil || to == nil || port.isEmpty || port.contains(where: { $0.transport != .udp }) {
      throw ValidationError("--group needs --from, --to and a UDP --port")
    }
    if selectsFlows, expectationsOnly || !claim.isEmpty {
      throw ValidationError("--from, --to and --port can't be combined with --expectations-only or --claim")
    }
  }

  private var selectsFlows: Bool { from != nil || to != nil || !port.isEmpty }

  func run() throws {
    let reading = try input.reading(standsIn: true)
    let cluster = reading.cluster
    let files = input.files.joined(separator: ", ")
    if cluster.pods.isEmpty { throw InputError("\(files): no pods and no workloads; add at least one Pod") }
    let selection = try selection(in: cluster)
    // Questions about single flows leave the expectations out.
    let groups = selectsFlows ? [] : try reading.groupsToCheck(claim)
    if expectationsOnly, groups.isEmpty {
      throw InputError("--expectations-only: \(files): no Expectations document")
    }
    let run = ClusterRun(
      style: enforcement.style, selection: selection, strict: strict, asksMatrix: !expectationsOnly)
    try run.requireFlow(in: cluster)
    try enterNamespaces()
    var report = try run.run(cluster, expecting: groups, version: version) {
      Terminal.progress($0.text)
    }
    Terminal.progress("")
    report.wasAskedForClaims = !claim.isEmpty
    report.tellsAllPaths = paths
    report.notes = reading.notes.filter { $0.severity == .note }.map(\.text)
    report.warnings = reading.notes.filter { $0.severity == .warning }.map(\.text)
    try output.print(report.document)
    if !report.isAsExpected { throw ExitCode.finding }
  }

  /// Throws `InputError` if the cluster has no such endpoint.
  private func selection(in cluster: Cluster) throws -> ProbePlan.Selection {
    let names = EndpointNames(cluster)
    return ProbePlan.Selection(
      source: try from.map { try sender($0, names) },
      destination: try to.map { try names.endpoint($0, option: "--to") },
      sourceAddress: from?.address, destinationAddress: group?.address ?? to?.address,
      ports: port.isEmpty ? nil : port)
  }

  /// Throws `InputError` for an endpoint that sends nothing.
  private func sender(_ reference: EndpointReference, _ names: EndpointNames) throws -> Endpoint {
    let endpoint = try names.endpoint(reference, option: "--from")
    switch endpoint {
    case .service, .virtualAddress:
      throw InputError("--from \(reference): a Service sends no packets; name the pods or the workload behind it")
    case .pod, .node, .external, .address: return endpoint
    }
  }
}

extension EndpointReference {
  /// The address, if it is written as one.
  fileprivate var address: IPAddress? {
    if case .address(let address) = self { address } else { nil }
  }
}
