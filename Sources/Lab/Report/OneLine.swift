public import Foundation

/// A report as JSON: UTF-8, one line, keys in alphabetical order.
public func oneLine(_ report: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return try encoder.encode(report)
}
