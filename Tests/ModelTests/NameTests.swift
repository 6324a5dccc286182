import NetpolModel
import Testing

@Suite struct NameTests {
  @Test func namesOfPodsAndPoliciesArePrintedWithTheirNamespace() {
    #expect(PodID("shop", "web").description == "shop/web")
    #expect(PolicyID("shop", "web").description == "shop/web")
  }

  @Test func namesSortByNamespaceThenByName() {
    let names = [("b", "a"), ("a", "b"), ("a", "a")]
    let sorted = ["a/a", "a/b", "b/a"]
    #expect(names.map { PodID($0, $1) }.sorted().map(\.description) == sorted)
    #expect(names.map { PolicyID($0, $1) }.sorted().map(\.description) == sorted)
  }

  @Test func aPolicyIsANetworkPolicyByDefault() {
    let id = PolicyID(NamespacedName("shop", "web"))
    #expect(id.kind == .networkPolicy)
    #expect(id.kind.rawValue == "NetworkPolicy")
    #expect(id == PolicyID("shop", "web", kind: .networkPolicy))
  }
}
