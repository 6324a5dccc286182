// Not covered: what GitHub does with a log. Its limits are those of its documentation.
import Foundation
import Kernel
import NetpolModel
import TestSupport
import Testing

@testable import Documents

@Suite("SARIF") struct SARIFFormatTests {
  private func log(
    _ results: [Document.Result], _ limits: DocumentSARIF.Limits = .init(), _ places: FilePlaces = FilePlaces()
  ) throws -> Data {
    try DocumentSARIF(ResultsByHand.document(results), of: "lint", version: "1", places, limits: limits).data()
  }

  private func run(_ data: Data) throws -> [String: Any] {
    let log = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require((log["runs"] as? [[String: Any]])?.first)
  }

  private func results(_ data: Data) throws -> [[String: Any]] {
    try #require(try run(data)["results"] as? [[String: Any]])
  }

  /// What is said of what was left out.
  private func notes(_ data: Data) throws -> [String] {
    let invocation = try #require((try run(data)["invocations"] as? [[String: Any]])?.first)
    let notes = try #require(invocation["toolExecutionNotifications"] as? [[String: Any]])
    return notes.compactMap { ($0["message"] as? [String: Any])?["text"] as? String }
  }

  private func fingerprints(_ results: [Document.Result]) throws -> [String] {
    try self.results(log(results)).compactMap {
      ($0["partialFingerprints"] as? [String: String])?["netpolLab/v1"]
    }
  }

  private static let hostile = [
    ResultsByHand.found(.error, ResultsByHand.hostile, ResultsByHand.hostile, steps: 3),
    ResultsByHand.found(.note, at: SourceLocation(file: "/a b/ü:%.yaml", line: 0)),
    ResultsByHand.found(.warning, at: nil),
  ]

  @Test("a log has what the standard asks for and nothing else", arguments: [ResultsByHand.all, hostile, []])
  func shape(results: [Document.Result]) throws {
    let text = String(decoding: try log(results), as: UTF8.self)
    let own = try #require(SARIFSchema.own)
    #expect(own.problems(text) == [])
    #expect(!text.unicodeScalars.contains { $0 == "\u{202e}" || $0 == "\n" })
  }

