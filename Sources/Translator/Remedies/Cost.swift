internal import NetpolModel
internal import PolicyDiff

/// What a change costs: its unit edits, then the other flows that it opens, then those that it closes. What closes other
/// flows comes last, however few its edits are.
///
/// A flow is two addresses and a port. Of a set of addresses that no pod and no node has, at most 65,536 count, so that
/// the internet doesn't outweigh everything else beyond measure.
public struct Cost: Hashable, Comparable, Sendable {
  public let edits: Int
  public let opened: Int
  public let closed: Int

  public var isHarmless: Bool { closed == 0 }

  public static func < (a: Cost, b: Cost) -> Bool {
    (a.isHarmless ? 0 : 1, a.edits, a.opened, a.closed) < (b.isHarmless ? 0 : 1, b.edits, b.opened, b.closed)
  }

  /// `asked`: flows that shall change, and don't count.
  init(edits: Int, _ difference: PolicyDifference, besides asked: [AskedCell]) {
    self.edits = edits
    let space = difference.space
    let weights = space.ends.map { $0.outside?.weight ?? 1 }
    let ports = space.questions.indices.map { space.ports($0)?.range.count ?? 1 }
    var (opened, closed) = (0, 0)
    for row in difference.rows {
      let destinations = row.destinations.numbers
      var pairs = 0
      for sender in row.senders.numbers {
        for destination in destinations where !space.isUndisputed(sender, destination) {
          pairs = pairs.adding(weights[sender].times(weights[destination]))
        }
      }
      var sum = pairs.times(row.questions.numbers.reduce(0) { $0.adding(ports[$1]) })
      for cell in asked where row.contains(cell.source, cell.destination, cell.question, in: space) {
        sum -= weights[cell.source].times(weights[cell.destination])
      }
      if row.isOpened { opened = opened.adding(sum) } else { closed = closed.adding(sum) }
    }
    (self.opened, self.closed) = (opened, closed)
  }
}

/// A flow by the numbers of its ends and its question in a `DiffSpace`.
struct AskedCell: Hashable {
  let source, destination, question: Int
}

extension AddressRanges {
  fileprivate var weight: Int {
    let count = ranges.reduce(UInt128(0)) { sum, range in
      let size = range.upperBound - range.lowerBound
      return Swift.min(65_536, sum + Swift.min(65_536, size) + 1)
    }
    return Int(Swift.min(65_536, count))
  }
}

extension PortRange {
  fileprivate var count: Int { Int(last) - Int(first) + 1 }
}

extension Int {
  /// The sum, or the greatest number if it is greater.
  fileprivate func adding(_ other: Int) -> Int {
    let (sum, isTooGreat) = addingReportingOverflow(other)
    return isTooGreat ? .max : sum
  }

  fileprivate func times(_ other: Int) -> Int {
    let (product, isTooGreat) = multipliedReportingOverflow(by: other)
    return isTooGreat ? .max : product
  }
}
