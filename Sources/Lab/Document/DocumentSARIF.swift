public import Foundation
internal import Text

/// What a document found, as a SARIF 2.1.0 log with one run, within what GitHub accepts.
public struct DocumentSARIF {
  /// What a log may hold at most. What is less severe is left out first.
  struct Limits {
    var results = 25_000
    /// Steps of one journey.
    var steps = 10_000
    /// Bytes of the log after compression.
    var compressed = 10_000_000
    /// Characters of one message, and of a rule's description.
    var message = 4000
    var description = 1000
  }

  private let document: Document
  private let command: String
  private let version: String
  private let places: FilePlaces
  private let limits: Limits

  /// `command` is what was run, such as `lint`, and `version` the program's.
  public init(_ document: Document, of command: String, version: String, _ places: FilePlaces = FilePlaces()) {
    self.init(document, of: command, version: version, places, limits: Limits())
  }

  init(
    _ document: Document, of command: String, version: String, _ places: FilePlaces = FilePlaces(), limits: Limits
  ) {
    self.document = document
    self.command = command
    self.version = version
    self.places = places
    self.limits = limits
  }

  /// UTF-8, one line, keys in alphabetical order, escaped as `DocumentJSON` does.
  public func data() throws -> Data {
    let all = results
    var kept = min(all.count, limits.results)
    while true {
      let data = try encoded(Array(all.prefix(kept)), leftOut: all.count - kept)
      let size = compressedSize(data)
      if size <= limits.compressed || kept == 0 { return data }
      // What all results have in common is small.
      kept = min(kept - 1, Int(Double(kept) * 0.98 * Double(limits.compressed) / Double(size)))
    }
  }

  private func compressedSize(_ data: Data) -> Int {
    // What is small enough as it is needs no estimate.
    data.count <= limits.compressed ? data.count : DeflateBound.size(of: [UInt8](data))
  }

  /// A result of the log, with the rule that its index is yet to be found for.
  private struct Found {
    let level: Document.Result.Level
    let result: Document.Result
    let fingerprint: String
  }

  /// Equal results are numbered in the document's order, which is the same in every run.
  private var results: [Found] {
    var fingerprints = Fingerprints()
    var byLevel: [Document.Result.Level: [Found]] = [:]
    for result in document.results {
      guard let level = result.level else { continue }
      byLevel[level, default: []].append(Found(level: level, result: result, fingerprint: fingerprints.next(result)))
    }
    return Document.Result.Level.allCases.flatMap { byLevel[$0] ?? [] }
  }

  private func encoded(_ found: [Found], leftOut: Int) throws -> Data {
    var numbers: [String: Int] = [:]
    var rules: [SARIFRule] = []
    var shortened = 0
    let results = found.map { one in
      let number = numbers[one.result.rule.id] ?? rules.count
      if number == rules.count {
        numbers[one.result.rule.id] = number
        rules.append(rule(one.result.rule, one.level))
      }
      if one.result.journey.count > limits.steps { shortened += 1 }
      return result(one, ruleIndex: number)
    }
    let notes = [
      leftOut > 0 ? "\(counted(leftOut, "result")) left out, the least severe ones: a log may have no more" : nil,
      shortened > 0
        ? "\(counted(shortened, "result")) without the steps of the journey after the first \(grouped(limits.steps))"
        : nil,
    ].compactMap(\.self)
    let run = SARIFRun(
      tool: .init(driver: .init(name: "netpol-lab", version: version, rules: rules)),
      automationDetails: .init(id: "netpol-lab/\(command)/"),
      invocations: [
        .init(
          executionSuccessful: true,
          toolExecutionNotifications: notes.map { .init(level: "note", message: SARIFText($0)) })
      ],
      results: results)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(SARIFLog(runs: [run])).escapingForTerminals
  }

  private func rule(_ rule: Document.Result.Rule, _ level: Document.Result.Level) -> SARIFRule {
    let summary = SARIFText(rule.summary.cut(to: limits.description))
    return SARIFRule(
      id: rule.id, shortDescription: summary, fullDescription: summary,
      help: SARIFText(rule.page.map { "\(rule.summary). \($0) has more." } ?? "\(rule.summary)."),
      defaultConfiguration: .init(level: level.rawValue))
  }

  private func result(_ found: Found, ruleIndex: Int) -> SARIFResult {
    let result = found.result
    let part = result.part.isEmpty ? "" : ", \(result.part)"
    let steps = result.journey.prefix(limits.steps).compactMap { step in
      physical(places.place(of: step.location)).map { place in
        SARIFResult.FlowLocation(
          location: SARIFLocation(
            physicalLocation: place, logicalLocations: nil, message: SARIFText(step.text.cut(to: limits.message))),
          nestingLevel: step.depth)
      }
    }
    return SARIFResult(
      ruleId: result.rule.id, ruleIndex: ruleIndex, level: found.level.rawValue,
      message: SARIFText("\(result.object)\(part): \(result.message)".cut(to: limits.message)),
      locations: [
        SARIFLocation(
          physicalLocation: physical(places.place(of: result.location)),
          logicalLocations: [.init(fullyQualifiedName: result.object.cut(to: limits.message), kind: "resource")],
          message: nil)
      ],
      partialFingerprints: [Fingerprints.key: found.fingerprint, Fingerprints.gitHubKey: found.fingerprint],
      codeFlows: steps.isEmpty ? nil : [.init(threadFlows: [.init(locations: steps)])])
  }

  /// A relative path is one below the root of the sources, whatever that is where the log is read.
  private func physical(_ place: (path: String, line: Int)?) -> SARIFLocation.Physical? {
    place.map { path, line in
      let isAbsolute = path.hasPrefix("/")
      return SARIFLocation.Physical(
        artifactLocation: .init(
          uri: (isAbsolute ? "file://" : "") + path.asURIPath, uriBaseId: isAbsolute ? nil : "%SRCROOT%"),
        region: .init(line: line))
    }
  }
}

extension String {
  /// Percent-encoded: everything but the unreserved characters of RFC 3986 and the slash.
  fileprivate var asURIPath: String {
    var result = ""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"), UInt8(ascii: "/"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return result
  }
}
