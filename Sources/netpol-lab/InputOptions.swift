import ArgumentParser
import Foundation
import Lowering
import Manifests
import NetpolModel

/// What every command that reads manifests takes.
struct InputOptions: ParsableArguments {
  @Option(
    name: [.customShort("f"), .customLong("filename")],
    help: "A manifest, a directory of them, or - for standard input.")
  var files: [String] = []

  @Option(help: "How policies are enforced: \(EnforcementStyle.all.map(\.name).joined(separator: ", ")).")
  var style = EnforcementStyle.all[0].name

  @Option(help: "How many pods stand for a workload at the most.")
  var maxReplicas = 2

  @Flag(help: "Take objects as a cluster holds them, without the API server's validation.")
  var asStored = false

  func enforcementStyle() throws -> EnforcementStyle { try EnforcementStyle(argument: style) }

  /// What the files say. Notes go to standard error.
  func reading() throws -> ManifestReading {
    if files.isEmpty {
      throw InputError("-f is missing: name a manifest, a directory of them, or - for standard input")
    }
    let clock = ContinuousClock()
    let begin = clock.now
    var options = ReadOptions()
    guard (1...1000).contains(maxReplicas) else {
      throw InputError("--max-replicas \(maxReplicas): write a number from 1 to 1000")
    }
    options.maxReplicas = maxReplicas
    options.stylesWithDefaultDeny = EnforcementStyle.all.filter(\.knowsDefaultDeny).map(\.name)
    options.validation = asStored ? .asStored : .apiServer
    let reading = try readManifests(try ManifestFiles.read(files), options: options)
    let tenths = Int(((clock.now - begin) / .milliseconds(100)).rounded())
    for note in reading.notes { Terminal.say("\(note.severity == .warning ? "warning" : "note"): \(note.text)") }
    let count = reading.objectCount
    Terminal.say("note: \(count) object\(count == 1 ? "" : "s") read in \(tenths / 10).\(tenths % 10) s")
    return reading
  }
}
