internal import OrderedCollections
internal import Text

/// What a document looked at, as test suites in the XML that test reports of CI systems read.
public struct DocumentJUnit {
  private let document: Document
  private let command: String
  private let failsFromWarning: Bool

  /// `command` is what was run, such as `lint`. `failsFromWarning`: whether warnings are failures too.
  public init(_ document: Document, of command: String, failsFromWarning: Bool = false) {
    self.document = document
    self.command = command
    self.failsFromWarning = failsFromWarning
  }

  /// XML 1.0 in UTF-8. Without times: a report does not say how long one question took.
  public var text: String {
    let results = document.results
    let suites = OrderedDictionary(grouping: results, by: \.group)
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      + "<testsuites \(attribute("name", "netpol-lab \(command)")) \(counts(results))>\n"
      + suites.map(suite).joined() + "</testsuites>\n"
  }

  private func suite(_ name: String, _ results: [Document.Result]) -> String {
    "  <testsuite \(attribute("name", name)) \(counts(results))>\n" + results.map(testCase).joined()
      + "  </testsuite>\n"
  }

  private func counts(_ results: [Document.Result]) -> String {
    let skipped = results.count { if case .skipped = $0.outcome { true } else { false } }
    return
      "tests=\"\(results.count)\" failures=\"\(results.count(where: isFailure))\" errors=\"0\" skipped=\"\(skipped)\""
  }

  private func isFailure(_ result: Document.Result) -> Bool {
    result.level.map { $0 >= (failsFromWarning ? .warning : .error) } ?? false
  }

  private func testCase(_ result: Document.Result) -> String {
    let start = "    <testcase \(attribute("classname", result.group)) \(attribute("name", result.name))"
    let content =
      switch result.outcome {
      case .passed: ""
      case .skipped(let why): "      <skipped \(attribute("message", why))/>\n"
      case .found where isFailure(result):
        "      <failure \(attribute("message", result.message)) \(attribute("type", result.rule.id))>"
          + "\(details(result).asXML)</failure>\n"
      case .found: "      <system-out>\(details(result).asXML)</system-out>\n"
      }
    return content.isEmpty ? "\(start)/>\n" : "\(start)>\n\(content)    </testcase>\n"
  }

  /// Where it is, what is wrong, and a line for each step of the journey.
  private func details(_ result: Document.Result) -> String {
    let place = result.location.map { "\($0): " } ?? ""
    let steps = result.journey.map { step in
      String(repeating: "  ", count: step.depth + 1) + "\(step.location): \(step.text)"
    }
    return (["\(place)\(result.message) [\(result.rule.id)]"] + steps).joined(separator: "\n")
  }

  private func attribute(_ name: String, _ value: String) -> String { "\(name)=\"\(value.asXMLAttribute)\"" }
}

extension String {
  /// The text in an attribute, where a reader would take a line break for a space.
  fileprivate var asXMLAttribute: String { asXML.replacing("\n", with: "&#10;") }

  /// The text in an element. A character that XML 1.0 forbids is replaced, and one that acts on a terminal is a
  /// reference.
  fileprivate var asXML: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&apos;"
      case "\n": result.unicodeScalars.append(scalar)
      case _ where scalar.isForbiddenInXML: result += "\u{fffd}"
      case _ where scalar.actsOnTerminal: result += "&#\(scalar.value);"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// XML 1.0, production 2 (Char).
  fileprivate var isForbiddenInXML: Bool {
    switch value {
    case 0x9, 0xa, 0xd: false
    case ..<0x20, 0xfffe, 0xffff: true
    default: false
    }
  }
}
