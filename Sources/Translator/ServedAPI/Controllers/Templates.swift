internal import Text

/// The template that a StatefulSet's or DaemonSet's pods should be of, and the end of the label that says so.
struct TemplateRevision: Hashable, Sendable {
  let hash: String
  let label: String
}

extension JSON {
  static let hashLabel = "pod-template-hash"
  static let revisionLabel = "controller-revision-hash"

  /// Whether pods of both templates are the same, whatever their hashes are.
  func isSameTemplate(as other: JSON) -> Bool { comparableTemplate == other.comparableTemplate }

  private var comparableTemplate: JSON {
    var template = self
    if template["metadata"]?["labels"]?[Self.hashLabel] != nil {
      template[["metadata", "labels", Self.hashLabel]] = nil
    }
    template["metadata"]?["creationTimestamp"] = nil
    for field in ["labels", "annotations"] where template["metadata"]?[field]?.fields.isEmpty == true {
      template["metadata"]?[field] = nil
    }
    if template["metadata"]?.fields.isEmpty == true { template["metadata"] = nil }
    return template
  }

  /// FNV-1a of the text, in the letters of generated names.
  func templateHash(_ collision: Int = 0) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(truncatingIfNeeded: collision)
    for byte in comparableTemplate.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let letters = Array("bcdfghjklmnpqrstvwxz2456789")
    var text = ""
    for _ in 0..<10 {
      text.append(letters[Int(hash % UInt64(letters.count))])
      hash /= UInt64(letters.count)
    }
    return text
  }
}

extension ServedCluster {
  /// What the pods of a workload's present template have as their revision. `known`: what the input says that they have.
  mutating func revision(of workload: Workload, known: String?) -> String {
    let hash = workload.template.templateHash()
    if let before = controllers.revisions[workload.uid] {
      if before.hash == hash { return before.label }
    } else if let known {
      controllers.revisions[workload.uid] = TemplateRevision(hash: hash, label: known)
      return known
    }
    controllers.revisions[workload.uid] = TemplateRevision(hash: hash, label: hash)
    return hash
  }
}
