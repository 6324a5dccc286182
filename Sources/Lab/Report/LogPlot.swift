internal import Foundation

/// Lines over two logarithmic axes, as SVG 1.1.
struct LogPlot {
  struct Point {
    var x: Double
    var y: Estimate
  }

  var title: String
  var horizontal, vertical: String
  var series: [(name: String, points: [Point])]

  private static let size = (width: 720.0, height: 440.0)
  private static let area = (left: 70.0, right: 530.0, top: 40.0, bottom: 390.0)
  /// Distinguishable without colours too, by the marks (Okabe and Ito's palette).
  private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
  /// What is not above it is drawn on it.
  private static let leastValue = 1.0

  var svg: String {
    let xs = decades(series.flatMap { $0.points.map(\.x) })
    let ys = decades(series.flatMap { $0.points.flatMap { [$0.y.lower, $0.y.upper] } })
    let (area, size) = (Self.area, Self.size)
    let across = { (value: Double) in area.left + Self.share(value, xs) * (area.right - area.left) }
    let up = { (value: Double) in area.bottom - Self.share(value, ys) * (area.bottom - area.top) }
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(size.width)) \(Int(size.height))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>", label(area.left, 24, title, size: 15),
    ]
    for exponent in xs {
      let x = across(pow(10, Double(exponent)))
      lines += [
        line((x, area.top), (x, area.bottom), "#dddddd"), label(x, area.bottom + 18, power(exponent), anchor: "middle"),
      ]
    }
    for exponent in ys {
      let y = up(pow(10, Double(exponent)))
      lines += [
        line((area.left, y), (area.right, y), "#dddddd"), label(area.left - 8, y + 4, power(exponent), anchor: "end"),
      ]
    }
    lines.append(label((area.left + area.right) / 2, area.bottom + 38, horizontal, anchor: "middle"))
    let middle = (area.top + area.bottom) / 2
    lines.append(
      "<text x=\"18\" y=\"\(text(middle))\" text-anchor=\"middle\" transform=\"rotate(-90 18 \(text(middle)))\">\(escaped(vertical))</text>"
    )
    for (index, one) in series.enumerated() {
      let colour = Self.colours[index % Self.colours.count]
      let points = one.points.sorted { $0.x < $1.x }
      let path = points.map { "\(text(across($0.x))),\(text(up($0.y.value)))" }.joined(separator: " ")
      lines.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>")
      for point in points {
        let x = across(point.x)
        lines += [
          line((x, up(point.y.lower)), (x, up(point.y.upper)), colour), mark(index, x, up(point.y.value), colour),
        ]
      }
      let y = area.top + 10 + Double(index) * 20
      lines += [mark(index, area.right + 20, y - 4, colour), label(area.right + 32, y, one.name)]
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// Exponents of ten from below the least value to above the largest.
  private func decades(_ values: [Double]) -> ClosedRange<Int> {
    let logs = values.map { log10(max($0, Self.leastValue)) }
    let low = Int((logs.min() ?? 0).rounded(.down))
    return low...max(Int((logs.max() ?? 1).rounded(.up)), low + 1)
  }

  private static func share(_ value: Double, _ decades: ClosedRange<Int>) -> Double {
    (log10(max(value, leastValue)) - Double(decades.lowerBound)) / Double(decades.upperBound - decades.lowerBound)
  }

  private func power(_ exponent: Int) -> String {
    let zeros = String(repeating: "0", count: exponent % 3)
    return "1\(zeros)" + String(repeating: ",000", count: exponent / 3)
  }

  private func mark(_ index: Int, _ x: Double, _ y: Double, _ colour: String) -> String {
    index.isMultiple(of: 2)
      ? "<circle cx=\"\(text(x))\" cy=\"\(text(y))\" r=\"4\" fill=\"\(colour)\"/>"
      : "<rect x=\"\(text(x - 4))\" y=\"\(text(y - 4))\" width=\"8\" height=\"8\" fill=\"\(colour)\"/>"
  }

  private func line(_ from: (Double, Double), _ to: (Double, Double), _ colour: String) -> String {
    "<line x1=\"\(text(from.0))\" y1=\"\(text(from.1))\" x2=\"\(text(to.0))\" y2=\"\(text(to.1))\" stroke=\"\(colour)\"/>"
  }

  private func label(_ x: Double, _ y: Double, _ words: String, anchor: String = "start", size: Int = 12) -> String {
    "<text x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">\(escaped(words))</text>"
  }

  private func text(_ value: Double) -> String { decimals(value, 1) }

  private func escaped(_ words: String) -> String {
    words.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }
}
