import ArgumentParser
import Documents
import DumpDiff
import Foundation
import Glibc
import Lowering
import Manifests
import NetpolModel
import Network
import Path
import Remedies
import Report
import Run
import StandingLab
import Verdicts

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say why a packet passes or not: policy by policy, down to the line, and rule by rule in the kernel.",
    discussion: """
      FROM and TO are endpoints: \(EndpointReference.forms). TO may end in a port: :80, :53/UDP, :http or :ICMP. An \
      IPv6 address with a port stands in brackets. With a node's dump, that node's rules are the dump's.

      explain -f DIR shop/web shop/db:5432
      explain -f DIR shop/web service/dns/kube-dns:53/UDP
      explain -f DIR --node n1 --nft rules shop/web shop/db:5432
      """)

  @OptionGroup var input: ManifestOptions

  @Argument(help: ArgumentHelp("Who sends.", valueName: "from"), transform: EndpointReference.init)
  var from: EndpointReference

  @Argument(help: ArgumentHelp("Who receives, and the port.", valueName: "to"), transform: AskedDestination.init)
  var to: AskedDestination

  @Option(help: "Enforcement style: the rules that policies become. Default: that of the dump, or kube-router-2.6-k3s.")
  var style: EnforcementStyle?

  @OptionGroup var dumpOptions: DumpOptions

  @Option(help: "Node that the dump is from. Default: as with compare.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Flag(help: "Send no packet, and need no root: policies and rules are worked out in this process alone.")
  var noPackets = false

  @Flag(help: "Count known deviations from the Kubernetes specification as failures too.")
  var strict = false

  @Flag(help: "Show every smallest change that turns the verdict, with its patch and the other flows that it changes.")
  var fix = false

  @Flag(help: "With --fix: write the best change into a new file beside each changed one: FILE.fixed.")
  var write = false

  @Flag(help: "With --write: change the files themselves.")
  var inPlace = false

  @Option(
    name: .shortAndLong,
    help: "Report format. pcapng is a capture of the packet at every chain, for Wireshark: write it into a file.")
  var output = Format.text

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json, junit, sarif, github, markdown, pcapng

    /// `nil`: the packets themselves are asked for.
    var ofResults: ResultFormat? { ResultFormat(rawValue: rawValue) }
  }

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    if dumpOptions.isGiven || dumpOptions.ipsetSave != nil, !dumpOptions.isComplete {
      throw ValidationError(
        "give --iptables-save and --ipset-save (--ip6tables-save for IPv6), or --nft without any of these")
    }
    if output == .pcapng, noPackets {
      throw ValidationError("-o pcapng holds the packets that were sent; leave --no-packets out")
    }
    if write, !fix { throw ValidationError("--write writes what --fix finds; give both") }
    if inPlace, !write { throw ValidationError("--in-place says where --write writes; give both") }
    if fix, dumpOptions.isGiven {
      throw ValidationError("--fix changes policies, and the rules of a dump stay as they are; leave one of them out")
    }
    if dumpOptions.isGiven { return }
    let dump = "give --nft, or --iptables-save and --ipset-save"
    if node != nil { throw ValidationError("--node names the node of a dump; \(dump)") }
    if let given = nodeOptions.given {
      throw ValidationError(
        "\(given) says how the node of a dump was started; \(dump), or write it into a Cluster document of the input")
    }
  }

  func run() throws {
    var options = input
    // Some API server accepted what runs on a node.
    if dumpOptions.isGiven { options.asStored = true }
    let (reading, sources) = try options.readingAndSources(standsIn: !dumpOptions.isGiven)
    let files = input.files.joined(separator: ", ")
    if reading.cluster.pods.isEmpty { throw InputError("\(files): no pods and no workloads; add at least one Pod") }
    let style = try self.style(in: reading.cluster)
    let (cluster, asked) = reading.cluster.addingHosts(
      sending: [from.address].compactMap(\.self), receiving: [to.endpoint.address].compactMap(\.self))
    if noPackets { startThreads() }
    let topology = InAdvance { Topology(cluster) }
    let selection = try ProbePlan.Selection(
      from: from, to: to.endpoint, [to.port].compactMap(\.self), in: cluster, options: ("from", "to", "port"))
    var run = ClusterRun(style: style, selection: selection, strict: strict)
    if !dumpOptions.isGiven { run.advice = advice(reading) }
    let selected = try run.selected(in: cluster, topology.value)
    try requireFew(selected)
    let remarks = Remarks(reading, cluster, asked: asked)
    var report = try explain(selected, run)
    Terminal.progress("")
    report.lines = SourceLines(sources)
    (report.notes, report.warnings) = (remarks.notes, remarks.warnings)
    let document = report.document
    if let format = output.ofResults {
      try format.print(document, of: "explain", about: input.files, failOn: findings.failOn)
    } else {
      try printCapture(report)
    }
    if write { try FixedFiles(report).write(inPlace: inPlace) }
    try findings.failOn.check(document, isAsExpected: report.isAsExpected)
  }

  /// Every change is made in the files, and these are read again.
  private func advice(_ reading: ManifestReading) -> AdviceRequest {
    let (from, to) = (from, to)
    var request = AdviceRequest(most: fix ? 10 : 1, mostPods: fix ? nil : Self.mostPodsWithoutFix) { edits in
      guard let patch = reading.patch(edits) else { return nil }
      let cluster = patch.reading.cluster.addingHosts(
        sending: [from.address].compactMap(\.self), receiving: [to.endpoint.address].compactMap(\.self)
      ).cluster
      return (patch.files, cluster)
    }
    request.togetherToo = fix
    return request
  }

  /// With more, the search would take longer than all the rest.
  private static let mostPodsWithoutFix = 500

  private func printCapture(_ report: RunReport) throws {
    guard let capture = report.capture else {
      throw InputError("-o pcapng: no packet was traced, so there is nothing to write; -o text says why")
    }
    if isatty(1) == 1 { throw InputError("-o pcapng: that is no text; write it into a file: > trace.pcapng") }
    try Terminal.print(data: Data(capture))
  }

  /// With packets where the machine allows it.
  private func explain(_ selected: SelectedFlows, _ run: ClusterRun) throws -> RunReport {
    var why = ExplainedFlow.Untraced.unwanted
    if !noPackets {
      do {
        try enterNamespaces()
        return try run.run(selected, version: version, progress: { Terminal.progress($0.text) })
      } catch let error as LabError {
        why = .noLab(error.description)
        Terminal.say(
          "warning: this machine can't send packets, so policies and rules are worked out in user space: \(error)")
      }
    }
    startThreads()
    return try run.explain(selected, withoutPackets: why, version: version)
  }

  /// The style, with the dump's rules on its node if there is one.
  private func style(in cluster: Cluster) throws -> EnforcementStyle {
    guard dumpOptions.isGiven else { return style ?? EnforcementStyle.all[0] }
    let dump = try dumpOptions.rules()
    let style = try chosenStyle(style, for: dump)
    let node = try chosenNode(node, cluster, dump)
    let view = nodeOptions.view(of: node, in: cluster, dumped: style.exemptRanges?(dump.tables))
    let rules = try DumpMeaning(dump, style, on: view, of: node, in: cluster).rules
    Terminal.say("note: node \(node.name) has the rules of the dump; the other nodes have those of \(style.name)")
    warnOfOtherNode(dump, node, cluster)
    return style.rewriting { view, lowered in
      if view.node == node.name { lowered.ruleset = rules }
    }
  }

  /// Warns if the dump has chains for pods, and for none of the node's.
  private func warnOfOtherNode(_ dump: NodeRules, _ node: Node, _ cluster: Cluster) {
    let known = dump.podAddresses
    let pods = cluster.pods.filter { $0.isActionable && $0.podIPs.contains(where: known.contains) }
    if pods.isEmpty || pods.contains(where: { $0.node == node.name }) { return }
    let others = Set(pods.compactMap(\.node)).sorted()
    Terminal.say(
      "warning: the dump has chains for pods of \(others.abridged(to: 3)) and for none of \(node.name): is it another node's?"
    )
  }

  /// Throws `InputError` if there are so many flows that nobody would read why.
  private func requireFew(_ selected: SelectedFlows) throws {
    if selected.count <= SelectedFlows.mostExplained { return }
    let ports = selected.questions
    throw InputError(
      "from \(from) to \(to): that is \(selected.count) flows, and at most \(SelectedFlows.mostExplained) are explained at once; "
        + (ports.count > 1 && to.port == nil
          ? "name a port, one of \(ports.abridged(to: 8))"
          : "name single pods instead of workloads, or ask with run --from --to --port"))
  }
}

