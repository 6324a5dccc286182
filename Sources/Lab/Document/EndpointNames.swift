package import NetpolModel
internal import OrderedCollections
internal import Text

/// Names of several endpoints on one line: `media/{jellyfin-0,redis-0} node/node1`.
package func namesText(_ endpoints: [Endpoint]) -> String { namesText(of: endpoints) }

/// The same for anything that is written with slashes.
package func namesText(of ends: [some CustomStringConvertible]) -> String {
  namePieces(ends, width: .max).joined(separator: " ")
}

/// The same in lines of at most `width` characters. Each line repeats the namespace of its names.
package func namesLines(_ ends: [some CustomStringConvertible], width: Int) -> [String] {
  filled(namePieces(ends, width: width), width: width)
}

/// Names by namespace, in pieces of at most `width` characters. A longer name is a piece of its own.
private func namePieces(_ endpoints: [some CustomStringConvertible], width: Int) -> [String] {
  var members: OrderedDictionary<String, [String]> = [:]
  for endpoint in endpoints {
    let parts = endpoint.description.split(separator: "/", maxSplits: 1).map(String.init)
    let (head, tail) = parts.count == 2 ? (parts[0], parts[1]) : ("", parts[0])
    members[head, default: []].append(tail)
  }
  return members.flatMap { head, tails -> [String] in
    if head.isEmpty { return tails }
    var pieces: [[String]] = []
    for tail in tails {
      if let last = pieces.last, braced(head, last + [tail]).count <= width {
        pieces[pieces.count - 1].append(tail)
      } else {
        pieces.append([tail])
      }
    }
    return pieces.map { braced(head, $0) }
  }
}

private func braced(_ head: String, _ tails: [String]) -> String {
  "\(head)/" + (tails.count == 1 ? tails[0] : "{\(tails.joined(separator: ","))}")
}

/// Questions on one line: `TCP 53 443 8080  UDP 53  ICMP`.
package func portsText(_ questions: [Flow.Question]) -> String {
  let ports = questions.compactMap { if case .port(let port) = $0 { port } else { nil } }
  let texts = Transport.allCases.compactMap { transport -> String? in
    let numbers = ports.filter { $0.transport == transport }.map(\.port).sorted()
    return numbers.isEmpty ? nil : "\(transport.rawValue) \(numbers.map(String.init).joined(separator: " "))"
  }
  return (texts + (questions.contains(.echo) ? [Flow.Question.echo.description] : [])).joined(separator: "  ")
}
