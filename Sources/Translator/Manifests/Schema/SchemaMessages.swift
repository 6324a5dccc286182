internal import NetpolModel
internal import Text
internal import Yams

extension Field {
  /// The error for a field that its object's type doesn't have. `hint` is where the field belongs, if anywhere.
  func unknown(_ name: String, _ type: APISchema.ObjectType, hint: String?) -> ManifestError {
    if name.hasPrefix("$") { return error("unknown field", "a patch holds it: \(String.patchRemedy)") }
    let known = type.fields.keys.sorted()
    if let near = name.nearest(of: known) ?? name.beginning(of: known) {
      return error("unknown field", "did you mean \(near)?")
    }
    if let hint { return error("unknown field", "did you mean \(hint)?") }
    return error(
      "unknown field",
      known.count <= 12
        ? "known here: \(known.joined(separator: ", "))" : "remove it, or check its name and indentation"
    )
  }

  /// The error for a value that does not have the type.
  func mismatch(_ type: APISchema.FieldType) -> ManifestError {
    do throws(ManifestError) {
      switch type {
      case .string: _ = try string()
      case .integer: _ = try integer()
      case .boolean: _ = try bool()
      case .time: throw try timeError()
      case .quantity: throw try quantityError()
      case .list: _ = try list()
      case .map, .object: _ = try fields()
      case .any: throw mismatch("a string or an integer")
      }
    } catch { return error }
    return error("has a wrong type")
  }

  /// The error for an object with more values than its source has bytes.
  var tooManyValues: ManifestError { error("too many values, because of aliases", "write the aliases out") }

  /// The error for a text that the field may not have.
  func unsupported(_ text: String, _ values: [String]) -> ManifestError {
    error("\(text.quoted) is not supported", "write \(values.alternatives)")
  }

  private func timeError() throws(ManifestError) -> ManifestError {
    error("\(try string().quoted) is not a time", "write one such as 2026-01-31T12:00:00Z")
  }

  private func quantityError() throws(ManifestError) -> ManifestError {
    guard case .string(let text) = scalar else { return mismatch("a quantity", "write one such as 100m or 1Gi") }
    return error("\(text.quoted) is not a quantity", "write one such as 100m or 1Gi")
  }
}

extension String {
  /// The only one of the words that begins with this one, if it is long enough to tell.
  fileprivate func beginning(of words: [String]) -> String? {
    let longer = words.filter { $0.lowercased().hasPrefix(lowercased()) }
    return utf8.count >= 5 && longer.count == 1 ? longer[0] : nil
  }

  static let patchRemedy = "run kubectl kustomize FOLDER | netpol-lab run -f -"

  /// What to do if the required field of this name is missing.
  var remedyIfMissing: String {
    switch self {
    case "containers": "give at least one container"
    case "selector":
      "give the labels of the template as matchLabels; or, if this is a patch for kustomize, \(Self.patchRemedy)"
    case "template": "give the template of the pods"
    case "spec": "give one, with its containers"
    case "name": "give it a name"
    default: "the API server requires it"
    }
  }
}

extension Scalar {
  /// Whether a field of the type may have this value. Null counts as absent.
  func fits(_ type: APISchema.FieldType) -> Bool {
    switch (type, self) {
    case (_, .null), (.string, .string), (.boolean, .bool), (.integer, .integer): true
    case (.any, .string), (.any, .integer): true
    case (.integer, .decimal(let value)), (.any, .decimal(let value)): Int(exactly: value) != nil
    case (.time, .string(let text)): ScalarSyntax.isTime(text)
    case (.quantity, .string(let text)): ScalarSyntax.isQuantity(text)
    case (.quantity, .integer), (.quantity, .decimal): true
    default: false
    }
  }
}

extension Yams.Node.Scalar {
  /// Whether the key is `<<`, which merges mappings, or reads as a boolean.
  var isMergeOrBoolean: Bool {
    guard style == .plain, string.utf8.count <= 5 else { return false }
    if string == "<<" { return true }
    if case .bool = Scalar(plain: string) { return true }
    return false
  }
}
