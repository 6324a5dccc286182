import Foundation

/// A file that a command writes beside its report.
enum OutputFile {
  /// Writes one line of JSON with the keys in alphabetical order. Throws `InputError` if the file can't be written.
  static func write(_ content: some Encodable, to name: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(content) + Data("\n".utf8)
    do { try data.write(to: URL(fileURLWithPath: name)) } catch {
      throw InputError("\(name): the file can't be written; name one in a folder that you may write to")
    }
  }
}
