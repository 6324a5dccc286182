internal import NetpolModel
internal import PolicyDiff

extension DiffSpace {
  /// Adjacent ports as ranges: `TCP/80`, `TCP/8000-8100`, `ICMP`.
  func portRanges(_ questions: Bits) -> [String] {
    joined(questions).map { transport, range in "\(transport.rawValue)/\(range)" }
      + (questions.contains(self.questions.count - 1) ? [Flow.Question.echo.description] : [])
  }

  /// The same in short: `all UDP`, `all ports, also ICMP`.
  func portsText(_ questions: Bits) -> String {
    let all = joined(questions)
    let whole = Set(all.filter { $0.range == PortRange(0, .max) }.map(\.transport))
    let hasEcho = questions.contains(self.questions.count - 1)
    if whole.count == Transport.allCases.count { return hasEcho ? "everything (also ICMP)" : "all ports" }
    let others = joined(Bits(self.questions.indices.filter { !questions.contains($0) }, count: self.questions.count))
    if others.count < all.count, others.allSatisfy({ $0.range != PortRange(0, .max) }) {
      let rest = others.map { "\($0.rawValue)/\($1)" }.joined(separator: ", ")
      return hasEcho ? "everything (also ICMP) except \(rest)" : "all ports except \(rest)"
    }
    let parts = all.map { transport, range in
      whole.contains(transport) ? "all \(transport.rawValue)" : "\(transport.rawValue)/\(range)"
    }
    return (parts + (hasEcho ? [Flow.Question.echo.description] : [])).joined(separator: ", ")
  }

  private func joined(_ questions: Bits) -> [(transport: Transport, range: PortRange)] {
    var joined: [(transport: Transport, range: PortRange)] = []
    for (transport, range) in questions.numbers.compactMap(ports) {
      if let last = joined.last, last.transport == transport, Int(last.range.last) + 1 == Int(range.first) {
        joined[joined.count - 1].range = PortRange(last.range.first, range.last)
      } else {
        joined.append((transport, range))
      }
    }
    return joined
  }
}
