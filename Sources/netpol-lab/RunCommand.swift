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
    abstract: "Builds the cluster in network namespaces, sends packets, and says who reaches whom and why not.")

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  @OptionGroup var input: InputOptions

  @Option(help: "Only flows from this endpoint: \(EndpointReference.forms).")
  var from: String?

  @Option(help: "Only flows to this endpoint.")
  var to: String?

  @Option(help: "Only this port, as 80, TCP/80 or UDP/53; may be repeated.")
  var port: [String] = []

  @Option(help: "Send to this IPv4 multicast group, on which --to listens; with --from, --to and a UDP --port.")
  var group: String?

  @Flag(help: "Checks the Expectations documents and leaves the matrix of all flows out.")
  var expectationsOnly = false

  @Option(help: "Only expectations of this claim, or the group of this name; may be repeated.")
  var claim: [String] = []

  @Flag(help: "With -o json: the path of every flow, hop by hop.")
  var paths = false

  @Flag(help: "A known deviation from the Kubernetes specification is a failure too.")
  var strict = false

  @Option(name: .shortAndLong, help: "The report: text or json.")
  var output = Format.text

  func run() throws {
    let style = try input.enforcementStyle()
    let reading = try input.reading()
    let cluster = reading.cluster
    if cluster.pods.isEmpty {
      throw InputError("\(input.files.joined(separator: ", ")): no pods and no workloads; add at least one Pod")
    }
    let names = EndpointNames(cluster)
    let group = try group.map { text in
      guard let address = IPAddress(text), address.isMulticast, address.family == .v4 else {
        throw InputError("--group \(text): no IPv4 multicast address; write one such as 224.0.0.251")
      }
      guard from != nil, to != nil, try !port.isEmpty && port.allSatisfy({ try transportPort($0).transport == .udp })
      else {
        throw InputError("--group \(text): needs --from, --to and a UDP --port")
      }
      return address
    }
    let selection = ProbePlan.Selection(
      source: try from.map { try sender($0, names) },
      destination: try to.map { try names.endpoint($0, option: "--to") },
      sourceAddress: from.flatMap(IPAddress.init), destinationAddress: group ?? to.flatMap(IPAddress.init),
      ports: port.isEmpty ? nil : try port.map(transportPort))
    let selects = from != nil || to != nil || !port.isEmpty
    if selects, expectationsOnly || !claim.isEmpty {
      throw InputError("--from, --to and --port go without --expectations-only and --claim")
    }
    // Who asks for single flows is not told of all expectations.
    let groups = selects ? [] : try reading.groupsToCheck(claim)
    if expectationsOnly, groups.isEmpty {
      throw InputError("--expectations-only: \(input.files.joined(separator: ", ")): no Expectations document")
    }
    let run = ClusterRun(style: style, selection: selection, strict: strict, asksMatrix: !expectationsOnly)
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
    switch output {
    case .text: try Terminal.print(report.document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try report.document.json())
    }
    if !report.isAsExpected { throw ExitCode.finding }
  }

  /// Throws `InputError` where the text names no sender.
  private func sender(_ text: String, _ names: EndpointNames) throws -> Endpoint {
    let endpoint = try names.endpoint(text, option: "--from")
    switch endpoint {
    case .service, .virtualAddress:
      throw InputError("--from \(text): a Service sends nothing; name the pods or the workload behind it")
    case .pod, .node, .external, .address: return endpoint
    }
  }
}
