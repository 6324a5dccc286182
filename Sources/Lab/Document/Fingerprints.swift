internal import NetpolModel

/// What identifies a result in two reports, wherever its lines have gone in between.
struct Fingerprints {
  static let key = "netpolLab/v1"
  /// The only one that GitHub looks at. Where it is missing, GitHub computes one from the text of the line, so that all
  /// results of one rule at one line would be the same.
  static let gitHubKey = "primaryLocationLineHash"

  private var seen: [String: Int] = [:]

  /// Half of a SHA-256 in hexadecimal digits, and a number that tells equal ones apart.
  mutating func next(_ result: Document.Result) -> String {
    let text = [result.rule.id, result.object, result.part, result.identity].joined(separator: "\0")
    let digest = sha256(Array(text.utf8)).prefix(16).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    seen[digest, default: 0] += 1
    return "\(digest):\(seen[digest] ?? 1)"
  }
}
