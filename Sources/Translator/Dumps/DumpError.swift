public import NetpolModel
internal import Text

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
  public var description: String {
    "\(file.cut(to: 200)):\(line): \(problem.cut(to: 300)): \(text.cut(to: 200))".onOneLine
  }
}

/// What is wrong with a line, before the line is known.
struct Problem: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
