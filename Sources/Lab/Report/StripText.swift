internal import Lag

/// One trial as a strip of characters for each stream: `.` passed, `x` lost, `/` both within one character's time.
struct StripText {
  private let example: LagExample
  private let room: Int

  /// `room` is how many characters a strip may have.
  init(_ example: LagExample, room: Int) {
    self.example = example
    self.room = max(room, 10)
  }

  private var range: (from: Double, to: Double) {
    let times = example.streams.flatMap { $0.map(\.at) }
    return (times.min() ?? 0, times.max() ?? 0)
  }

  /// Milliseconds of a character: 1, or 2, 5, 10 … where the trial is too long for that.
  var step: Double {
    var steps: [Double] = [1e6]
    while let last = steps.last, (range.to - range.from) / last > Double(room), steps.count < 20 {
      steps = [last * 2, last * 5, last * 10]
      if let fitting = steps.first(where: { (range.to - range.from) / $0 <= Double(room) }) { return fitting }
    }
    return steps.last ?? 1e6
  }

  /// One for each stream. A character in which nothing was sent is a blank.
  var strips: [String] {
    let step = step
    let from = (range.from / step).rounded(.down)
    return example.streams.map { packets in
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

  /// Where the container's start stands in a strip.
  var start: Int { Int(0 - (range.from / step).rounded(.down)) }
}
