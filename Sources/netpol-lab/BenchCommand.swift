import ArgumentParser
import Report

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures what rules cost: a packet, a single match, a full apply, an update, and the engines.",
    discussion: """
      Without a flag: what a packet pays in each style, over a sweep of pods, policies and peers. Variants are interleaved \
      in one run, and no winner is named where the intervals overlap.
      """)

  @OptionGroup var input: InputOptions

  @Flag(help: "What a single rule, jump, lookup, mark, counter or comment costs.")
  var micro = false

  @Flag(help: "Full applies, single updates, new pods, and the kernel's memory.")
  var apply = false

  @Flag(help: "Verdicts a second of the evaluator and the oracle, without packets. Needs no root.")
  var engines = false

  @OptionGroup var packets: PacketBenchOptions
  @OptionGroup var applying: ApplyBenchArguments

  @OptionGroup var engineOptions: EngineBenchOptions

  @Option(name: .shortAndLong, help: "The report: text, json or csv.")
  var output = Format.text

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json, csv }

  func run() throws {
    guard [micro, apply, engines].count(where: { $0 }) <= 1 else {
      throw InputError("--micro, --apply, --engines: write one of them")
    }
    if packets.families != nil, micro || apply || engines {
      throw InputError("--families: goes without --micro, --apply and --engines")
    }
    if engines { return try runEngines() }
    if micro { return try runMicro() }
    if apply { return try runApply() }
    try runPackets()
  }

  func show(_ document: Document) throws {
    switch output {
    case .text: try Terminal.print(document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try document.json())
    case .csv: try Terminal.print(document.csv)
    }
  }
}
