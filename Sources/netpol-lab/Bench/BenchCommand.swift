import ArgumentParser
import Bench
import Documents
import Glibc
import Lowering
import Report
import StandingLab

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract:
      "Measure what rules cost: per packet, per match, per full apply or update, and per verdict of the engines.",
    discussion: """
      Without a subcommand it measures what rules cost a packet in each style. Variants are interleaved in one run, and no \
      winner is named where intervals overlap.
      """,
    subcommands: [
      PacketBenchCommand.self, MicroBenchCommand.self, ServiceBenchCommand.self, ApplyBenchCommand.self,
      EngineBenchCommand.self,
    ],
    defaultSubcommand: PacketBenchCommand.self)
}

/// How a benchmark is reported.
struct BenchOutput: ParsableArguments {
  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json, csv }

  @Option(name: .shortAndLong, help: "Report format.")
  var output = Format.text

  func show(_ document: Document) throws {
    switch output {
    case .text: try ReportFormat.text.print(document)
    case .json: try ReportFormat.json.print(document)
    case .csv: try Terminal.print(document.csv)
    }
  }
}

/// The styles that a benchmark compares.
struct ComparedStyles: ParsableArguments {
  @Option(help: "Styles to compare, comma-separated. Ratios are relative to the last one. Default: all.")
  var styles: CommaList<EnforcementStyle>?

  var chosen: [EnforcementStyle] { styles?.elements ?? EnforcementStyle.all }
}

/// How often a benchmark of packets measures everything.
struct BenchRounds: Bounded {
  static let range = 10...100_000
  let value: Int
}

/// Runs a benchmark that Ctrl-C ends early, with a report of what is measured by then. If that is nothing, the process
/// ends as Ctrl-C would end it.
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
