import ArgumentParser
import Bench
import Foundation
import Lowering
import Manifests
import NetpolModel
import Report
import StandingLab

/// What the sweep goes over.
struct PacketBenchOptions: ParsableArguments {
  @Option(help: "Numbers of pods on the node, with commas.")
  var pods: String?

  @Option(help: "Numbers of policies, with commas; by default as many as pods.")
  var policies: String?

  @Option(help: "Numbers of peers of a policy, with commas.")
  var peers: String?

  @Option(help: "What peers are, with commas: \(BenchWorld.PeerKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var peerKinds: String?

  @Option(
    name: [.long, .customLong("family")],
    help: "Address families, with commas: ipv4, ipv6. Of the sweep IPv4 by default, of -f all that the cluster has.")
  var families: String?

  @Option(help: "Styles to compare, with commas; all by default. Ratios are to the last one.")
  var styles: String?

  @Option(help: "How often everything is measured; 300 times by default, all rules in 9 rounds.")
  var rounds: Int?

  @Flag(help: "The full product of pods, policies, peers and their kinds. Takes hours; Ctrl-C ends it with a report.")
  var full = false

  @Option(help: "A directory for plots of cost over pods, as SVG.")
  var plot: String?

  func chosenStyles() throws -> [EnforcementStyle] {
    guard let styles else { return EnforcementStyle.all }
    return try styles.split(separator: ",").map { name in
      guard let style = EnforcementStyle.named(String(name)) else {
        throw InputError(
          "--styles \(styles): there is no style \(name); known: \(EnforcementStyle.all.map(\.name).joined(separator: ", "))"
        )
      }
      return style
    }
  }

  func checkedRounds() throws -> Int {
    let rounds = rounds ?? 300
    guard (10...100_000).contains(rounds) else {
      throw InputError("--rounds \(rounds): write a number from 10 to 100000")
    }
    return rounds
  }

  func sweep() throws -> PacketSweep {
    let isGiven = pods != nil || policies != nil || peers != nil || peerKinds != nil
    if full, isGiven { throw InputError("--full: goes without --pods, --policies, --peers and --peer-kinds") }
    var sweep = full ? PacketSweep.full : PacketSweep.usual
    if isGiven {
      sweep = PacketSweep.product(
        pods: try numbers(pods ?? "1000", "--pods", BenchWorld.podRange),
        policies: try numbers(policies ?? "", "--policies", BenchWorld.policyRange),
        peers: try numbers(peers ?? "20", "--peers", BenchWorld.peerRange), kinds: try kinds())
    }
    sweep = sweep.over(try chosenFamilies() ?? [.v4])
    sweep.styles = try chosenStyles()
    guard !sweep.styles.isEmpty else { throw InputError("--styles: name one at least") }
    guard !sweep.points.isEmpty else { throw InputError("--pods, --peers, --peer-kinds: name one of each at least") }
    sweep.rounds = try checkedRounds()
    return sweep
  }

  /// Nil: none is named.
  func chosenFamilies() throws -> [IPFamily]? {
    guard let families else { return nil }
    let chosen = try families.split(separator: ",").map { name in
      guard let family = IPFamily.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
        throw InputError("--families \(families): write ipv4, ipv6 or both with a comma")
      }
      return family
    }
    if chosen.isEmpty { throw InputError("--families: name one at least") }
    return Set(chosen).sorted()
  }

  private func numbers(_ text: String, _ option: String, _ range: ClosedRange<Int>) throws -> [Int] {
    try text.split(separator: ",").map { part in
      guard let number = Int(part), range.contains(number) else {
        throw InputError(
          "\(option) \(text): write numbers from \(range.lowerBound) to \(range.upperBound), with commas")
      }
      return number
    }
  }

  private func kinds() throws -> [BenchWorld.PeerKind] {
    try (peerKinds ?? "pods").split(separator: ",").map { name in
      guard let kind = BenchWorld.PeerKind(rawValue: String(name)) else {
        throw InputError("--peer-kinds \(name): write pods or blocks")
      }
      return kind
    }
  }
}

extension BenchCommand {
  func runPackets() throws {
    if !input.files.isEmpty { return try runPolicies() }
    let sweep = try packets.sweep()
    try enterNamespaces()
    Terminal.say("note: \(SweepPlan(sweep).text); Ctrl-C ends it with what it has")
    let report = try interruptible { progress, stop in
      try PacketBench(sweep).run(version: version, progress: progress, stop: stop)
    }
    let document = report.document
    if let directory = packets.plot { try DocumentPictures(document).files.write(to: directory) }
    try show(document)
  }

  /// Runs a bench that Ctrl-C ends with what it has. Where that is nothing, the process ends as by Ctrl-C without this.
  func interruptible<Report>(
    _ body: (_ progress: (BenchProgress) -> Void, _ stop: () -> Bool) throws -> Report
  ) throws -> Report {
    Interruption.listen()
    defer { Terminal.progress("") }
    do {
      return try body({ Terminal.progress($0.text) }, { Interruption.isAsked })
    } catch let error as Interrupted {
      Terminal.progress("")
      Terminal.say(error.description)
      raise(SIGINT)
      throw error
    }
  }

  private func runPolicies() throws {
    let bench = try PolicyBench(
      try input.reading().cluster, families: try packets.chosenFamilies() ?? IPFamily.allCases,
      styles: try packets.chosenStyles(), rounds: try packets.checkedRounds())
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try bench.run(version: version, progress: progress, stop: stop)
    }
    try show(report.document)
  }
}

extension [(name: String, svg: String)] {
  fileprivate func write(to directory: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      for file in self {
        try Data(file.svg.utf8).write(to: URL(fileURLWithPath: directory).appendingPathComponent(file.name))
      }
    } catch {
      throw OutputError(description: "--plot \(directory): can't be written: \(error.localizedDescription)")
    }
  }
}
