internal import Glibc
internal import Statistics
internal import Text

/// A distribution as bars, a line for each range of times.
struct HistogramText {
  private let values: Distribution
  private let width: Int

  /// `width` is the width of a line in characters.
  init(_ values: Distribution, width: Int) {
    self.values = values
    self.width = width
  }

  /// At most 12 ranges of equal width with round limits. The last range includes everything far above.
  var lines: [String] {
    guard let smallest = values.values.first, let largest = values.largest, let high = values.quantile(0.95) else {
      return []
    }
    let step = Self.roundStep((high - smallest) / 8)
    let first = (smallest / step).rounded(.down) * step
    let count = min(Int(((largest - first) / step).rounded(.down)) + 1, 12)
    var counts = [Int](repeating: 0, count: count)
    for value in values.values { counts[min(Int((value - first) / step), count - 1)] += 1 }
    let labels = (0..<count).map { index in
      let isLast = index == count - 1 && largest >= first + Double(count) * step
      return isLast
        ? "from \(timeText(first + Double(index) * step))"
        : "\(timeText(first + Double(index) * step)) - \(timeText(first + Double(index + 1) * step))"
    }
    let margin = (labels.map(\.count).max() ?? 0) + 2
    let numbers = counts.map(String.init)
    let numberWidth = numbers.map(\.count).max() ?? 1
    let room = max(width - margin - numberWidth - 3, 10)
    let most = max(counts.max() ?? 1, 1)
    return counts.indices.map { index in
      let length = counts[index] == 0 ? 0 : max(1, counts[index] * room / most)
      return labels[index].leftPadded(margin) + "  " + numbers[index].leftPadded(numberWidth) + " "
        + String(repeating: "#", count: length)
    }.map(\.trimmingEnd)
  }

  /// 1, 2 or 5 times a power of ten, not below `step`; at least a microsecond.
  static func roundStep(_ step: Double) -> Double {
    let power = pow(10, floor(log10(max(step, 1000))))
    return ([1, 2, 5].first { $0 * power >= step * 0.999 } ?? 10) * power
  }
}
