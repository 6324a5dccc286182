import ArgumentParser
import DumpDiff
import Foundation
import Lowering
import Manifests
import NetpolModel
import Report
import RuleIR

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares a node's own rules with what kube-router should have written there. Needs no root.",
    discussion: """
      On the node: iptables-save > v4; ip6tables-save > v6; ipset save > sets (or nft list ruleset > rules), and
      kubectl get nodes,namespaces,pods,networkpolicies -A -o yaml > cluster.yaml.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  @Option(
    name: [.customShort("f"), .customLong("filename")],
    help: "The cluster's objects as it holds them: a manifest, a directory of them, or - for standard input.")
  var files: [String] = []

  @Option(help: "What iptables-save printed.")
  var iptablesSave: String?

  @Option(help: "What ip6tables-save printed.")
  var ip6tablesSave: String?

  @Option(help: "What ipset save printed.")
  var ipsetSave: String?

  @Option(help: "What nft list ruleset printed, as text or with -j.")
  var nft: String?

  @Option(help: "The style; found from the dump if not given.")
  var style: String?

  @Option(help: "The node; if not given the only one with pods, or the one whose pods the dump has chains for.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Option(help: "A folder of cases, each with manifests.yaml and dumps beside it or below: one line for each.")
  var golden: String?

  @Option(name: .shortAndLong, help: "The report: text or json.")
  var output = Format.text

  func run() throws {
    if let golden {
      guard files.isEmpty, iptablesSave == nil, ip6tablesSave == nil, ipsetSave == nil, nft == nil else {
        throw InputError("--golden \(golden): takes no -f and no dumps; they are in its folders")
      }
      try GoldenCases(root: golden, style: style, json: output == .json).run()
      return
    }
    if files.isEmpty { throw InputError("-f: give the cluster's objects, as kubectl get … -A -o yaml prints them") }
    let dump = try DumpFiles(iptables: iptablesSave, ip6tables: ip6tablesSave, ipset: ipsetSave, nft: nft).rules()
    let cluster = try clusterAsStored(files).cluster
    let style = try chosenStyle(style, for: dump)
    let node = try chosenNode(node, cluster, dump)
    let (comparison, findings) = try compared(
      dump, with: style, on: try nodeOptions.view(of: node, in: cluster), namesHold: nodeOptions.versionStamp != nil)
    for finding in findings { Terminal.say("warning from the style: \(finding)") }
    let document = comparison.document(style: style.name, node: node.name, version: version)
    switch output {
    case .text: try Terminal.print(document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try document.json())
    }
    if !comparison.differences.isEmpty { throw ExitCode.finding }
  }
}

/// The cluster's own objects: the API server has taken them, whatever it would say today.
func clusterAsStored(_ files: [String]) throws -> ManifestReading {
  var options = ReadOptions()
  options.validation = .asStored
  let reading = try readManifests(try ManifestFiles.read(files), options: options)
  for note in reading.notes where note.severity == .warning { Terminal.say("warning: \(note.text)") }
  return reading
}

/// A dump beside what the style writes in the families that the dump covers, and what the style has to say of that.
func compared(
  _ dump: NodeRules, with style: EnforcementStyle, on view: NodeView, namesHold: Bool
) throws -> (DumpComparison, [Finding]) {
  let traces = style.traces(on: view)
  var covered = view
  covered.families = dump.families(traces)
  let lowered = style.lower(covered)
  let comparison = try DumpComparison(dump, expected: lowered.ruleset, traces: traces, namesHold: namesHold)
  // Of a style that writes nothing on this node nothing is missing.
  if comparison.isEmpty, !style.lower(view).ruleset.tables.allSatisfy(\.chains.isEmpty) {
    throw InputError(
      "the dump holds no chain and no set of \(style.name): take it as root, on a node where it is at work, or give the "
        + "--style that wrote it")
  }
  return (comparison, lowered.findings)
}

/// The style that was asked for, or the one that the dump is of.
func chosenStyle(
  _ name: String?, for dump: NodeRules, among styles: [EnforcementStyle] = EnforcementStyle.all
) throws -> EnforcementStyle {
  if let name {
    let style = try EnforcementStyle(argument: name, among: styles)
    guard style.backend == dump.backend else {
      throw InputError(
        "--style \(name): it writes \(style.backend.rawValue), and the dump is of \(dump.backend.rawValue)")
    }
    return style
  }
  guard let style = EnforcementStyle.recognising(dump.names, among: styles) else {
    throw InputError("the dump holds no chain of kube-router; give --style to compare nevertheless")
  }
  return style
}

/// The node that was asked for, the only one with pods, or the one most of whose pods the dump has jumps for.
func chosenNode(_ name: String?, _ cluster: Cluster, _ dump: NodeRules) throws -> Node {
  let known = cluster.nodes.map(\.name).sorted().joined(separator: ", ")
  if let name {
    guard let node = cluster.node(name) else { throw InputError("--node \(name): no such node; known: \(known)") }
    return node
  }
  var pods: [String: Int] = [:]
  var jumps: [String: Int] = [:]
  let jumped = dump.podAddresses
  for pod in cluster.pods where !pod.hostNetwork {
    guard let node = pod.node else { continue }
    pods[node, default: 0] += 1
    if pod.podIPs.contains(where: jumped.contains) { jumps[node, default: 0] += 1 }
  }
  if pods.count == 1, let only = pods.keys.first.flatMap(cluster.node) { return only }
  let most = jumps.values.max()
  let best = jumps.filter { $0.value == most }.keys
  guard best.count == 1, let node = best.first.flatMap(cluster.node) else {
    throw InputError("--node: the dump doesn't tell which node it is of; name one of \(known)")
  }
  return node
}
