internal import Algorithms
internal import Foundation
package import Statistics
internal import Text

/// Lines over two logarithmic axes, as SVG 1.1 with its own background, which is dark if the reader prefers dark
/// colours.
package struct LogPlot {
  package struct Point {
    package var x: Double
    package var y: Estimate

    package init(x: Double, y: Estimate) {
      self.x = x
      self.y = y
    }
  }

  package var title: String
  package var horizontal, vertical: String
  package var series: [(name: String, points: [Point])]

  package init(title: String, horizontal: String, vertical: String, series: [(name: String, points: [Point])]) {
    self.title = title
    self.horizontal = horizontal
    self.vertical = vertical
    self.series = series
  }

  private static let size = (width: 720.0, height: 440.0)
  private static let area = (left: 78.0, right: 530.0, top: 48.0, bottom: 382.0)
  /// Distinguishable without colours by their marks, and on both backgrounds (after Okabe and Ito's palette). The first
  /// colour is for what the others are compared with.
  private static let colours = ["#777777", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d1f"]
  /// Smaller values are drawn here.
  private static let leastValue = 1.0
  private static let style = """
    <style>
    .ground { fill: #ffffff } text { fill: #222222 } .grid { stroke: #e2e2e2 } .frame { stroke: #888888; fill: none }
    @media (prefers-color-scheme: dark) {
    .ground { fill: #16181d } text { fill: #dddddd } .grid { stroke: #34373d }
    }
    </style>
    """

  var svg: String {
    let (area, size) = (Self.area, Self.size)
    let axes = Axes(series.flatMap(\.points))
    let place = { (x: Double, y: Double) in
      (
        area.left + axes.across(x) * (area.right - area.left),
        area.bottom - axes.up(max(y, Self.leastValue)) * (area.bottom - area.top)
      )
    }
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(size.width)) \(Int(size.height))\" "
        + "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">",
      "<title>\(escaped("\(title): \(vertical), over \(horizontal)"))</title>", "<desc>netpol-lab bench</desc>",
      Self.style,
      "<rect width=\"100%\" height=\"100%\" class=\"ground\"/>", label(area.left, 26, title, size: 15),
    ]
    for x in axes.xs {
      let (across, _) = place(x, 1)
      lines += [
        line((across, area.top), (across, area.bottom), "class=\"grid\""),
        label(across, area.bottom + 18, number(x), anchor: "middle"),
      ]
    }
    for y in axes.ys {
      let (_, up) = place(1, y)
      lines.append(line((area.left, up), (area.right, up), "class=\"grid\""))
      if axes.isLabelled(y) { lines.append(label(area.left - 8, up + 4, number(y), anchor: "end")) }
    }
    lines.append(
      "<rect x=\"\(text(area.left))\" y=\"\(text(area.top))\" width=\"\(text(area.right - area.left))\" "
        + "height=\"\(text(area.bottom - area.top))\" class=\"frame\"/>")
    let middle = (across: (area.left + area.right) / 2, up: (area.top + area.bottom) / 2)
    lines += [
      label(middle.across, area.bottom + 42, horizontal, anchor: "middle"),
      "<text x=\"18\" y=\"\(text(middle.up))\" text-anchor=\"middle\" transform=\"rotate(-90 18 \(text(middle.up)))\">"
        + "\(escaped(vertical))</text>",
    ]
    for index in series.indices { lines += drawn(index, place) }
    return (lines + legend + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// The line of a series, and at each point its interval, with a stroke across both ends.
  private func drawn(_ index: Int, _ place: (Double, Double) -> (Double, Double)) -> [String] {
    let stroke = "stroke=\"\(colour(index))\""
    let points = series[index].points.sorted { $0.x < $1.x }
    let path = points.map { place($0.x, $0.y.value) }.map { "\(text($0.0)),\(text($0.1))" }.joined(separator: " ")
    return ["<polyline points=\"\(path)\" fill=\"none\" \(stroke) stroke-width=\"2\"/>"]
      + points.flatMap { point in
        let (x, y) = place(point.x, point.y.value)
        let (low, high) = (place(point.x, point.y.lower).1, place(point.x, point.y.upper).1)
        return [line((x, low), (x, high), stroke)]
          + [low, high].map { line((x - 6, $0), (x + 6, $0), stroke) } + [mark(index, x, y)]
      }
  }

  /// In the order of the lines' ends, from top to bottom.
  private var legend: [String] {
    let ends = series.indices.sorted { one, other in
      let last = { (index: Int) in series[index].points.max { $0.x < $1.x }?.y.value ?? 0 }
      return last(one) > last(other)
    }
    let left = Self.area.right + 20
    let names = ends.enumerated().flatMap { place, index in
      let y = Self.area.top + 10 + Double(place) * 20
      return [mark(index, left, y - 4), label(left + 12, y, series[index].name)]
    }
    let below = Self.area.top + 10 + Double(series.count) * 20 + 12
    return names + [
      line((left, below - 10), (left, below + 2), "class=\"frame\""),
      line((left - 6, below - 10), (left + 6, below - 10), "class=\"frame\""),
      line((left - 6, below + 2), (left + 6, below + 2), "class=\"frame\""),
      label(left + 12, below, "95 % interval"),
    ]
  }

  private func colour(_ index: Int) -> String { Self.colours[index % Self.colours.count] }

  private func mark(_ index: Int, _ x: Double, _ y: Double) -> String {
    index.isMultiple(of: 2)
      ? "<circle cx=\"\(text(x))\" cy=\"\(text(y))\" r=\"4\" fill=\"\(colour(index))\"/>"
      : "<rect x=\"\(text(x - 4))\" y=\"\(text(y - 4))\" width=\"8\" height=\"8\" fill=\"\(colour(index))\"/>"
  }

  private func line(_ from: (Double, Double), _ to: (Double, Double), _ look: String) -> String {
    "<line x1=\"\(text(from.0))\" y1=\"\(text(from.1))\" x2=\"\(text(to.0))\" y2=\"\(text(to.1))\" \(look)/>"
  }

  private func label(_ x: Double, _ y: Double, _ words: String, anchor: String = "start", size: Int = 12) -> String {
    "<text x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">\(escaped(words))</text>"
  }

  private func text(_ value: Double) -> String { decimals(value, 1) }

  /// With commas between thousands.
  private func number(_ value: Double) -> String {
    let digits = String(Int(value.rounded()))
    return digits.enumerated().map { place, digit in
      place > 0 && (digits.count - place).isMultiple(of: 3) ? ",\(digit)" : "\(digit)"
    }.joined()
  }

  private func escaped(_ words: String) -> String {
    words.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }

  /// What is marked on both axes: on the horizontal one the values that occur, on the vertical one powers of ten and
  /// their multiples.
  private struct Axes {
    let xs, ys: [Double]
    private let x, y: ClosedRange<Double>

    init(_ points: [Point]) {
      xs = Set(points.map { max($0.x, LogPlot.leastValue) }).sorted()
      // From the largest of 1, 2, 5, 10 … that is not above any value to the smallest that no interval exceeds.
      let steps = product(0...12, [1, 2, 5]).map { $1 * pow(10, Double($0)) }
      let low = steps.last { step in points.allSatisfy { step <= $0.y.value } } ?? LogPlot.leastValue
      let high = steps.first { step in step > low && points.allSatisfy { $0.y.upper <= step } } ?? pow(10, 13)
      y = log10(low)...log10(high)
      let margin = 0.12
      x = log10(xs.first ?? 1) - margin...log10(xs.last ?? 1) + margin
      ys = product(0...13, 1...9).map { Double($1) * pow(10, Double($0)) }
        .filter { (low...high).contains($0) }
    }

    /// Shares of the whole width and height. Values below the lowest mark are drawn at it.
    func across(_ value: Double) -> Double { share(value, x) }
    func up(_ value: Double) -> Double { share(value, y) }

    private func share(_ value: Double, _ logs: ClosedRange<Double>) -> Double {
      max(0, (log10(value) - logs.lowerBound) / (logs.upperBound - logs.lowerBound))
    }

    /// Powers of ten, and if there is room also two and five times these.
    func isLabelled(_ value: Double) -> Bool {
      let first = value / pow(10, (log10(value) + 1e-9).rounded(.down))
      return first < 1.5 || y.upperBound - y.lowerBound <= 3 && [2, 5].contains(first.rounded())
    }
  }
}
