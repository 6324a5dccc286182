extension String {
  /// The text with consecutive JSON objects, as `cat` of several files gives them, split into YAML documents. Inserts
  /// `--- ` before each object that starts a line. Line numbers don't change.
  var separatingObjects: String {
    let bytes = Array(utf8)
    let starts = Self.startsOfLaterObjects(bytes)
    if starts.isEmpty { return self }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 4 * starts.count)
    var copied = 0
    for start in starts {
      result += bytes[copied..<start] + Array("--- ".utf8)
      copied = start
    }
    return String(decoding: result + bytes[copied...], as: UTF8.self)
  }

  /// The byte offsets of the lines on which an object begins after the end of another. Stops at anything that is not
  /// JSON.
  private static func startsOfLaterObjects(_ bytes: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var depth = 0
    var lineStart = 0
    var hasObject = false
    var isInString = false
    var isFirstOfLine = true
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if isInString {
        if byte == UInt8(ascii: "\\") { index += 1 }
        isInString = byte != UInt8(ascii: "\"")
        continue
      }
      switch byte {
      case UInt8(ascii: "\n"):
        lineStart = index
        isFirstOfLine = true
        continue
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        if depth == 0, hasObject {
          guard isFirstOfLine else { return starts }
          starts.append(lineStart)
        }
        depth += 1
        hasObject = true
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""): isInString = true
      default: break
      }
      isFirstOfLine = false
      // JSON has nothing between objects. A comma, a comment or `---` makes it YAML.
      guard depth > 0 || depth == 0 && (byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")) else { return starts }
    }
    return starts
  }
}
