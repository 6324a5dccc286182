internal import NetpolModel

extension LabelSelector {
  /// The text of a query: `app=web,tier in (a, b),!old` (`k8s.io/apimachinery/pkg/labels`, `Parse`). Throws `badRequest`.
  init(query: String) throws(APIStatus) {
    var expressions: [Expression] = []
    if query.allSatisfy(\.isWhitespace) {
      self = .everything
      return
    }
    for term in Self.terms(query) { expressions.append(try Expression(query: term)) }
    self.init(matchExpressions: expressions)
  }

  /// What stands between the commas outside parentheses, without space around it.
  private static func terms(_ query: String) -> [Substring] {
    var terms: [Substring] = []
    var (start, depth) = (query.startIndex, 0)
    for index in query.indices {
      switch query[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        terms.append(query[start..<index])
        start = query.index(after: index)
      default: break
      }
    }
    return (terms + [query[start...]]).map(\.trimmed)
  }
}

extension LabelSelector.Expression {
  fileprivate init(query term: Substring) throws(APIStatus) {
    let invalid = APIStatus(.badRequest, "unable to parse requirement: \"\(term)\" is no selector such as app=web")
    if term.first == "!" {
      self.init(key: try term.dropFirst().trimmed.labelKey(invalid), operator: .doesNotExist)
    } else if let open = term.firstIndex(of: "("), term.last == ")" {
      let words = term[..<open].split(whereSeparator: \.isWhitespace)
      guard words.count == 2, ["in", "notin"].contains(words[1]) else { throw invalid }
      let values = term[term.index(after: open)...].dropLast().split(
        separator: ",", omittingEmptySubsequences: false)
      self.init(
        key: try words[0].labelKey(invalid), operator: words[1] == "in" ? .in : .notIn,
        values: try values.map { (value) throws(APIStatus) in try value.trimmed.labelValue(invalid) })
    } else if let equals = term.firstIndex(of: "=") {
      let left = term[..<equals]
      let isEqual = left.last != "!"
      let right = term[term.index(after: equals)...]
      self.init(
        key: try (isEqual ? left : left.dropLast()).trimmed.labelKey(invalid), operator: isEqual ? .in : .notIn,
        values: [try (right.first == "=" ? right.dropFirst() : right).trimmed.labelValue(invalid)])
    } else {
      self.init(key: try term.labelKey(invalid), operator: .exists)
    }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let start = drop(while: \.isWhitespace)
    return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
  }

  fileprivate func labelKey(_ otherwise: APIStatus) throws(APIStatus) -> String {
    let parts = split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.isLabelText }) else { throw otherwise }
    return String(self)
  }

  fileprivate func labelValue(_ otherwise: APIStatus) throws(APIStatus) -> String {
    if isEmpty || isLabelText { return String(self) }
    throw otherwise
  }

  /// Letters, digits, '-', '_' and '.', with a letter or digit at both ends.
  private var isLabelText: Bool {
    let isWord = { (character: Character) in character.isASCII && (character.isLetter || character.isNumber) }
    return first.map(isWord) ?? false && last.map(isWord) ?? false
      && allSatisfy { isWord($0) || "-_.".contains($0) }
  }
}
