import ArgumentParser
import Documents
import DumpDiff
import Enforcement
import EngineComparison
import Lowering
import Manifests
import NetpolModel
import Path
import Proof
import Report

struct EqualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "equal",
    abstract: "Say whether two sets of rules do the same with every packet, or show what differs. Needs no root.",
    discussion: """
      Two of these are compared, on the cluster that -f names: a style's rules (--style), a node's dump \
      (--iptables-save and --ipset-save, or --nft), and the specification (--specification). With --other, two clusters \
      are compared under one style: the same pods, nodes and Services with other policies. Exit code 1 if they differ.

      equal -f DIR --style kube-router-2.6-k3s --style kube-router-2.11-nft
      equal -f DIR --style kube-router-2.6-k3s --node n1 --iptables-save v4 --ipset-save sets
      equal -f DIR --specification --node n1 --nft rules
      equal -f DIR --other DIR2 --style compiled
      """)

  @OptionGroup var input: ManifestOptions

  @Option(help: "Rules that this style writes. Give two to compare two styles.")
  var style: [EnforcementStyle] = []

  @Flag(help: "Compare with what the policies say: the specification, without any enforcer.")
  var specification = false

  @Option(help: ArgumentHelp("Compare with this cluster, under the same style.", valueName: "path"))
  var other: String?

  @OptionGroup var dumpOptions: DumpOptions

  @Option(help: "Node that the dump is from. Default: as with compare.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Option(name: .shortAndLong, help: "Report format.")
  var output = ReportFormat.text

  private var hasDump: Bool { dumpOptions.isGiven }

  func validate() throws {
    if hasDump || dumpOptions.ipsetSave != nil, !dumpOptions.isComplete {
      throw ValidationError(
        "give --iptables-save and --ipset-save (--ip6tables-save for IPv6), or --nft without any of these")
    }
    if other != nil {
      if style.count > 1 || specification || hasDump {
        throw ValidationError("--other compares two clusters under one --style; leave the rest out, or use diff")
      }
      return
    }
    // A dump may name its style, so that its own chains are recognised.
    let sides = style.count + (specification ? 1 : 0) + (hasDump ? 1 : 0)
    let isSpare = hasDump && specification && style.count == 1
    if sides != 2, !isSpare, !(hasDump && sides == 1) {
      throw ValidationError(
        "name two to compare: --style twice, or --style with --specification, a dump with --style, or a dump with "
          + "--specification")
    }
  }

  func run() throws {
    startThreads()
    if hasDump {
      try compareDump()
    } else if specification, let style = style.first {
      try compareWithSpecification(style)
    } else {
      try compareStyles()
    }
  }

  private func compareStyles() throws {
    let cluster = try input.reading().cluster
    let (first, second) = (style.first ?? EnforcementStyle.all[0], style.last ?? EnforcementStyle.all[0])
    var other = cluster
    if let path = self.other {
      var options = input
      options.files = [path]
      other = try options.reading().cluster
      let (mine, theirs) = (cluster.unlocated, other.unlocated)
      guard Topology(theirs).hasSamePlaces(as: Topology(mine)), theirs.families == mine.families,
        theirs.settings == mine.settings
      else {
        throw InputError(
          "--other \(path): it has other pods, nodes, addresses or settings, so that no packet means the same; use diff"
        )
      }
      guard theirs.services == mine.services, theirs.endpointSlices == mine.endpointSlices else {
        throw InputError(
          "--other \(path): it has other Services or endpoints; only policies may differ")
      }
    }
    let one = try EnforcedCluster(cluster, Topology(cluster), first, versionStamp: "1")
    let two = try EnforcedCluster(other, Topology(other), second, versionStamp: "1")
    let comparison = RulesComparison(cluster, one, two)
    let names =
      self.other.map { ("\(input.files.joined(separator: ", "))", $0) } ?? (first.name, second.name)
    try tell(EqualityReport(comparison, names.0, names.1, version: version))
  }

  private func compareDump() throws {
    let dump = try dumpOptions.rules()
    let cluster = try clusterAsStored(input.files).cluster
    let style = try chosenStyle(style.first, for: dump)
    let node = try chosenNode(node, cluster, dump)
    let view = nodeOptions.view(of: node, in: cluster, dumped: style.exemptRanges?(dump.tables))
    let meaning = try DumpMeaning(dump, style, on: view, of: node, in: cluster)
    if specification {
      let (proof, comparer) = meaning.comparedWithSpecification()
      try tell(proof, comparer, "the dump of \(node.name)", style)
    } else {
      let comparison = meaning.comparedWithStyle()
      try tell(EqualityReport(comparison, "the dump of \(node.name)", style.name, version: version))
    }
  }

  private func compareWithSpecification(_ style: EnforcementStyle) throws {
    let cluster = try input.reading().cluster
    let comparer = Comparer(cluster, try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1"))
    try tell(Proof(cluster, comparer), comparer, style.name, style)
  }

  private func tell(_ report: EqualityReport) throws {
    try output.print(report.document)
    if !report.isEqual { throw ExitCode.finding }
  }

  private func tell(_ proof: Proof, _ comparer: Comparer, _ name: String, _ style: EnforcementStyle) throws {
    var report = ProofReport(
      proof, style, proof.counterexamples.prefix(5).map { Witness($0, comparer) }, version: version)
    report.subject = name
    try output.print(report.document)
    if !proof.isProved || !proof.differing.isEmpty { throw ExitCode.finding }
  }
}