  @Test("the check of a log's shape finds what is wrong") func check() throws {
    let own = try #require(SARIFSchema.own)
    let text = String(decoding: try log([ResultsByHand.found(.error)]), as: UTF8.self)
    for (right, wrong) in [
      (#""startLine":12"#, #""startLine":0"#), (#""level":"error""#, #""level":"fatal""#),
      (#""uri":"shop.yaml""#, #""uri":"a b""#), (#","ruleIndex":0"#, ""), (#""ruleId":"#, #""rule":"#),
    ] {
      #expect(text.contains(right))
      #expect(own.problems(text.replacing(right, with: wrong)) != [], "\(wrong)")
    }
  }

  @Test(
    "a log is valid by the schema that OASIS publishes",
    .enabled(if: SARIFSchema.published != nil, SARIFSchema.absent),
    arguments: [ResultsByHand.all, hostile, []])
  func published(results: [Document.Result]) throws {
    let schema = try #require(SARIFSchema.published)
    #expect(schema.problems(String(decoding: try log(results), as: UTF8.self)) == [])
  }

  @Test("a path is a percent-encoded URI, relative to the sources if it can be") func paths() throws {
    let files = ["a b/ü:#?.yaml", "/tmp/x.yaml", "/home/me/k.yaml"].map {
      ResultsByHand.found(.error, at: SourceLocation(file: $0, line: 3))
    }
    let artifacts = try results(log(files, .init(), FilePlaces(root: "/home/me"))).map { result in
      let place = (result["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any]
      return place?["artifactLocation"] as? [String: String]
    }
    #expect(
      artifacts == [
        ["uri": "a%20b/%C3%BC%3A%23%3F.yaml", "uriBaseId": "%SRCROOT%"], ["uri": "file:///tmp/x.yaml"],
        ["uri": "k.yaml", "uriBaseId": "%SRCROOT%"],
      ])
  }

  @Test("a message has no placeholders and no links") func messages() throws {
    let result = try #require(try results(log([ResultsByHand.found(.error, "a/{b,c}", "{0} [x](y)")])).first)
    #expect((result["message"] as? [String: String])?["text"] == "a/{{b,c}}: {{0}} [x] (y)")
  }

  @Test("a journey is a flow through lines, each within the one before") func journey() throws {
    let result = try #require(try results(log([ResultsByHand.found(.error, steps: 3)])).first)
    let flows = try #require((result["codeFlows"] as? [[String: Any]])?.first?["threadFlows"] as? [[String: Any]])
    let steps = try #require(flows.first?["locations"] as? [[String: Any]])
    #expect(steps.compactMap { $0["nestingLevel"] as? Int } == [0, 1, 2])
    #expect(
      steps.compactMap { (($0["location"] as? [String: Any])?["message"] as? [String: String])?["text"] } == [
        "step 0", "step 1", "step 2",
      ])
  }

  // MARK: - Fingerprints

  @Test("a fingerprint does not depend on lines and texts, and depends on rule, object and part") func fingerprint()
    throws
  {
    let here = ResultsByHand.found(.error, "shop/db", part: "rule 0", "one", at: SourceLocation(file: "a", line: 1))
    let there = ResultsByHand.found(.error, "shop/db", part: "rule 0", "two", at: SourceLocation(file: "b", line: 99))
    #expect(try fingerprints([here]) == fingerprints([there]))
    let others = [
      ResultsByHand.found(.error, "shop/web", part: "rule 0"), ResultsByHand.found(.error, "shop/db", part: "rule 1"),
      Document.Result(.init("NPL-803", "other"), .found(.error), in: "Lint", "shop/db", part: "rule 0"),
    ]
    #expect(Set(try fingerprints([here] + others)).count == 4)
  }

  @Test("equal results are numbered, and a more severe one changes no number") func equal() throws {
    let one = ResultsByHand.found(.warning)
    let marks = try fingerprints([one, one])
    #expect(marks.map { $0.suffix(2) } == [":1", ":2"] && marks[0].dropLast(2) == marks[1].dropLast(2))
    #expect(try fingerprints([one, one, ResultsByHand.found(.error, "shop/other")]).dropFirst() == marks[...])
  }

  // MARK: - Limits

  @Test("25,000 results are kept, the most severe ones, and a note says how many are not") func many() throws {
    let results = (0..<25_007).map { ResultsByHand.found($0 % 5000 == 4999 ? .error : .note, "shop/\($0)") }
    let data = try log(results)
    let kept = try self.results(data)
    #expect(kept.count == 25_000)
    #expect(kept.prefix(6).map { $0["level"] as? String } == Array(repeating: "error", count: 5) + ["note"])
    #expect(try notes(data).first?.hasPrefix("7 results left out, the least severe ones") == true)
    #expect(try notes(log([ResultsByHand.found(.note)])) == [])
  }

  @Test("a journey has at most 10,000 steps, and a note says so") func steps() throws {
    let data = try log([ResultsByHand.found(.error, steps: 10_001)])
    let flows = try #require(try results(data).first?["codeFlows"] as? [[String: Any]])
    let thread = try #require((flows.first?["threadFlows"] as? [[String: Any]])?.first)
    #expect((thread["locations"] as? [Any])?.count == 10_000)
    #expect(try notes(data) == ["1 result without the steps of the journey after the first 10,000"])
  }

  @Test("the limits are GitHub's") func limits() {
    let limits = DocumentSARIF.Limits()
    #expect(limits.results <= 25_000 && limits.steps <= 10_000 && limits.compressed <= 10 << 20)
  }

  /// Letters and digits without any order.
  private func noise(_ count: Int, _ seed: UInt64) -> String {
    var state = seed &* 2 + 1
    return String(
      decoding: (0..<count).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(ascii: "0") + UInt8((state >> 33) % 64)
      }, as: UTF8.self
    ).replacing("\\", with: "x")
  }

  private func compressed(_ data: Data) async throws -> Int {
    let result = try await Program.start(["gzip", "-c"], String(decoding: data, as: UTF8.self))
    return try result.requireSuccess().stdout.count
  }

  @Test("a log that gzip can't make small enough loses results, no more than needed") func size() async throws {
    let results = (0..<600).map { ResultsByHand.found(.error, "shop/\($0)", noise(2000, UInt64($0))) }
    var limits = DocumentSARIF.Limits()
    limits.compressed = 300_000
    let data = try log(results, limits)
    let size = try await compressed(data)
    #expect(size <= limits.compressed && size > limits.compressed / 2, "\(size)")
    #expect(try self.results(data).count + (notes(data).first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0) == 600)
    limits.compressed = 10
    #expect(try self.results(log(results, limits)).isEmpty)
  }

  @Test("a log has at most 10 MB after gzip") func tenMegabytes() async throws {
    let results = (0..<7000).map { ResultsByHand.found(.error, "shop/\($0)", noise(2000, UInt64($0))) }
    let data = try log(results)
    #expect(data.count > 10_000_000)
    let size = try await compressed(data)
    #expect(size <= 10_000_000 && size > 5_000_000, "\(size)")
    #expect(try self.results(data).count < 7000)
  }

  @Test("the estimated size is never below gzip's", arguments: 0..<6)
  func bound(kind: Int) async throws {
    let text: String =
      switch kind {
      case 0: noise(200_000, 7)
      case 1: String(repeating: "a", count: 300_000)
      case 2:
        String(decoding: try log((0..<300).map { ResultsByHand.found(.note, "shop/\($0)", steps: 9) }), as: UTF8.self)
      case 3: (0..<3000).map { "ü\($0 % 97) \(noise(20, UInt64($0)))" }.joined(separator: "\n")
      case 4: "abc"
      default: String(repeating: noise(40_000, 3), count: 4)
      }
    let size = DeflateBound.size(of: Array(text.utf8))
    let real = try await compressed(Data(text.utf8))
    #expect(size >= real && size <= max(3 * real, 100) + text.utf8.count / 50, "\(size) \(real)")
  }
}
