internal import NetpolModel

/// Names of several endpoints on one line: `media/{jellyfin-0,redis-0} node/node1`.
func namesText(_ endpoints: [Endpoint]) -> String {
  var order: [String] = []
  var members: [String: [String]] = [:]
  for endpoint in endpoints {
    let parts = endpoint.description.split(separator: "/", maxSplits: 1).map(String.init)
    let (head, tail) = parts.count == 2 ? (parts[0], parts[1]) : ("", parts[0])
    if members[head] == nil { order.append(head) }
    members[head, default: []].append(tail)
  }
  return order.map { head in
    let tails = members[head] ?? []
    let joined = tails.count == 1 ? tails[0] : "{\(tails.joined(separator: ","))}"
    return head.isEmpty ? tails.joined(separator: " ") : "\(head)/\(joined)"
  }.joined(separator: " ")
}

/// Breaks words into lines of at most `width` characters; a longer word stands alone.
func wrapped(_ text: String, width: Int) -> [String] {
  var lines: [String] = []
  for word in text.split(separator: " ") {
    if let last = lines.last, last.count + 1 + word.count <= width {
      lines[lines.count - 1] = "\(last) \(word)"
    } else {
      lines.append(String(word))
    }
  }
  return lines.isEmpty ? [""] : lines
}

/// Ports on one line: `TCP 53 443 8080-8082  UDP 53`.
func portsText(_ ports: [TransportPort]) -> String {
  Transport.allCases.compactMap { transport in
    let numbers = ports.filter { $0.transport == transport }.map(\.port).sorted()
    return numbers.isEmpty ? nil : "\(transport.rawValue) \(numbers.map(String.init).joined(separator: " "))"
  }.joined(separator: "  ")
}
