internal import NetpolModel
internal import Text

extension ManifestObject {
  /// Checks `spec.selector` of an apps/v1 workload or a ReplicationController against the labels of its template, with
  /// the API server's words. The schema reports a selector that is missing.
  func checkSelector(_ spec: Fields?, template labels: Labels) throws(ManifestError) {
    guard let field = spec?["selector"] else { return }
    let selector: LabelSelector
    switch kind {
    case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
      selector = try field.selector(.apiServer)
      if selector == .everything {
        throw field.error("is empty", "give the labels of the template as matchLabels")
      }
    case "ReplicationController": selector = LabelSelector(matchLabels: try field.labels(.apiServer))
    default: return
    }
    if selector.matches(labels) { return }
    let stated = try spec?["template"]?.fields()["metadata"]?.fields()["labels"]
    let wanted = selector.matchLabels.filter { labels[$0.key] != $0.value }.map { "\($0.key): \($0.value)" }.sorted()
    throw (stated ?? spec?["template"] ?? field).error(
      "`selector` does not match template `labels`",
      wanted.isEmpty ? "change the labels or the selector" : "give the template the label \(wanted.abridged())")
  }
}
