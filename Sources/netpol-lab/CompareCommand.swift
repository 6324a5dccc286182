import ArgumentParser
import Documents
import DumpDiff
import Foundation
import Lowering
import Manifests
import NetpolModel
import Report
import RuleIR
import ServiceProxy

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare a real node's rules with those that kube-router should have written there. Needs no root.",
    discussion: """
      First, on the node: iptables-save > v4; ip6tables-save > v6; ipset save > sets (or nft list ruleset > rules). Then, \
      from the cluster: kubectl get nodes,namespaces,pods,networkpolicies -A -o yaml > cluster.yaml.
      """)

  @Option(
    name: [.customShort("f"), .customLong("filename")],
    help: ArgumentHelp(
      "The cluster's objects, as kubectl get prints them: a file, a directory, or - for standard input.",
      valueName: "path"))
  var files: [String] = []

  @OptionGroup var dumpOptions: DumpOptions

  @Option(help: "Enforcement style. Default: recognised from the dump.")
  var style: EnforcementStyle?

  @Option(
    help:
      "Node that the dump is from. Default: the only node with pods, or the node whose pods the dump has chains for.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Option(
    help: ArgumentHelp(
      "Compare every case in this directory, one line each. A case is a manifests.yaml with dumps beside or below it.",
      valueName: "directory"))
  var golden: String?

  @Flag(
    help:
      "If the text of the rules differs: say whether they do the same with every packet, and if not, what that costs.")
  var byMeaning = false

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    let dumps = [dumpOptions.iptablesSave, dumpOptions.ip6tablesSave, dumpOptions.ipsetSave].compactMap(\.self)
    guard golden == nil else {
      if byMeaning { throw ValidationError("--by-meaning compares one dump; leave it out with --golden") }
      if !files.isEmpty || !dumps.isEmpty || dumpOptions.nft != nil {
        throw ValidationError("--golden can't be combined with -f or dumps; its directory holds them")
      }
      return
    }
    if files.isEmpty {
      throw ValidationError("-f is missing: give the cluster's objects, as kubectl get … -A -o yaml prints them")
    }
    if dumpOptions.nft != nil, !dumps.isEmpty {
      throw ValidationError("--nft can't be combined with --iptables-save, --ip6tables-save or --ipset-save")
    }
    if !dumpOptions.isComplete {
      throw ValidationError("give --iptables-save and --ipset-save (--ip6tables-save for IPv6), or --nft")
    }
  }

  func run() throws {
    if let golden {
      try GoldenCases(root: golden, style: style, output: output, failOn: findings.failOn).run()
      return
    }
    let dump = try dumpOptions.rules()
    let cluster = try clusterAsStored(files).cluster
    let stated = cluster.settings.kubeProxy.mode
    if let mode = kubeProxyMode(of: dump.tables), mode.isNftables != stated.isNftables {
      Terminal.say(
        "note: the dump shows kube-proxy's \(mode.keyword) mode, but the input says \(stated.keyword); to run it, write "
          + "\"kubeProxy: \(mode.statement)\" in the Cluster document")
    }
    let style = try chosenStyle(style, for: dump)
    let node = try chosenNode(node, cluster, dump)
    let view = nodeOptions.view(of: node, in: cluster, dumped: style.exemptRanges?(dump.tables))
    let (comparison, remarks) = try compared(dump, with: style, on: view, namesHold: nodeOptions.versionStamp != nil)
    if style.exemptRanges != nil, let warning = view.warning(aboutClusterIPsOf: cluster.services) {
      Terminal.say("warning: \(warning)")
    }
    for finding in remarks { Terminal.say("warning from the style: \(finding)") }
    guard byMeaning, !comparison.differences.isEmpty else {
      try tell(
        comparison.document(style: style.name, node: node.name, version: version),
        isAsExpected: comparison.differences.isEmpty)
      return
    }
    startThreads()
    let meaning = try DumpMeaning(dump, style, on: view, of: node, in: cluster).comparedWithStyle()
    let report = EqualityReport(meaning, "the dump", style.name, version: version)
    try tell(
      comparison.document(style: style.name, node: node.name, meaning: report, version: version),
      isAsExpected: report.isEqual)
  }

  private func tell(_ document: Document, isAsExpected: Bool) throws {
    try output.print(document, of: "compare", about: files, failOn: findings.failOn)
    try findings.failOn.check(document, isAsExpected: isAsExpected)
  }
}

