internal import NetpolModel
internal import Text

/// Reads `apiVersion: netpol-lab/v1alpha1, kind: Expectations`. Collects the groups of all such documents, in input
/// order.
struct ExpectationsReader {
  private(set) var groups: [Expectations.Group] = []
  /// The names used in each group, by group name.
  private(set) var names: [String: [NameUse]] = [:]
  private var comparisons: [Stated<String>] = []
  private var flowCount = 0

  /// The most flows that a lab could answer. Without a limit, a few lines with lists could make billions.
  static let flowLimit = 100_000

  mutating func read(_ object: ManifestObject) throws(ManifestError) {
    let root = object.root
    try root.closed(to: ["apiVersion", "kind", "metadata", "groups"])
    let field = try root.required("groups", "give at least one group")
    let list = try field.list()
    if list.isEmpty { throw field.error("is empty", "give at least one group") }
    for entry in list { try readGroup(entry) }
  }

  private mutating func readGroup(_ entry: Field) throws(ManifestError) {
    let fields = try entry.fields()
    try fields.closed(to: [
      "name", "claim", "says", "without", "add", "labels", "cluster", "comparedWith", "flows",
    ])
    let nameField = try fields.required("name", "give the group a name")
    let name = try nameField.string()
    if name.isEmpty { throw nameField.error("is empty", "give the group a name") }
    if names[name] != nil { throw nameField.error("a second group \(name.quoted)", "give it a different name") }
    var uses: [NameUse] = []
    var group = Expectations.Group(name: name, location: entry.location)
    group.claim = try fields["claim"]?.string()
    group.says = try fields["says"]?.string()
    group.variant = try Expectations.Variant(fields, &uses)
    if let field = fields["comparedWith"] {
      let other = try field.string()
      if other == name { throw field.error("the group is compared with itself", "name another group") }
      group.comparedWith = other
      comparisons.append(Stated(other, field))
    }
    for flow in try fields["flows"]?.list() ?? [] {
      group.flows += try FlowReader(flow, limit: Self.flowLimit - flowCount - group.flows.count, &uses).flows
    }
    flowCount += group.flows.count
    names[name] = uses
    groups.append(group)
  }

  /// Checks that the groups in `comparedWith` exist. Call it after all documents have been read.
  func checkComparisons() throws(ManifestError) {
    for comparison in comparisons where names[comparison.value] == nil {
      throw comparison.field.error(
        "there is no group \(comparison.value.quoted)", "name one of \(groups.map(\.name.quoted).abridged(to: 8))")
    }
  }
}
