// What a SARIF log holds (SARIF 2.1.0, section 3), as far as it is written here. Names are those of the standard.

struct SARIFLog: Encodable {
  enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case version, runs
  }

  let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
  let version = "2.1.0"
  let runs: [SARIFRun]
}

struct SARIFRun: Encodable {
  struct Automation: Encodable {
    let id: String
  }
  struct Tool: Encodable {
    let driver: Driver
  }
  struct Driver: Encodable {
    let name, version: String
    let rules: [SARIFRule]
  }
  struct Invocation: Encodable {
    let executionSuccessful: Bool
    let toolExecutionNotifications: [Notification]
  }
  struct Notification: Encodable {
    let level: String
    let message: SARIFText
  }

  let tool: Tool
  let automationDetails: Automation
  let invocations: [Invocation]
  let results: [SARIFResult]
}

struct SARIFText: Encodable {
  let text: String

  /// In a message `{0}` and `[text](target)` have a meaning, so neither is left (3.11.5, 3.11.6).
  init(_ text: String) {
    self.text = text.replacing("{", with: "{{").replacing("}", with: "}}").replacing("](", with: "] (")
  }
}

struct SARIFRule: Encodable {
  struct Configuration: Encodable {
    let level: String
  }

  let id: String
  let shortDescription, fullDescription: SARIFText
  let help: SARIFText
  let defaultConfiguration: Configuration
}

struct SARIFResult: Encodable {
  struct CodeFlow: Encodable {
    let threadFlows: [ThreadFlow]
  }
  struct ThreadFlow: Encodable {
    let locations: [FlowLocation]
  }
  struct FlowLocation: Encodable {
    let location: SARIFLocation
    let nestingLevel: Int
  }

  let ruleId: String
  let ruleIndex: Int
  let level: String
  let message: SARIFText
  let locations: [SARIFLocation]
  let partialFingerprints: [String: String]
  let codeFlows: [CodeFlow]?
}

struct SARIFLocation: Encodable {
  struct Physical: Encodable {
    let artifactLocation: Artifact
    let region: Region
  }
  struct Artifact: Encodable {
    let uri: String
    let uriBaseId: String?
  }
  /// A whole line.
  struct Region: Encodable {
    let startLine, startColumn, endLine: Int

    init(line: Int) { (startLine, startColumn, endLine) = (line, 1, line) }
  }
  struct Logical: Encodable {
    let fullyQualifiedName: String
    let kind: String
  }

  let physicalLocation: Physical?
  let logicalLocations: [Logical]?
  let message: SARIFText?
}
