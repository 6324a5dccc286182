import Algorithms
import Manifests
import NetpolModel
import Run

extension ManifestReading {
  /// Returns the groups of expectations, each with its variant of the cluster. `claims` limits them to these claims or
  /// group names; if it is empty, all are returned. Throws `InputError` for an unknown claim.
  func groupsToCheck(_ claims: [String]) throws -> [GroupToCheck] {
    for wanted in claims where !expectations.contains(where: { $0.claim == wanted || $0.name == wanted }) {
      let known = expectations.map { $0.claim ?? $0.name }.uniqued().joined(separator: ", ")
      let hint = known.isEmpty ? "there are no Expectations documents" : "known: \(known)"
      throw InputError("--claim \(wanted): no such claim or group; \(hint)")
    }
    let wanted = expectations.filter { group in
      claims.isEmpty || claims.contains { $0 == group.claim || $0 == group.name }
    }
    return try wanted.map { group in
      let cluster = try variant(of: group)
      let other = try group.comparedWith.flatMap { name in expectations.first { $0.name == name } }.map {
        GroupToCheck.Reference(name: $0.name, cluster: try variant(of: $0))
      }
      let reference = other ?? (group.variant == nil ? nil : GroupToCheck.Reference(name: nil, cluster: self.cluster))
      return GroupToCheck(group, cluster: cluster, reference: reference)
    }
  }

  private func variant(of group: Expectations.Group) throws -> Cluster {
    try cluster(of: group) { path in
      do throws(ManifestFileError) { return try ManifestFiles.readFile(path) } catch { throw InputError(error.problem) }
    }
  }
}
