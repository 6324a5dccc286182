import ArgumentParser
import Bench
import Documents
import Manifests
import NetpolModel
import Report

struct PacketBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "packets", abstract: "Measure what rules cost a packet in each style.",
    discussion: """
      Measures a sweep over pods, policies and peers of a generated cluster, or, with -f, the flows of your own manifests.
      """)

  struct Pods: Bounded {
    static let range = BenchWorld.podRange
    let value: Int
  }
  struct Policies: Bounded {
    static let range = BenchWorld.policyRange
    let value: Int
  }
  struct Peers: Bounded {
    static let range = BenchWorld.peerRange
    let value: Int
  }

  @OptionGroup var input: ManifestOptions
  @OptionGroup var compared: ComparedStyles

  @Option(help: Pods.help("Numbers of pods on the node, comma-separated."))
  var pods: CommaList<Pods>?

  @Option(help: Policies.help("Numbers of policies, comma-separated. Default: as many as pods."))
  var policies: CommaList<Policies>?

  @Option(help: Peers.help("Numbers of peers per policy, comma-separated."))
  var peers: CommaList<Peers>?

  @Option(help: "Kinds of peers, comma-separated.")
  var peerKinds: CommaList<BenchWorld.PeerKind>?

  @Option(
    name: [.long, .customLong("family")],
    help: "Address families, comma-separated. Default: ipv4; with -f every family that the cluster has.")
  var families: CommaList<IPFamily>?

  @Option(help: BenchRounds.help("Number of measurements of each flow."))
  var rounds = BenchRounds(value: 300)

  @Flag(
    help:
      "Measure every combination of pods, policies, peers and their kinds. Takes hours; Ctrl-C ends it with a report.")
  var full = false

  @Option(
    help: ArgumentHelp(
      "Write plots of cost over the number of pods into this directory, as SVG.", valueName: "directory"))
  var plot: String?

  @OptionGroup var format: BenchOutput

  private var shapesSweep: Bool { pods != nil || policies != nil || peers != nil || peerKinds != nil }

  func validate() throws {
    if full, shapesSweep {
      throw ValidationError("--full can't be combined with --pods, --policies, --peers or --peer-kinds")
    }
    if !input.files.isEmpty, full || shapesSweep || plot != nil {
      throw ValidationError(
        "-f can't be combined with --pods, --policies, --peers, --peer-kinds, --full or --plot, which are for the sweep"
      )
    }
  }

  func run() throws {
    try input.files.isEmpty ? runSweep() : runPolicies()
  }

  private func runSweep() throws {
    let sweep = sweep
    let folder = try plot.map { try PlotFolder($0) }
    try enterNamespaces()
    Terminal.say("note: \(SweepPlan(sweep).text); Ctrl-C ends it early with a report")
    let report = try interruptible { progress, stop in
      try PacketBench(sweep).run(version: version, progress: progress, stop: stop)
    }
    let document = report.document
    try format.show(document)
    try folder?.write(DocumentPictures(document).files)
  }

  private func runPolicies() throws {
    let bench = try PolicyBench(
      try input.reading().cluster, families: chosenFamilies ?? IPFamily.allCases, styles: compared.chosen,
      rounds: rounds.value)
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try bench.run(version: version, progress: progress, stop: stop)
    }
    try format.show(report.document)
  }

  private var sweep: PacketSweep {
    var sweep = full ? PacketSweep.full : PacketSweep.usual
    if shapesSweep {
      sweep = PacketSweep.product(
        pods: pods?.elements.map(\.value) ?? [1000], policies: policies?.elements.map(\.value) ?? [],
        peers: peers?.elements.map(\.value) ?? [20], kinds: peerKinds?.elements ?? [.pods])
    }
    sweep = sweep.over(chosenFamilies ?? [.v4])
    sweep.styles = compared.chosen
    sweep.rounds = rounds.value
    return sweep
  }

  private var chosenFamilies: [IPFamily]? { families.map { Set($0.elements).sorted() } }
}
