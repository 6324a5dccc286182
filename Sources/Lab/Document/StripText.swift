internal import Text

/// One trial, packet by packet.
package struct Strips {
  /// A name for each stream.
  package var names: [String]
  /// For each stream, for each packet: nanoseconds since the container's start, and whether it passed.
  package var streams: [[(at: Double, passed: Bool)]]

  package init(names: [String], streams: [[(at: Double, passed: Bool)]]) {
    self.names = names
    self.streams = streams
  }
}

/// A trial as a strip of characters for each stream: `.` passed, `x` lost, `/` both within one character's time.
struct StripText {
  private let block: Strips
  private let margin: Int
  private let room: Int

  /// `width` is the width of a line in characters.
  init(_ block: Strips, width: Int) {
    self.block = block
    margin = (block.names.map(\.count).max() ?? 0) + 4
    room = max(width - margin, 10)
  }

  var lines: [String] {
    ["One trial, \(timeText(step)) per character: x lost, . passed, / both; the container starts at ^"]
      + zip(block.names, strips).map { "  " + $0.0.padded(margin - 2) + $0.1 }
      + [String(repeating: " ", count: margin + start) + "^"]
  }

  private var range: (from: Double, to: Double) {
    let times = block.streams.flatMap { $0.map(\.at) }
    return (times.min() ?? 0, times.max() ?? 0)
  }

  /// Nanoseconds per character: a millisecond, or 2, 5, 10 … milliseconds if the trial is longer.
  var step: Double {
    var steps: [Double] = [1e6]
    while let last = steps.last, (range.to - range.from) / last > Double(room), steps.count < 20 {
      steps = [last * 2, last * 5, last * 10]
      if let fitting = steps.first(where: { (range.to - range.from) / $0 <= Double(room) }) { return fitting }
    }
    return steps.last ?? 1e6
  }

  /// One for each stream. A character in which nothing was sent is a space.
  var strips: [String] {
    let step = step
    let from = (range.from / step).rounded(.down)
    return block.streams.map { packets in
      var cells: [(passed: Bool, lost: Bool)] = []
      for packet in packets {
        let index = Int((packet.at / step).rounded(.down) - from)
        while cells.count <= index { cells.append((false, false)) }
        if packet.passed { cells[index].passed = true } else { cells[index].lost = true }
      }
      return String(
        cells.map { cell -> Character in
          switch cell {
          case (true, true): "/"
          case (true, false): "."
          case (false, true): "x"
          case (false, false): " "
          }
        })
    }
  }

  /// The position of the container's start in a strip.
  var start: Int { Int(0 - (range.from / step).rounded(.down)) }
}
