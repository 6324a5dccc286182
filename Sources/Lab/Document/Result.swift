package import NetpolModel

extension Document {
  /// One thing that a command looked at, and what came of it.
  package struct Result: Sendable {
    /// How much something that was found matters. A command's exit code depends on it.
    package enum Level: String, CaseIterable, Comparable, Sendable {
      /// Not as expected: the exit code is 1.
      case error
      case warning
      /// Worth knowing.
      case note

      /// Ascending: a note is less than an error.
      package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
      private var rank: Int {
        switch self {
        case .note: 0
        case .warning: 1
        case .error: 2
        }
      }
    }

    package enum Outcome: Equatable, Sendable {
      /// As it should be: there is nothing to tell.
      case passed
      case found(Level)
      /// Not looked at, and why.
      case skipped(String)

      var level: Level? { if case .found(let level) = self { level } else { nil } }
    }

    /// What kind of thing was found.
    package struct Rule: Hashable, Sendable {
      /// A code such as `NPL-802`, a deviation such as `D8`, or a name such as `unexplained`.
      package let id: String
      /// One clause without a full stop.
      package let summary: String
      /// The page of the documentation, in the repository.
      package let page: String?

      package init(_ id: String, _ summary: String, page: String? = nil) {
        self.id = id
        self.summary = summary
        self.page = page
      }
    }

    /// A place that a flow's journey goes through.
    package struct Step: Hashable, Sendable {
      package let location: SourceLocation
      package let text: String
      /// 0 for a policy, 1 for its rules, 2 for their entries.
      package let depth: Int

      package init(_ location: SourceLocation, _ text: String, depth: Int = 0) {
        self.location = location
        self.text = text
        self.depth = depth
      }
    }

    package let rule: Rule
    package let outcome: Outcome
    /// The test suite that it belongs to.
    package let group: String
    /// What it is about: `shop/db`, or a flow such as `shop/web -> shop/db TCP/80`.
    package let object: String
    /// Where in the object: `ingress rule 0, peer 1`. It has no line numbers, so that it is the same tomorrow.
    package let part: String
    /// What tells it from others of the same rule and object, if `part` does not.
    package let identity: String
    /// Without a full stop.
    package let message: String
    package let location: SourceLocation?
    /// In the order in which a packet is asked about them.
    package let journey: [Step]

    package init(
      _ rule: Rule, _ outcome: Outcome, in group: String, _ object: String, part: String = "", identity: String = "",
      _ message: String = "", at location: SourceLocation? = nil, journey: [Step] = []
    ) {
      self.rule = rule
      self.outcome = outcome
      level = outcome.level
      self.group = group
      self.object = object
      self.part = part
      self.identity = identity
      self.message = message
      self.location = location
      self.journey = journey
    }

    /// `nil` if there is nothing to tell.
    ///
    /// A stored property: where the optimizer of Swift 6.3 copies a part of `outcome` out of many results, it crashes.
    package let level: Level?
    /// The name as a test case.
    var name: String { part.isEmpty ? object : "\(object), \(part)" }
  }

  /// What was found, the most severe first.
  var findings: [(level: Result.Level, result: Result)] {
    let all = results
    var findings: [(level: Result.Level, result: Result)] = []
    for level in Result.Level.allCases {
      for result in all where result.level == level { findings.append((level, result)) }
    }
    return findings
  }

  /// Whether something was found that is at least as severe.
  package func has(atLeast level: Result.Level) -> Bool { results.contains { $0.level.map { $0 >= level } ?? false } }
}

extension Document.Result.Rule {
  /// A reason or an obstacle that has a page of its own.
  package init(_ code: NetpolModel.Code) { self.init(code.rawValue, code.summary, page: "docs/codes/\(code).md") }
}
