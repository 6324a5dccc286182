internal import Documents
internal import NetpolModel

extension Document.Result {
  /// A warning in one line, such as `web.yaml:3: Pod shop/web: hostIP is …`.
  init(warning text: String, _ rule: Rule, in group: String) {
    var parts = text.split(separator: ": ", omittingEmptySubsequences: false).map(String.init)[...]
    var location: SourceLocation?
    if let first = parts.first, let colon = first.lastIndex(of: ":"), parts.count > 1,
      let line = Int(first[first.index(after: colon)...])
    {
      location = SourceLocation(file: String(first[..<colon]), line: line)
      parts.removeFirst()
    }
    // An object is a kind and a name.
    let isObject = parts.count > 1 && (parts.first?.split(separator: " ").count ?? 0) == 2
    let object = isObject ? parts.removeFirst() : "the input"
    let message = parts.joined(separator: ": ")
    self.init(rule, .found(.warning), in: group, object, identity: message, message, at: location)
  }
}
