import Algorithms
import Foundation
import Manifests
import NetpolModel
import Run

extension ManifestReading {
  /// Returns the groups of expectations, each with its variant of the cluster. `claims` limits them to these claims or
  /// group names; if it is empty, all are returned. Files that a variant adds must be in the folder of their
  /// document, unless `allowingOutside`. Throws `InputError` for an unknown claim.
  func groupsToCheck(_ claims: [String], allowingOutside: Bool) throws -> [GroupToCheck] {
    for wanted in claims where !expectations.contains(where: { $0.claim == wanted || $0.name == wanted }) {
      let known = expectations.map { $0.claim ?? $0.name }.uniqued().joined(separator: ", ")
      let hint = known.isEmpty ? "there are no Expectations documents" : "known: \(known)"
      throw InputError("--claim \(wanted): no such claim or group; \(hint)")
    }
    let wanted = expectations.filter { group in
      claims.isEmpty || claims.contains { $0 == group.claim || $0 == group.name }
    }
    return try wanted.map { group in
      let cluster = try variant(of: group, allowingOutside)
      let other = try group.comparedWith.flatMap { name in expectations.first { $0.name == name } }.map {
        GroupToCheck.Reference(name: $0.name, cluster: try variant(of: $0, allowingOutside))
      }
      let reference = other ?? (group.variant == nil ? nil : GroupToCheck.Reference(name: nil, cluster: self.cluster))
      return GroupToCheck(group, cluster: cluster, reference: reference)
    }
  }

  private func variant(of group: Expectations.Group, _ allowingOutside: Bool) throws -> Cluster {
    let file = group.location?.file ?? "-"
    let folder = file == "-" ? "." : URL(fileURLWithPath: file).deletingLastPathComponent().path
    return try cluster(of: group) { path in
      do throws(InputFileError) {
        return try ManifestFiles.readFile(path, inside: allowingOutside ? nil : folder)
      } catch { throw InputError(error.problem) }
    }
  }
}
