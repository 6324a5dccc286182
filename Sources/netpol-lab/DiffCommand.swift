import ArgumentParser
import Documents
import Lowering
import Manifests
import NetpolModel
import PolicyDiff
import Report
import Run

struct DiffCommand: ParsableCommand {
  struct Replicas: Bounded {
    static let range = 1...1000
    let value: Int
  }

  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show every flow that two policy sets judge differently. Needs no root, except with --packets.",
    discussion: """
      Each side is a manifest or a directory. A side without pods takes all objects but its policies from the other \
      side. Exit code 1 if they differ; with --no-new-access, only if NEW allows a flow that OLD denies.
      """)

  @Argument(help: ArgumentHelp("The old side: a manifest, a directory of manifests, or - for standard input."))
  var old: String

  @Argument(help: ArgumentHelp("The new side."))
  var new: String

  @Flag(help: "Fail only where NEW allows a flow that OLD denies.")
  var noNewAccess = false

  @Flag(help: "Send one packet for each row, under both policy sets.")
  var packets = false

  @OptionGroup var enforcement: StyleOption

  @Option(help: Replicas.help("Maximum pods created per workload. A DaemonSet always gets one pod per node."))
  var maxReplicas = Replicas(value: 2)

  @Flag(help: "Accept objects that today's API server would reject, such as those dumped from a cluster.")
  var asStored = false

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    if old == "-", new == "-" { throw ValidationError("standard input can be read once; give - for one side") }
  }

  func run() throws {
    if !packets { startThreads() }
    let sides = (old: try reading(old), new: try reading(new))
    guard let clusters = ComparedClusters(old: sides.old.cluster, new: sides.new.cluster) else {
      throw InputError(
        "\(old), \(new): no pods and no workloads on either side; add those of the cluster to one of them")
    }
    let readings: [(side: ComparedClusters.Side, reading: ManifestReading)] = [(.old, sides.old), (.new, sides.new)]
    // What is assumed about a side's own objects doesn't count if it takes them from the other.
    let notes = readings.flatMap { side, reading in
      reading.notes.filter { $0.severity == .warning || side != clusters.borrower }.map { (side, $0) }
    }
    for (side, note) in notes {
      Terminal.say("\(note.severity == .warning ? "warning" : "note"): \(side.rawValue): \(note.text)")
    }
    if packets { try enterNamespaces() }
    var report = PolicyDiffReport(
      PolicyDifference(clusters), old: .init(name: Self.name(old), policies: sides.old.cluster.policies.count),
      new: .init(name: Self.name(new), policies: sides.new.cluster.policies.count), onlyNewAccess: noNewAccess,
      version: version)
    report.notes = notes.filter { $0.1.severity == .note }.map { "\($0.0.rawValue): \($0.1.text)" }
    report.warnings = notes.filter { $0.1.severity == .warning }.map { "\($0.0.rawValue): \($0.1.text)" }
    if packets {
      try DiffRun(style: enforcement.style).run(&report) { Terminal.progress($0.text) }
      Terminal.progress("")
    }
    let document = report.document
    try output.print(document, of: "diff", about: [new, old], failOn: findings.failOn)
    try findings.failOn.check(document, isAsExpected: report.isAsExpected)
  }

  private static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

  private func reading(_ path: String) throws -> ManifestReading {
    var options = ReadOptions()
    options.maxReplicas = maxReplicas.value
    options.stylesWithDefaultDeny = EnforcementStyle.all.filter(\.knowsDefaultDeny).map(\.name)
    options.validation = asStored ? .asStored : .apiServer
    let contents = try ManifestFiles.read([path])
    var reading = try readManifests(contents.sources, options: options)
    if reading.objectCount == 0 { throw InputError("\(path): no objects; give at least one") }
    reading.notes += contents.foreign.notes
    return reading
  }
}
