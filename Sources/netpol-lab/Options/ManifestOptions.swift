import ArgumentParser
import Foundation
import Lowering
import Manifests
import NetpolModel

/// Options of every command that reads manifests.
struct ManifestOptions: ParsableArguments {
  struct Replicas: Bounded {
    static let range = 1...1000
    let value: Int
  }

  @Option(
    name: [.customShort("f"), .customLong("filename")],
    help: ArgumentHelp(
      "A manifest, a directory of manifests, or - for standard input. Can be repeated.", valueName: "path"))
  var files: [String] = []

  @Option(help: Replicas.help("Maximum pods created per workload. A DaemonSet always gets one pod per node."))
  var maxReplicas = Replicas(value: 2)

  @Flag(help: "Accept objects that today's API server would reject, such as those dumped from a cluster.")
  var asStored = false

  /// Reads the files. Notes go to standard error. Throws `InputFileError`, `ManifestError`, or `ValidationError` if
  /// there are no files.
  /// `standsIn`: if there are policies but no pods, stand-in pods are made.
  func reading(standsIn: Bool = false) throws -> ManifestReading { try readingAndSources(standsIn: standsIn).reading }

  /// The texts of the files as they are now. Throws as `reading` does.
  func sourcesAgain() throws -> [ManifestSource] {
    let contents = try ManifestFiles.read(files)
    var options = ReadOptions()
    options.validation = asStored ? .asStored : .apiServer
    _ = try readManifests(contents.sources, options: options)
    return contents.sources
  }

  /// The same with the texts that were read. `replicas`: in the place of `--max-replicas`.
  func readingAndSources(
    standsIn: Bool = false, replicas: Int? = nil
  ) throws -> (reading: ManifestReading, sources: [ManifestSource]) {
    if files.isEmpty {
      throw ValidationError("-f is missing: name a manifest, a directory of manifests, or - for standard input")
    }
    let clock = ContinuousClock()
    let begin = clock.now
    var options = ReadOptions()
    options.maxReplicas = replicas ?? maxReplicas.value
    options.stylesWithDefaultDeny = EnforcementStyle.all.filter(\.knowsDefaultDeny).map(\.name)
    options.validation = asStored ? .asStored : .apiServer
    options.standsIn = standsIn
    let contents = try ManifestFiles.read(files)
    var reading = try readManifests(contents.sources, options: options)
    if reading.objectCount == 0 { throw InputError("\(files.joined(separator: ", ")): no objects; give at least one") }
    reading.notes += contents.foreign.notes
    // It may put objects without a namespace into another one.
    if contents.foreign.hasKustomization { reading.cluster.unseen.podsIn.insert("default") }
    let tenths = Int(((clock.now - begin) / .milliseconds(100)).rounded())
    for note in reading.notes { Terminal.say("\(note.severity == .warning ? "warning" : "note"): \(note.text)") }
    let count = reading.objectCount
    Terminal.say("note: \(count) object\(count == 1 ? "" : "s") read in \(tenths / 10).\(tenths % 10) s")
    return (reading, contents.sources)
  }
}

/// The style of a command that uses one.
struct StyleOption: ParsableArguments {
  @Option(help: "Enforcement style: the rules that policies become.")
  var style = EnforcementStyle.all[0]
}
