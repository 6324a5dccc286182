internal import NetpolModel

extension LabelSelector {
  /// The text of a query: `app=web,tier in (a, b),!old` (`k8s.io/apimachinery/pkg/labels`, `Parse`). Throws `badRequest`.
  init(query: String) throws(APIStatus) {
    var expressions: [Expression] = []
    for term in Self.terms(query) where !term.isEmpty { expressions.append(try Expression(query: term)) }
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
        values: values.map { String($0.trimmed) })
    } else if let equals = term.firstIndex(of: "=") {
      let left = term[..<equals]
      let isEqual = left.last != "!"
      let right = term[term.index(after: equals)...]
      self.init(
        key: try (isEqual ? left : left.dropLast()).trimmed.labelKey(invalid), operator: isEqual ? .in : .notIn,
        values: [String((right.first == "=" ? right.dropFirst() : right).trimmed)])
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
    let isKey = !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }
    if isKey { return String(self) }
    throw otherwise
  }
}
