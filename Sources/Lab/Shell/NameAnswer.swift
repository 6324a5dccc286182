internal import NetpolModel

/// A name server's answer to one question (RFC 1035, 4.1).
enum NameAnswer {
  private static let headerLength = 12
  private static let timeToLive: [UInt8] = [0, 0, 0, 5]

  /// The answer to a datagram: the addresses that `lookUp` returns, or that there is no such name. `nil` for anything that
  /// is no question.
  static func answer(to query: [UInt8], _ lookUp: (String) -> [IPAddress]?) -> [UInt8]? {
    guard query.count >= headerLength, query[2] & 0xf8 == 0, query[4] == 0, query[5] == 1,
      let (name, end) = name(in: query), query.count >= end + 4
    else { return nil }
    let found = lookUp(name)
    let family: IPFamily?
    switch (query[end], query[end + 1]) {
    case (0, 1): family = .v4
    case (0, 28): family = .v6
    default: family = nil
    }
    let addresses = (found ?? []).filter { $0.family == family }.prefix(16)
    var answer = Array(query[..<2])
    // A response, with authority; recursion as asked for; and whether the name exists.
    answer += [query[2] | 0x84, found == nil ? 3 : 0]
    answer += [0, 1, 0, UInt8(addresses.count), 0, 0, 0, 0] + query[headerLength..<(end + 4)]
    for address in addresses {
      let bytes = address.bytes
      // The name is the question's.
      answer += [0xc0, UInt8(headerLength)] + query[end..<(end + 4)] + timeToLive + [0, UInt8(bytes.count)] + bytes
    }
    return answer
  }

  /// The name in a question, and where it ends.
  private static func name(in query: [UInt8]) -> (name: String, end: Int)? {
    var labels: [String] = []
    var place = headerLength
    while place < query.count, labels.count < 128 {
      let length = Int(query[place])
      if length == 0 { return (labels.joined(separator: "."), place + 1) }
      guard length < 64, place + length < query.count else { return nil }
      labels.append(String(decoding: query[(place + 1)...(place + length)], as: UTF8.self))
      place += 1 + length
    }
    return nil
  }
}
