// Not covered: what the test report of a CI system shows.
import Foundation
import FoundationXML
import NetpolModel
import Testing

@testable import Documents

@Suite("JUnit XML") struct JUnitFormatTests {
  @Test("suites and their cases are counted, each outcome in its own way") func outcomes() throws {
    let text = DocumentJUnit(ResultsByHand.document(ResultsByHand.all), of: "lint").text
    #expect(
      text == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="netpol-lab lint" tests="5" failures="1" errors="0" skipped="1">
          <testsuite name="Lint" tests="4" failures="1" errors="0" skipped="0">
            <testcase classname="Lint" name="shop/ok"/>
            <testcase classname="Lint" name="shop/noted">
              <system-out>shop.yaml:12: mend it [NPL-802]</system-out>
            </testcase>
            <testcase classname="Lint" name="shop/bad">
              <failure message="mend it" type="NPL-802">shop.yaml:12: mend it [NPL-802]</failure>
            </testcase>
            <testcase classname="Lint" name="shop/odd">
              <system-out>shop.yaml:12: mend it [NPL-802]</system-out>
            </testcase>
          </testsuite>
          <testsuite name="Other" tests="1" failures="0" errors="0" skipped="1">
            <testcase classname="Other" name="shop/left">
              <skipped message="no such pod"/>
            </testcase>
          </testsuite>
        </testsuites>

        """)
  }

  @Test("warnings are failures where they fail the command") func warnings() {
    let text = DocumentJUnit(ResultsByHand.document(ResultsByHand.all), of: "lint", failsFromWarning: true).text
    #expect(text.contains(#"tests="5" failures="2""#))
  }

  @Test("the input's text is read back as it is, but for characters that XML 1.0 forbids") func escapes() throws {
    let hostile = ResultsByHand.hostile
    let text = DocumentJUnit(
      ResultsByHand.document([ResultsByHand.found(.error, hostile, hostile, steps: 3)]), of: "lint"
    ).text
    let read = try Reader.read(text)
    let kept = String(
      String.UnicodeScalarView(
        hostile.unicodeScalars.map { ["\u{0}", "\u{1b}", "\u{fffe}"].contains($0) ? "\u{fffd}" : $0 }))
    #expect(read.attributes["testcase"]?["name"] == kept)
    #expect(read.attributes["failure"]?["message"] == kept)
    #expect(read.text.contains("shop.yaml:12: \(kept) [NPL-802]\n  shop.yaml:12: step 0\n    shop.yaml:13: step 1"))
    #expect(!text.unicodeScalars.contains { $0 == "\u{202e}" || $0 == "\u{1b}" })
  }

  private final class Reader: NSObject, XMLParserDelegate {
    private(set) var attributes: [String: [String: String]] = [:]
    private(set) var text = ""

    /// Throws if the text is not well formed.
    static func read(_ text: String) throws -> Reader {
      let (parser, reader) = (XMLParser(data: Data(text.utf8)), Reader())
      parser.delegate = reader
      try #require(parser.parse(), "\(String(describing: parser.parserError))")
      return reader
    }

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      self.attributes[name] = attributes
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }
}
