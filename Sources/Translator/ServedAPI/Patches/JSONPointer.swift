/// Where a value is in a JSON document (RFC 6901).
public struct JSONPointer: Hashable, Sendable {
  /// The names of fields and the indices of arrays on the way, unescaped.
  public let tokens: [String]

  public init(_ tokens: [String]) { self.tokens = tokens }

  /// Reads `/spec/ports/0`, with `~1` for a slash and `~0` for a tilde. Empty text is the whole document. `nil` for text
  /// that is no pointer.
  public init?(_ text: String) {
    guard !text.isEmpty else {
      tokens = []
      return
    }
    guard text.utf8.first == UInt8(ascii: "/") else { return nil }
    var tokens: [String] = []
    for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let token = Self.unescaped(part) else { return nil }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  private static func unescaped(_ part: some Sequence<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var isAfterTilde = false
    for byte in part {
      if isAfterTilde {
        switch byte {
        case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
        case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
        default: return nil
        }
        isAfterTilde = false
      } else if byte == UInt8(ascii: "~") {
        isAfterTilde = true
      } else {
        bytes.append(byte)
      }
    }
    return isAfterTilde ? nil : String(decoding: bytes, as: UTF8.self)
  }

  public var text: String {
    tokens.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
  }

  /// Whether the other place is below this one.
  func contains(_ other: JSONPointer) -> Bool {
    other.tokens.count > tokens.count && other.tokens.starts(with: tokens)
  }
}
