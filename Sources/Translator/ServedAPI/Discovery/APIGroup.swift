internal import Text

/// A group of types, with its versions, the preferred one first.
struct APIGroup: Sendable {
  struct Version: Sendable {
    let name: String
    let types: [ResourceType]
  }

  /// Empty for the core group.
  let name: String
  let versions: [Version]

  var isCore: Bool { name.isEmpty }

  /// The groups of types, each where its first type is.
  static func groups(of types: [ResourceType]) -> [APIGroup] {
    var names: [String] = []
    for type in types where !names.contains(type.group) { names.append(type.group) }
    return names.map { name in
      let inGroup = types.filter { $0.group == name }
      let versions = Dictionary(grouping: inGroup, by: \.version)
        .map { Version(name: $0.key, types: $0.value) }
        .sorted { APIVersionOrder($0.name) < APIVersionOrder($1.name) }
      return APIGroup(name: name, versions: versions)
    }
  }

  /// `metav1.APIGroup`, as a list has it.
  var json: JSON {
    let versions = versions.map { version -> JSON in
      ["groupVersion": .string("\(name)/\(version.name)"), "version": .string(version.name)]
    }
    return ["name": .string(name), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
  }

  /// `apidiscovery.APIGroupDiscovery`.
  var discovery: JSON {
    [
      "metadata": isCore ? [:] : ["name": .string(name)],
      "versions": .array(
        versions.map { version in
          [
            "version": .string(version.name), "freshness": "Current",
            "resources": .array(version.types.map(\.discovery)),
          ]
        }),
    ]
  }
}

/// The order of a group's versions: `v2`, `v1`, `v1beta2`, `v1beta1`, `v1alpha1`, and then all other names by their
/// letters (apimachinery's `version.CompareKubeAwareVersionStrings`).
struct APIVersionOrder: Hashable, Comparable {
  /// How far the version is: `v1` before `v1beta1` before `v1alpha1` before others.
  private let stage: Int
  private let major: Int
  private let minor: Int
  private let name: String

  init(_ name: String) {
    self.name = name
    let rest = name.dropFirst()
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    let suffix = rest.dropFirst(digits.count)
    let stages = ["", "beta", "alpha"]
    let word = suffix.prefix { $0.isASCII && $0.isLetter }
    if name.first == "v", let major = Int(digits), let stage = stages.firstIndex(of: String(word)),
      let minor = suffix.isEmpty ? 0 : Int(suffix.dropFirst(word.count)), minor >= 0, suffix.isEmpty == word.isEmpty
    {
      (self.stage, self.major, self.minor) = (stage, major, minor)
    } else {
      (stage, major, minor) = (stages.count, 0, 0)
    }
  }

  static func < (a: Self, b: Self) -> Bool {
    if a.stage != b.stage { return a.stage < b.stage }
    if a.major != b.major { return a.major > b.major }
    if a.minor != b.minor { return a.minor > b.minor }
    return a.name < b.name
  }
}
