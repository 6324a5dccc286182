/// The words of a line of nft's text, taken from left to right: `{`, `}`, `,` and `;` are words of their own, quotes hold
/// spaces and know no escapes.
///
/// `# handle 7` and `# count 7` at the end are left out. Any other `#` is a word: older versions say with it what they
/// can't say (`# xt_statistic`).
struct NftWords {
  struct Word: Equatable {
    let text: String
    var isQuoted = false
  }

  private(set) var words: [Word] = []
  private var index = 0

  init(_ line: Substring) throws(Problem) { try append(line) }

  mutating func append(_ line: Substring) throws(Problem) {
    var word: [UInt8] = []
    var isQuoted = false
    func end(_ words: inout [Word], quoted: Bool) {
      if quoted || !word.isEmpty { words.append(Word(text: String(decoding: word, as: UTF8.self), isQuoted: quoted)) }
      word = []
    }
    scan: for byte in line.utf8 {
      switch byte {
      case UInt8(ascii: "\""):
        end(&words, quoted: isQuoted)
        isQuoted.toggle()
      case _ where isQuoted: word.append(byte)
      case UInt8(ascii: " "), UInt8(ascii: "\t"): end(&words, quoted: false)
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","), UInt8(ascii: ";"):
        end(&words, quoted: false)
        words.append(Word(text: String(decoding: [byte], as: UTF8.self)))
      case UInt8(ascii: "#") where word.isEmpty: break scan
      default: word.append(byte)
      }
    }
    if isQuoted { throw Problem("a quote is not closed") }
    end(&words, quoted: false)
  }

  /// The next word, as an error names it.
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
    guard take(word) else { throw Problem("\(shown) stands where \(word) is expected") }
  }

  func checkEnd() throws(Problem) {
    if !isAtEnd { throw Problem("\(shown) is not understood here") }
  }
}

/// `7`, `0x00000007`: nft prints numbers either way.
func nftNumber(_ text: some StringProtocol) -> UInt32? { decimal(text) ?? hexadecimal(text) }
