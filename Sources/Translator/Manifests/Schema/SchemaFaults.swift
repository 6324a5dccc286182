internal import NetpolModel
internal import Text

/// The faults that are told and otherwise ignored, counted by the field that has them.
struct SchemaFaults {
  enum Kind: CaseIterable {
    case unserved, unknown, mismatched, unsupported, missing

    /// The beginning of the warning.
    fileprivate var title: String {
      switch self {
      case .unserved: "API versions that API servers no longer serve"
      case .unknown: "unknown fields are ignored"
      case .mismatched: "values of a wrong type"
      case .unsupported: "values that API servers do not support"
      case .missing: "required fields are missing"
      }
    }
  }

  private struct Group {
    var count = 0
    let first: ManifestError
  }

  private var groups: [Kind: [String: Group]] = [:]

  /// Counts a fault. `field` names its field without the numbers of list entries: `Pod spec.containers[].port`.
  mutating func note(_ kind: Kind, _ field: String, _ fault: ManifestError) {
    groups[kind, default: [:]][field, default: Group(first: fault)].count += 1
  }

  /// Counts a fault like one that was noted before. `false` if there is none.
  mutating func countAgain(_ kind: Kind, _ field: String) -> Bool {
    guard groups[kind]?[field] != nil else { return false }
    groups[kind]?[field]?.count += 1
    return true
  }

  /// Adds the faults of another object.
  mutating func add(_ other: SchemaFaults) {
    for (kind, fields) in other.groups {
      for (field, group) in fields {
        groups[kind, default: [:]][field, default: Group(first: group.first)].count += group.count
      }
    }
  }

  /// One line for each kind of fault.
  var warnings: [Note] {
    Kind.allCases.compactMap { kind in
      guard let fields = groups[kind] else { return nil }
      let texts = fields.sorted { $0.key < $1.key }.map { field, group in
        let detail =
          switch kind {
          case .mismatched, .unsupported: ": \(group.first.problem)"
          case .unknown: group.first.guess.map { ", \($0)" } ?? ""
          case .unserved, .missing: ""
          }
        let place = group.first.location.map { "\($0)" } ?? ""
        return "\(field)\(detail) (\(place)\(group.count > 1 ? " and \(group.count - 1) more" : ""))"
      }
      return Note(.warning, "\(kind.title): \(texts.abridged(to: 5))")
    }
  }
}

extension ManifestError {
  /// The remedy, if it is the name that was probably meant.
  fileprivate var guess: String? { remedy.flatMap { $0.hasPrefix("did you mean") ? $0 : nil } }
}
