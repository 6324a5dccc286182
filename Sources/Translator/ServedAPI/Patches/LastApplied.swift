internal import Manifests
internal import Text

/// The annotation in which `kubectl apply` keeps what it applied from the client's side.
private let annotation = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]

extension JSON {
  /// The fields that a client-side apply wrote and nobody has changed since. A server-side apply by kubectl may take them
  /// over (`pkg/util/managedfields/internal/lastappliedmanager.go`).
  func lastApplied(_ type: MergeType) -> FieldSet {
    guard let text = self[annotation]?.string, let applied = try? JSON(reading: text, named: "last-applied"),
      applied["apiVersion"] == self["apiVersion"]
    else { return FieldSet() }
    let changes = FieldChanges(from: applied, to: self, type)
    return FieldSet(of: applied, type, whole: false)
      .subtracting(changes.modified).subtracting(changes.added).subtracting(changes.removed)
  }

  /// Sets the annotation to what was applied, if the object has it, so that a later client-side apply knows it
  /// (`pkg/util/managedfields/internal/lastappliedupdater.go`).
  mutating func renewLastApplied(_ configuration: JSON) {
    guard self[annotation]?.string?.isEmpty == false else { return }
    var applied = configuration
    if applied[annotation] != nil { applied[annotation] = nil }
    self[annotation] = .string(applied.text + "\n")
  }
}
