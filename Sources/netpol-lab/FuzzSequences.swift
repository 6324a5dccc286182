import Fuzz
import Lowering
import Manifests
import NetpolModel
import Report
import Worlds

extension FuzzCommand {
  /// Reads the states of a cluster from a file. Throws `InputFileError` and `ManifestError`, and `InputError` if one lab
  /// can't have all of them.
  func sequence(_ path: String) throws -> ClusterSequence {
    let source = path == "-" ? try ManifestFiles.read([path]).sources[0] : try ManifestFiles.readFile(path)
    let states = try ClusterSequence.manifests(in: source.text).enumerated().map { index, text in
      try readManifests(
        [ManifestSource(name: "\(path), state \(index)", text: text)], options: ReadOptions(validation: .asStored)
      ).cluster
    }
    guard let sequence = ClusterSequence(states) else {
      throw InputError(
        "--replay \(path): nodes, external hosts, services, settings and pod addresses must be the same in all states")
    }
    return sequence
  }

  /// The finding, shrunk to few states and few objects. A replayed sequence stays as it is.
  func finding(
    _ result: WorldCheck.Result, _ sequence: ClusterSequence, _ seed: UInt64, _ style: EnforcementStyle,
    _ check: inout WorldCheck
  ) throws -> FuzzFinding {
    let kind = result.failures[0].kind
    var smallest = sequence.through(result.failedState)
    if replay == nil {
      smallest = smallest.shrunk(attempts: noKernel ? 1000 : 150) { smaller in
        check.mayGoOn() && check.check(smaller, style, seed: seed).failures.contains { $0.kind == kind }
      }
    }
    let again = replay == nil ? check.check(smallest, style, seed: seed) : result
    let shown = again.failures.first { $0.kind == kind }
    if shown == nil { smallest = sequence.through(result.failedState) }
    return FuzzFinding(
      seed: seed, style: style.name, failure: result.failures[0], of: result.failures.count,
      at: sequence.name(of: result.failedState),
      smallest: shown.map { "\(smallest.name(of: again.failedState)): \($0.text)" }, manifest: smallest.text)
  }
}
