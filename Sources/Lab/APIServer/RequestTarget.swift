/// The path and query of a request, decoded (RFC 3986, section 2.1).
struct RequestTarget {
  /// Without empty parts: a slash at the end is allowed, as kr8s sends it.
  let path: [String]
  /// Of a parameter that is there twice, the first value, as in Go's `Values.Get`.
  let query: [String: String]

  init(_ uri: String) {
    let sides = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = (sides.first ?? "").split(separator: "/").map { Self.decoded($0, plusIsSpace: false) }
    var query: [String: String] = [:]
    for pair in sides.dropFirst().first?.split(separator: "&") ?? [] {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = Self.decoded(parts[0], plusIsSpace: true)
      if query[name] == nil { query[name] = parts.count > 1 ? Self.decoded(parts[1], plusIsSpace: true) : "" }
    }
    self.query = query
  }

  private static func decoded(_ text: Substring, plusIsSpace: Bool) -> String {
    if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) { return String(text) }
    let bytes = Array(text.utf8)
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), index + 2 < bytes.count,
        let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        decoded.append(value)
        index += 3
      } else {
        decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }
}
