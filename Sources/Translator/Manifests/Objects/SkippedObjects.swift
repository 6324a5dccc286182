internal import NetpolModel
internal import Text

/// Objects that are skipped. Other engines' policies are reported by name, the rest by number.
struct SkippedObjects {
  private var policies: [String: [String]] = [:]
  private var others: [String: Int] = [:]
  private var endpoints: [String] = []

  mutating func note(_ object: ManifestObject) {
    let name = (try? object.metadata?["name"]?.string()) ?? ""
    let namespace = (try? object.metadata?["namespace"]?.string()).map { "\($0)/" } ?? ""
    if object.kind.hasSuffix("NetworkPolicy") {
      policies["\(object.kind) (\(object.group))", default: []].append(namespace + name)
    } else if object.kind == "Endpoints", object.group.isEmpty {
      endpoints.append(namespace + name)
    } else {
      others[object.kind, default: 0] += 1
    }
  }

  /// Warnings, because other engines' policies act on the same packets.
  var warnings: [Note] {
    policies.sorted { $0.key < $1.key }.map { kind, names in
      Note(.warning, "\(kind) is not modelled: \(names.abridged(to: 5)); verdicts cover NetworkPolicy v1 only")
    }
  }

  var notes: [Note] {
    var notes: [Note] = []
    if !endpoints.isEmpty {
      notes.append(Note(.note, "Endpoints are ignored, only EndpointSlices are used: \(endpoints.abridged(to: 5))"))
    }
    guard !others.isEmpty else { return notes }
    let kinds = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
    let count = others.values.reduce(0, +)
    return notes + [Note(.note, "skipped \(counted(count, "object")) of other kinds: \(kinds.abridged(to: 8))")]
  }
}