/// Reads a cluster's own objects. Its API server accepted them, even if today's would not.
func clusterAsStored(_ files: [String]) throws -> ManifestReading {
  var options = ReadOptions()
  options.validation = .asStored
  let contents = try ManifestFiles.read(files)
  for note in contents.foreign.notes { Terminal.say("note: \(note.text)") }
  let reading = try readManifests(contents.sources, options: options)
  for note in reading.notes where note.severity == .warning { Terminal.say("warning: \(note.text)") }
  return reading
}

/// Compares a dump with the rules that the style writes, in the address families that the dump covers. Also returns the
/// style's own findings. Throws `InputError` if the dump holds nothing of the style.
func compared(
  _ dump: NodeRules, with style: EnforcementStyle, on view: NodeView, namesHold: Bool
) throws -> (DumpComparison, [Finding]) {
  let traces = style.traces(on: view)
  var covered = view
  covered.families = dump.families(traces)
  let lowered = style.lower(covered)
  let comparison = try DumpComparison(
    dump, expected: lowered.ruleset, traces: traces, namesHold: namesHold, sharedLists: lowered.sharedLists)
  // A style that writes nothing on this node misses nothing.
  if comparison.isEmpty, !style.lower(view).ruleset.tables.allSatisfy(\.chains.isEmpty) {
    throw InputError(
      "the dump holds no chain and no set of \(style.name): take the dump as root, on a node that runs it, or give the "
        + "--style that wrote it")
  }
  return (comparison, lowered.findings)
}

/// Returns `style`, or the style that wrote the dump if it is `nil`. Throws `InputError` if the dump doesn't fit.
func chosenStyle(_ style: EnforcementStyle?, for dump: NodeRules) throws -> EnforcementStyle {
  if let style {
    guard style.backend == dump.backend else {
      throw InputError(
        "--style \(style.name): it writes \(style.backend.rawValue), but the dump is of \(dump.backend.rawValue)")
    }
    return style
  }
  guard let style = EnforcementStyle.recognising(dump.names) else {
    throw InputError("the dump holds no chain of kube-router; give --style to compare anyway")
  }
  return style
}

/// Returns the node called `name`. If it is `nil`, returns the only node, the only node with pods that policies apply
/// to, or the node with the most pods that the dump has jumps for. Throws `InputError` if there is no such node.
func chosenNode(_ name: String?, _ cluster: Cluster, _ dump: NodeRules) throws -> Node {
  let known = cluster.nodes.map(\.name).sorted().joined(separator: ", ")
  if let name {
    guard let node = cluster.node(name) else { throw InputError("--node \(name): no such node; known: \(known)") }
    return node
  }
  var pods: [String: Int] = [:]
  var jumps: [String: Int] = [:]
  let jumped = dump.podAddresses
  for pod in cluster.pods where pod.isActionable {
    guard let node = pod.node else { continue }
    pods[node, default: 0] += 1
    if pod.podIPs.contains(where: jumped.contains) { jumps[node, default: 0] += 1 }
  }
  if pods.count == 1, let only = pods.keys.first.flatMap(cluster.node) { return only }
  if cluster.nodes.count == 1 { return cluster.nodes[0] }
  let most = jumps.values.max()
  let best = jumps.filter { $0.value == most }.keys
  guard best.count == 1, let node = best.first.flatMap(cluster.node) else {
    throw InputError("--node: the dump doesn't show which node it is from; name one of \(known)")
  }
  return node
}

extension KubeProxyMode {
  /// As the Cluster document states it.
  fileprivate var statement: String {
    switch self {
    case .iptables: "{mode: iptables}"
    case .nftables(let release): "{mode: nftables, version: '\(release.rawValue)'}"
    }
  }
}