/// Where a packet goes, as an argument: `shop/db`, `shop/db:5432`, `10.0.0.1:53/UDP`, `[fd00::1]:80`, `shop/db:ICMP`.
struct AskedDestination: Hashable {
  let endpoint: EndpointReference
  /// `nil`: the ports that matter there.
  let port: AskedPort?
}

extension AskedDestination: CustomStringConvertible {
  var description: String { "\(endpoint)" }

  /// Throws `EndpointTextError`, or `ValidationError` for a port that can't be read.
  init(_ text: String) throws {
    let (end, port) = Self.parts(text)
    endpoint = try EndpointReference(end)
    self.port = try port.map(AskedPort.init(optionText:))
  }

  /// An IPv6 address without brackets has no port.
  private static func parts(_ text: String) -> (end: String, port: String?) {
    if IPAddress(text) != nil { return (text, nil) }
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      let rest = text[text.index(after: close)...]
      let end = String(text[text.index(after: text.startIndex)..<close])
      // Brackets are for addresses, and a port follows a colon.
      guard IPAddress(end)?.family == .v6, rest.isEmpty || rest.hasPrefix(":") else { return (text, nil) }
      return (end, rest.isEmpty ? nil : String(rest.dropFirst()))
    }
    guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }
}

extension SourceLines {
  init(_ sources: [ManifestSource]) {
    self.init(Dictionary(sources.map { ($0.name, $0.text) }) { first, _ in first })
  }
}
