internal import Manifests
internal import Text

/// What the API says of a value that two writers may share.
struct MergeType: Sendable {
  /// How a list with another one is merged.
  enum Listing: Hashable, Sendable {
    case replaced
    /// Its values are a set.
    case values
    /// Its entries are told apart by the values of these fields.
    case entries([String])
  }

  /// `nil` where the schema knows nothing.
  let type: ValueType?
  /// In a strategic merge.
  let patched: Listing
  /// In a server-side apply.
  let applied: Listing
  /// Whether it has one owner in a server-side apply.
  let isAtomic: Bool
  /// Whether it is the object, so that its metadata is known if nothing else is.
  private let isRoot: Bool

  private init(_ type: ValueType?, tag: String, isRoot: Bool = false) {
    self.type = type
    self.isRoot = isRoot
    (patched, applied) = Self.listings[tag] ?? (.replaced, .replaced)
    isAtomic = atomicTags.contains(tag) || type?.name.map(atomicTags.contains) == true
  }

  /// That of a whole object.
  init(object type: ValueType?) { self.init(type, tag: "", isRoot: true) }

  /// A field of an object, or an entry of a map.
  func field(_ name: String) -> MergeType {
    guard let type else { return MergeType(isRoot && name == "metadata" ? Self.metadata : nil, tag: "") }
    return MergeType(type.field(name), tag: type.name.map { "\($0).\(name)" } ?? "")
  }

  /// An entry of a list.
  var element: MergeType { MergeType(type?.element, tag: "") }

  /// Whether a field is one that the schema names, and no key of a map.
  func names(_ field: String) -> Bool { type?.shape == .object && type?.field(field) != nil }

  private static let metadata = ValueType(kind: "Pod", apiVersion: "v1")?.field("metadata")

  static let listings = Dictionary(
    listTags.split(whereSeparator: \.isWhitespace).compactMap { word -> (String, (Listing, Listing))? in
      let sides = word.split(separator: "=")
      guard sides.count == 2, let place = sides.first, let keys = sides.last?.split(separator: "/"),
        let patched = keys.first, let applied = keys.last
      else { return nil }
      return (String(place), (Listing(patched), Listing(applied)))
    }, uniquingKeysWith: { first, _ in first })
}

extension MergeType.Listing {
  fileprivate init(_ tag: Substring) {
    self =
      switch tag {
      case "-": .replaced
      case "*": .values
      default: .entries(tag.split(separator: ",").map(String.init))
      }
  }
}
