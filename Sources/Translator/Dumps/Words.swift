/// The words of one line, taken from left to right.
struct Words {
  private let words: [String]
  private var index = 0

  /// Splits words as xtables-restore does (`add_param_to_argv` of xshared.c): quoted words may contain spaces, and the
  /// closing quote ends the word. With `escapes`, a backslash inside quotes takes the next character literally.
  init(_ line: Substring, escapes: Bool) throws(Problem) {
    var words: [String] = []
    var word: [UInt8] = []
    var (isQuoted, isEscaped) = (false, false)
    for byte in line.utf8 {
      let isQuote = byte == UInt8(ascii: "\"")
      if isQuoted, isEscaped || !isQuote {
        if escapes, !isEscaped, byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else {
          word.append(byte)
          isEscaped = false
        }
      } else if isQuote, !isQuoted {
        isQuoted = true
      } else if isQuote {
        words.append(String(decoding: word, as: UTF8.self))
        word = []
        isQuoted = false
      } else if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") {
        word.append(byte)
      } else if !word.isEmpty {
        words.append(String(decoding: word, as: UTF8.self))
        word = []
      }
    }
    if isQuoted { throw Problem("a quote is not closed") }
    if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
    self.words = words
  }

  var peek: String? { index < words.count ? words[index] : nil }

  mutating func next() -> String? {
    guard index < words.count else { return nil }
    index += 1
    return words[index - 1]
  }

  /// Takes the next word if it is this one.
  mutating func take(_ word: String) -> Bool {
    guard peek == word else { return false }
    index += 1
    return true
  }

  mutating func value(of option: String) throws(Problem) -> String {
    guard let value = next() else { throw Problem("\(option) has no value") }
    return value
  }

  func checkEnd() throws(Problem) {
    if let word = peek { throw Problem("\(word) is not understood here") }
  }
}

/// The lines of a text, with numbers from 1, without empty lines and lines that begin with `#`.
func dumpLines(_ text: String) -> [(number: Int, text: Substring)] {
  var lines: [(number: Int, text: Substring)] = []
  for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    if line.allSatisfy({ $0 == UInt8(ascii: " ") }) || line.first == UInt8(ascii: "#") { continue }
    lines.append((index + 1, Substring(line)))
  }
  return lines
}

/// Parses digits only: no sign, no leading zero.
func decimal<Number: FixedWidthInteger>(_ text: some StringProtocol, as type: Number.Type = Number.self) -> Number? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) }), text.utf8.count == 1 || text.utf8.first != 48 else {
    return nil
  }
  return Number(text)
}

/// Parses `0x` and digits.
func hexadecimal(_ text: some StringProtocol) -> UInt32? {
  let digits = text.utf8.dropFirst(2)
  guard text.hasPrefix("0x"), !digits.isEmpty else { return nil }
  var value: UInt32 = 0
  for byte in digits {
    let digit: UInt8
    switch byte {
    case 48...57: digit = byte - 48
    case 65...70: digit = byte - 55
    case 97...102: digit = byte - 87
    default: return nil
    }
    guard value < 1 << 28 else { return nil }
    value = value << 4 | UInt32(digit)
  }
  return value
}

/// Returns the arguments in the text of a rule as iptables-save prints it, without quotes and escapes.
///
/// Empty if a quote is not closed.
public func iptablesArguments(_ text: String) -> [String] {
  guard var words = try? Words(text[...], escapes: true) else { return [] }
  var arguments: [String] = []
  while let word = words.next() { arguments.append(word) }
  return arguments
}
