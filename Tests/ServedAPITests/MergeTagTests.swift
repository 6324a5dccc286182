// Not covered: whether the tags are those of the API's newest release.
import Manifests
import Testing

@testable import ServedAPI

@Suite("The tags of lists and objects") struct MergeTagTests {
  /// Each list of the schema, as `Type.field`, and the names of all types.
  static let schema: (lists: [String: ValueType], names: Set<String>) = {
    var lists: [String: ValueType] = [:]
    var names: Set<String> = []
    var rest = ResourceType.builtIn.compactMap { ValueType(kind: $0.kind, apiVersion: $0.apiVersion) }
    while let type = rest.popLast() {
      if let element = type.element ?? (type.shape == .map ? type.field("") : nil) { rest.append(element) }
      guard let name = type.name, names.insert(name).inserted else { continue }
      for field in type.fieldNames {
        guard let inner = type.field(field) else { continue }
        rest.append(inner)
        if let element = inner.element { lists["\(name).\(field)"] = element }
        if inner.shape == .map { names.insert("\(name).\(field)") }
      }
    }
    return (lists, names)
  }()

  @Test("every tag names a list of the schema, and fields that its entries have") func listTags() throws {
    #expect(MergeType.listings.count > 50)
    for (place, listings) in MergeType.listings {
      let element = try #require(Self.schema.lists[place], "\(place)")
      for listing in [listings.0, listings.1] {
        switch listing {
        case .replaced: break
        case .values: #expect(element.shape.isScalar, "\(place)")
        case .entries(let keys): #expect(keys.allSatisfy { element.field($0) != nil }, "\(place)")
        }
      }
    }
  }

  @Test("every type and map with one owner is in the schema") func atomicTypes() {
    #expect(atomicTags.subtracting(Self.schema.names).isEmpty)
  }
}
