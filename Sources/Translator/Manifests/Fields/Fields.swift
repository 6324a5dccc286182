internal import NetpolModel
internal import Text
internal import Yams

/// The fields of one mapping, in file order.
struct Fields: Sequence {
  let mapping: Field
  private var entries: [(name: String, field: Field)] = []

  /// Null gives no fields, because Go decodes null into an empty struct.
  init(_ field: Field) throws(ManifestError) {
    mapping = field
    if field.isNull { return }
    var merges = 0
    try read(field, merged: false, merges: &merges)
  }

  /// YAML 1.1 merge keys: the mapping's own fields win, then those of the first merged mapping.
  private mutating func read(_ field: Field, merged: Bool, merges: inout Int) throws(ManifestError) {
    guard case .mapping(let mapping) = field.node else { throw field.mismatch("a mapping") }
    var bases: [Field] = []
    entries.reserveCapacity(mapping.count)
    for (key, value) in mapping {
      guard case .scalar(let name) = key else {
        throw Field(key, path: field.path, subject: field.subject).error(
          "a key can't be a list or a mapping", "use a name")
      }
      let child = Field(
        value, path: field.path.isEmpty ? name.string : "\(field.path).\(name.string)", subject: field.subject,
        keyLine: key.mark?.line ?? field.line)
      // kubectl sends the key y as "true". Only the style decides here, because Yams tags every key as a string when it
      // compares keys.
      if name.style == .plain, name.string.utf8.count <= 5, case .bool = Scalar(plain: name.string) {
        throw child.error("the key reads as a boolean", "write \(name.string.quoted) with the quotes")
      }
      if name.string == "<<", name.style == .plain {
        if case .sequence = value { bases += try child.list() } else { bases.append(child) }
      } else if !merged || !entries.contains(where: { $0.name == name.string }) {
        entries.append((name.string, child))
      }
    }
    for base in bases {
      merges += 1
      guard merges <= 100 else { throw base.error("more than 100 merges in one mapping", "write the fields out") }
      try read(base, merged: true, merges: &merges)
    }
  }

  /// `nil` if the field is missing or null.
  subscript(name: String) -> Field? {
    guard let field = entries.first(where: { $0.name == name })?.field, !field.isNull else { return nil }
    return field
  }

  /// `nil` also for an empty text, where the API server takes it for a missing one.
  func nonEmpty(_ name: String) -> Field? { self[name].flatMap { $0.scalar == .string("") ? nil : $0 } }

  func makeIterator() -> [(name: String, field: Field)].Iterator { entries.makeIterator() }
  var isEmpty: Bool { entries.isEmpty }

  func required(_ name: String, _ remedy: String) throws(ManifestError) -> Field {
    guard let field = self[name] else { throw missing(name, remedy) }
    return field
  }

  func missing(_ name: String, _ remedy: String) -> ManifestError {
    let path = mapping.path.isEmpty ? name : "\(mapping.path).\(name)"
    return Field(mapping.node, path: path, subject: mapping.subject, keyLine: mapping.line).error("is missing", remedy)
  }

  /// The error for the first unknown field, or `nil`. This is how a strict decoder sees the mapping.
  func unknownField(besides known: [String]) -> ManifestError? {
    guard let stranger = entries.first(where: { !known.contains($0.name) }) else { return nil }
    let near = stranger.name.nearest(of: known)
    return stranger.field.error(
      "unknown field", near.map { "did you mean \($0)?" } ?? "known here: \(known.joined(separator: ", "))")
  }

  func closed(to known: [String]) throws(ManifestError) {
    if let error = unknownField(besides: known) { throw error }
  }
}

extension String {
  /// The nearest of the words (Levenshtein), if it differs only in case, or by at most two edits.
  func nearest(of words: [String]) -> String? {
    let distances = words.map { (word: $0, edits: edits(to: $0)) }.filter {
      $0.edits <= Swift.min(2, $0.word.count / 2)
    }
    return distances.min { $0.edits < $1.edits }?.word
  }

  /// The number of edits that make this word another, or 3 if there are more than two. Case doesn't count.
  private func edits(to other: String) -> Int {
    let a = Array(lowercased().utf8.prefix(40))
    let b = Array(other.lowercased().utf8)
    guard abs(a.count - b.count) <= 2 else { return 3 }
    var row = Array(0...b.count)
    for (i, byte) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substitution = diagonal + (byte == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(substitution, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
