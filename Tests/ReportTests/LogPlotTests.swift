import Foundation
import FoundationXML
import Statistics
import Testing

@testable import Documents
@testable import Report

@Suite("A plot with logarithmic axes") struct LogPlotTests {
  @Test("a plot is well-formed XML with a line and a legend for each series") func plot() throws {
    let series = (1...3).map { number in
      (
        name: "a < b & \(number)",
        points: [10.0, 100, 1000].map { LogPlot.Point(x: $0, y: Estimate($0 * Double(number), -5, $0 * 4)) }
      )
    }
    let svg = LogPlot(title: "t & u", horizontal: "x", vertical: "y", series: series).svg
    let reader = XMLEvents()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.names["polyline"] == 3 && reader.text.contains("a < b & 2"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    // The measured numbers of pods, and powers of ten.
    for mark in [">10<", ">100<", ">1,000<", ">5,000<", ">95 % interval<"] { #expect(svg.contains(mark), "\(mark)") }
  }
}

private final class XMLEvents: NSObject, XMLParserDelegate {
  var names: [String: Int] = [:]
  var text = ""
  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) { names[name, default: 0] += 1 }
  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
