import ArgumentParser
import Bench
import Documents
import Report

struct ServiceBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "services",
    abstract: "Measure what kube-proxy's modes cost the first packet to a Service, and how long their syncs take.",
    discussion: """
      Compares iptables and nftables mode in generated clusters of several sizes, by ClusterIP and by NodePort, side by \
      side in one run. Syncs come last, those of most Services at the end. With 10,000 Services each takes up to minutes; --syncs 0 leaves syncs out, and \
      Ctrl-C ends the run early with a report.
      """)

  struct Services: Bounded {
    static let range = ServiceWorld.serviceRange
    let value: Int
  }
  struct Endpoints: Bounded {
    static let range = ServiceWorld.endpointRange
    let value: Int
  }
  struct Syncs: Bounded {
    static let range = ServiceBenchOptions.syncRange
    let value: Int
  }

  @Option(help: Services.help("Numbers of Services, comma-separated."))
  var services = CommaList(ServiceBenchOptions().services.map { Services(value: $0) })

  @Option(help: Endpoints.help("Number of endpoints of each Service."))
  var endpoints = Endpoints(value: ServiceBenchOptions().endpoints)

  @Option(help: BenchRounds.help("Number of measurements of each kind of packet."))
  var rounds = BenchRounds(value: ServiceBenchOptions().rounds)

  @Option(help: Syncs.help("Number of syncs of each kind; 0 for none."))
  var syncs = Syncs(value: ServiceBenchOptions().syncs)

  @Option(help: "Seed of the order of measurements and of Services.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Write plots over the number of Services into this directory, as SVG.", valueName: "directory"))
  var plot: String?

  @OptionGroup var format: BenchOutput

  func validate() throws {
    let most = (services.elements.map(\.value).max() ?? 0) * endpoints.value
    if most > ServiceWorld.mostEndpoints {
      throw ValidationError(
        "--services and --endpoints make \(most) endpoints, but there are addresses for \(ServiceWorld.mostEndpoints)")
    }
  }

  func run() throws {
    var options = ServiceBenchOptions()
    (options.services, options.endpoints) = (services.elements.map(\.value), endpoints.value)
    (options.rounds, options.syncs, options.seed) = (rounds.value, syncs.value, seed)
    let folder = try plot.map { try PlotFolder($0) }
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try ServiceBench(options).run(version: version, progress: progress, stop: stop)
    }
    let document = report.document
    try format.show(document)
    try folder?.write(DocumentPictures(document).files)
  }
}
