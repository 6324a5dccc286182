// Not covered: how selectors are read from manifests (ManifestTests).
import NetpolModel
import Testing

@Suite("Label selectors") struct SelectorTests {
  static let labels: [Labels] = [[:], ["a": "1"], ["a": "2"], ["b": "1"], ["a": "1", "b": "1"]]

  @Test("every operator behaves as in apimachinery's labels package, for all small label sets")
  func operators() {
    for labels in Self.labels {
      let value = labels["a"]
      let matches = { (op: LabelSelector.Operator, values: [String]) in
        LabelSelector.Expression(key: "a", operator: op, values: values).matches(labels)
      }
      #expect(matches(.in, ["1"]) == (value == "1"))
      #expect(matches(.in, ["1", "2"]) == (value != nil))
      #expect(matches(.notIn, ["1"]) == (value != "1"), "a missing key satisfies NotIn")
      #expect(matches(.exists, []) == (value != nil))
      #expect(matches(.doesNotExist, []) == (value == nil))
    }
  }

  @Test("an empty selector matches everything, and all requirements must hold")
  func conjunction() {
    for labels in Self.labels { #expect(LabelSelector.everything.matches(labels)) }
    let both = LabelSelector(matchLabels: ["a": "1"], matchExpressions: [.init(key: "b", operator: .exists)])
    #expect(Self.labels.filter(both.matches) == [["a": "1", "b": "1"]])
  }

  @Test("a range includes both ends, and is empty if it ends before it starts")
  func ranges() {
    #expect(PortRange(80, 90).contains(80) && PortRange(80, 90).contains(90))
    #expect(!PortRange(80, 90).contains(79) && !PortRange(80, 90).contains(91))
    #expect(!(0...UInt16.max).contains { PortRange(90, 80).contains($0) })
    #expect(PortRange(65535).contains(65535))
  }
}
