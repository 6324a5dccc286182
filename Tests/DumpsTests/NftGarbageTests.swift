import Dumps
import NetpolModel
import Rendering
import RuleIR
import Statistics
import Testing
import Worlds

@Suite("Damaged nft listings never crash the reader") struct NftGarbageTests {
  private static let pieces = [
    "\"", "\\", " ", "\n", "\r", "\t", "!=", ":", "/", ",", "-", "{", "}", "[", "]", "#", ";", "0",
    "99999999999999999999", "0x",
    "\u{301}", "é", "\u{0}", "😀", "\u{2028}", "::", "/129", "@", "\n}\n", " {\n", "\nchain C {\n",
    "\ntable ip t {\n",
    " elements = { ", " counter ", " meta mark set meta mark ", " & ", " ^ ", " | ", "\\u", "\\ud800", "null", "true",
    "{\"&\": [", "{\"set\": ", "{\"prefix\": {\"addr\": 0, \"len\": 99}}", "-1", "1e999", "10.0.0.1-10.0.0.0",
  ]

  private func damaged(_ text: String, _ generator: inout SplitMix64) -> String {
    // Drop a line, or the end.
    if Int.random(in: 0..<4, using: &generator) == 0 {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let at = Int.random(in: lines.indices, using: &generator)
      if Bool.random(using: &generator) { lines.remove(at: at) } else { lines.removeSubrange(at...) }
      return lines.joined(separator: "\n")
    }
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let at = Int.random(in: bytes.indices, using: &generator)
      let end = min(bytes.count, at + Int.random(in: 1...20, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: bytes[at..<end], at: at)
      case 2: bytes[at] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
      case 3: bytes.swapAt(at, end - 1)
      case 4: bytes.removeSubrange(at...)
      default: bytes.insert(contentsOf: (Self.pieces.randomElement(using: &generator) ?? "").utf8, at: at)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let fixtures = NftFixture.mixed + NftFixture.json.suffix(1) + NftFixture.golden.prefix(3)

  @Test("text and JSON", arguments: 0..<16) func listings(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    var errors = 0
    for _ in 0..<100 {
      let fixture = try #require(Self.fixtures.randomElement(using: &generator))
      let text = damaged(fixture.text, &generator)
      do throws(DumpError) {
        let read =
          fixture.path.hasSuffix(".json") ? try readNftJSON(text, file: "f") : try readNftList(text, file: "f")
        _ = try? nftText(Ruleset(backend: .nftables, tables: read.tables, sets: read.sets))
      } catch {
        errors += 1
        expectNamed(error, text)
      }
    }
    #expect(errors > 20)
  }

  @Test("a listing without any one of its lines") func lines() throws {
    for path in ["nft-json/mixed.nft", "golden/pod-selector-peer/v2.11.1-nft/ruleset.nft"] {
      let lines = try #require(NftFixture(path)).text.split(separator: "\n", omittingEmptySubsequences: false)
      for index in lines.indices {
        var rest = lines
        rest.remove(at: index)
        let text = rest.joined(separator: "\n")
        do throws(DumpError) { _ = try readNftList(text, file: "f") } catch { expectNamed(error, text) }
      }
    }
  }

  @Test("a listing cut anywhere except between two tables is an error") func cuts() throws {
    let fixture = try #require(NftFixture("nft-json/mixed.nft"))
    for length in stride(from: 0, to: fixture.text.utf8.count, by: 3) {
      let text = String(decoding: fixture.text.utf8.prefix(length), as: UTF8.self)
      let isWhole = text.isEmpty || text.hasSuffix("\n}\n") || text.hasSuffix("\n}")
      #expect(((try? readNftList(text, file: "f")) != nil) == isWhole)
    }
    let json = try #require(NftFixture("nft-json/mixed.json"))
    for length in stride(from: 0, to: json.text.utf8.count - 2, by: 61) {
      let text = String(decoding: json.text.utf8.prefix(length), as: UTF8.self)
      #expect(throws: DumpError.self) { try readNftJSON(text, file: "f") }
    }
  }

  @Test("text that is not a listing") func noise() {
    var generator = SplitMix64(seed: 7)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      _ = try? readNftList(text, file: "f")
      _ = try? readNftList("table ip t {\nchain C {\n\(text)\n}\n}", file: "f") { _ in true }
      _ = try? readNftList("table ip t {\nset C {\ntype ipv4_addr\nelements = { \(text) }\n}\n}", file: "f") { _ in true
      }
      _ = try? readNftJSON(text, file: "f")
      _ = try? readNftJSON("{\"nftables\": [\(text)]}", file: "f")
    }
  }

  /// The line in the error must exist, its text must be from that line, and the message must be one line.
  private func expectNamed(_ error: DumpError, _ text: String) {
    let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false)
    #expect((1...max(1, lines.count)).contains(error.line), "\(error)")
    #expect(error.text.utf8.count <= 310)
    #expect(!error.description.unicodeScalars.contains { $0.value < 32 || $0.value == 0x2028 })
    let shown = error.text.hasSuffix("…") ? String(error.text.dropLast()) : error.text
    let start =
      shown.utf8.split(separator: 10, omittingEmptySubsequences: false).first.map { String(Substring($0)) } ?? ""
    if lines.indices.contains(error.line - 1) {
      #expect(start.isEmpty || String(Substring(lines[error.line - 1])).contains(start), "\(error)")
    }
  }
}
