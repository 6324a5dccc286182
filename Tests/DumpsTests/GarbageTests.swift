import Dumps
import NetpolModel
import Rendering
import RuleIR
import Statistics
import Testing
import Worlds

@Suite("Damaged dumps never crash the reader") struct GarbageTests {
  private static let pieces = [
    "\"", "\\", " ", "\n", "\r", "\t", "!", ":", "/", ",", "-", "*", "[", "]", "#", "0", "99999999999999999999", "0x",
    "\u{301}", "é", "\u{0}", "😀", "\u{2028}", " -m ", " -j ", " --dport ", "COMMIT", "\n-A ", "\n*nat\n", "\ncreate ",
    "::", "/129", "nomatch", "hash:net", "\u{200d}", "\r\n",
  ]

  /// Cuts, duplicates, swaps and inserts pieces. It works on scalars, so that combining marks can follow anything.
  private func damaged(_ text: String, _ generator: inout SplitMix64) -> String {
    var scalars = Array(text.unicodeScalars)
    let start = Int.random(in: 0...max(0, scalars.count - 1500), using: &generator)
    if Bool.random(using: &generator) { scalars = Array(scalars[start...].prefix(1500)) }
    for _ in 0..<Int.random(in: 1...6, using: &generator) where !scalars.isEmpty {
      let at = Int.random(in: scalars.indices, using: &generator)
      let end = min(scalars.count, at + Int.random(in: 1...20, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: scalars.removeSubrange(at..<end)
      case 1: scalars.insert(contentsOf: scalars[at..<end], at: at)
      case 2: scalars[at] = Unicode.Scalar(UInt8.random(in: 0...255, using: &generator))
      case 3: scalars.swapAt(at, end - 1)
      default:
        let piece = Self.pieces[Int.random(in: Self.pieces.indices, using: &generator)]
        scalars.insert(contentsOf: piece.unicodeScalars, at: at)
      }
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }

  @Test("iptables-save", arguments: 0..<16) func iptables(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    var errors = 0
    for _ in 0..<250 {
      let dump = try #require(GoldenDump.iptables.randomElement(using: &generator))
      let text = damaged(dump.text, &generator)
      do throws(DumpError) {
        let read = try readIptablesSave(text, family: dump.family, file: "f")
        for table in read.tables { _ = try? iptablesRestoreText(table) }
      } catch {
        errors += 1
        expectNamed(error, text)
      }
    }
    #expect(errors > 20)
  }

  @Test("ipset save", arguments: 0..<16) func ipset(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    var errors = 0
    for _ in 0..<250 {
      let dump = try #require(GoldenDump.ipset.randomElement(using: &generator))
      let text = damaged(dump.text, &generator)
      do throws(DumpError) {
        _ = try readIpsetSave(text, file: "f")
      } catch {
        errors += 1
        expectNamed(error, text)
      }
    }
    #expect(errors > 20)
  }

  @Test("text that is not a dump") func noise() {
    var generator = SplitMix64(seed: 7)
    for _ in 0..<2000 {
      let count = Int.random(in: 0...80, using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let text = String(decoding: bytes, as: UTF8.self)
      _ = try? readIptablesSave("*filter\n:A - [0:0]\n-A A \(text)\nCOMMIT", family: .v4, file: "f") { _ in true }
      _ = try? readIptablesSave(text, family: .v6, file: "f")
      _ = try? readIpsetSave("create S hash:net family inet6\nadd S \(text)", file: "f")
      _ = try? readIpsetSave(text, file: "f")
    }
  }

  /// The line in the error must be the line of the text, and the message must be one line.
  private func expectNamed(_ error: DumpError, _ text: String) {
    let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
    #expect(lines.indices.contains(error.line - 1))
    if lines.indices.contains(error.line - 1) {
      let line = lines[error.line - 1]
      #expect(line == error.text || line == error.text + "\r", "\(error)")
    }
    #expect(!error.description.unicodeScalars.contains { $0.value < 32 })
  }
}
