public import NetpolModel

/// A line of a dump that can't be read.
public struct DumpError: UserFacingError, Hashable, Sendable {
  /// As the caller named it.
  public let file: String
  /// From 1.
  public let line: Int
  public let text: String
  public let problem: String

  public init(file: String, line: Int, text: String, problem: String) {
    self.file = file
    self.line = line
    self.text = text
    self.problem = problem
  }

  public var exitStatus: ExitStatus { .badInput }

  /// One line, whatever the dump contains: `file:line: problem: text`.
  public var description: String { printable("\(file):\(line): \(problem): \(text)") }
}

/// What is wrong with a line, before the line is known.
struct Problem: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

/// Replaces control characters and line separators by `\u{…}`.
private func printable(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0..<32, 127..<160, 0x2028, 0x2029: result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
