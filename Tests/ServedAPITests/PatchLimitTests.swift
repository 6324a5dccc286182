// Not covered: how long the largest requests take in a release build.
import Manifests
import ServedAPI
import Testing
import Text

@Suite("Large and deep patches") struct PatchLimitTests {
  static func object(_ innermost: JSON) -> JSON {
    ["apiVersion": "v1", "spec": (0..<998).reduce(innermost) { inner, _ in ["a": inner] }]
  }

  @Test("values that lie in each other a thousand times are merged, applied and owned") func depth() throws {
    let (old, new) = (Self.object(["x": 1]), Self.object(["y": 2]))
    let both = Self.object(["x": 1, "y": 2])
    #expect(old.merging(new) == both)
    #expect(try old.merging(strategicWithoutSchema: new) == both)
    var ownership = FieldOwnership()
    let first = try ownership.apply(old, by: "a", force: false, to: nil, as: nil)
    let second = try ownership.apply(new, by: "b", force: false, to: first, as: nil)
    #expect(second == both)
    ownership.update(from: second, to: Self.object(["x": 3, "y": 2]), by: "c", as: nil)
    let read = FieldOwnership(managedFields: ownership.managedFields(at: ""))
    #expect(read?.shares.mapValues(\.fields) == ownership.shares.mapValues(\.fields))
    #expect(read?.fields(of: .init("c", .update(apiVersion: "v1"))).paths.map { $0.hasSuffix(".a.x") } == [true])
    #expect(read?.fields(of: .init("a", .apply)).paths.contains { $0.hasSuffix(".x") } == false)
  }

  @Test("a list of 5,000 entries is merged in a time that grows with it, not with its square") func width() throws {
    let entries = { (image: String) in
      JSON.array((0..<5_000).map { ["name": .string("c\($0)"), "image": .string(image)] })
    }
    let pod = { (image: String) -> JSON in ["apiVersion": "v1", "spec": ["containers": entries(image)]] }
    let type = try ValueType.of("Pod")
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try pod("x").merging(strategic: pod("y"), as: type) == pod("y"))
    var ownership = FieldOwnership()
    let first = try ownership.apply(pod("x"), by: "a", force: false, to: nil, as: type)
    #expect(try ownership.apply(pod("y"), by: "b", force: true, to: first, as: type) == pod("y"))
    #expect(clock.now - start < .seconds(20))
  }
}
