/// The words of a line of nft's text, taken from left to right.
///
/// Braces, `,` and `;` are words of their own. Quoted words may contain spaces, and there are no escapes. `# handle 7`
/// and `# count 7` at the end are removed. Any other `#` is a word: older versions use it to name what they can't print
/// (`# xt_statistic`).
struct NftWords {
  struct Word: Equatable {
    let text: String
    var isQuoted = false
  }

  let words: [Word]
  private var index = 0

  init(_ line: Substring) throws(Problem) {
    var words: [Word] = []
    var word: [UInt8] = []
    var isQuoted = false
    func end(quoted: Bool) {
      if quoted || !word.isEmpty { words.append(Word(text: String(decoding: word, as: UTF8.self), isQuoted: quoted)) }
      word = []
    }
    for byte in line.utf8 {
      switch byte {
      case UInt8(ascii: "\""):
        end(quoted: isQuoted)
        isQuoted.toggle()
      case _ where isQuoted: word.append(byte)
      case UInt8(ascii: " "), UInt8(ascii: "\t"): end(quoted: false)
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","), UInt8(ascii: ";"):
        end(quoted: false)
        words.append(Word(text: String(decoding: [byte], as: UTF8.self)))
      default: word.append(byte)
      }
    }
    if isQuoted { throw Problem("a quote is not closed") }
    end(quoted: false)
    self.words = Array(words.dropLast(Self.remark(words)))
  }

  /// The number of words at the end that are `#` and pairs such as `handle 7`.
  private static func remark(_ words: [Word]) -> Int {
    guard let start = words.firstIndex(of: Word(text: "#")) else { return 0 }
    let pairs = words[(start + 1)...]
    let isRemark = pairs.enumerated().allSatisfy { index, word in
      index % 2 == 1 || ["handle", "count", "progname"].contains(word.text)
    }
    return isRemark && !pairs.isEmpty && pairs.count.isMultiple(of: 2) ? words.count - start : 0
  }

  /// The next word, for an error message.
  var shown: String { index < words.count ? words[index].text : "nothing" }
  /// The next word if it is not quoted.
  var peek: String? { index < words.count && !words[index].isQuoted ? words[index].text : nil }
  var isAtEnd: Bool { index >= words.count }

  mutating func next() throws(Problem) -> String? {
    guard index < words.count else { return nil }
    guard let word = peek else { throw Problem("\"\(shown)\" is not understood here") }
    index += 1
    return word
  }

  /// Takes the next word if it is this one.
  mutating func take(_ word: String) -> Bool {
    guard peek == word else { return false }
    index += 1
    return true
  }

  mutating func value(of name: String) throws(Problem) -> String {
    guard let value = try next() else { throw Problem("\(name) has no value") }
    return value
  }

  mutating func quoted(of name: String) throws(Problem) -> String {
    guard index < words.count, words[index].isQuoted else { throw Problem("\(name) has no text in quotes") }
    index += 1
    return words[index - 1].text
  }

  mutating func expect(_ word: String) throws(Problem) {
    guard take(word) else { throw Problem("expected \(word) but found \(shown)") }
  }

  func checkEnd() throws(Problem) {
    if !isAtEnd { throw Problem("\(shown) is not understood here") }
  }
}

/// `7`, `0x00000007`: nft prints numbers either way.
func nftNumber(_ text: some StringProtocol) -> UInt32? { decimal(text) ?? hexadecimal(text) }
