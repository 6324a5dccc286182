internal import Text
internal import Yams

/// A scalar as kubectl's YAML reader (a fork of go-yaml 2, so YAML 1.1) passes it to the API server.
enum Scalar: Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A fraction, an exponent, or an integer too large for Int.
  case decimal(Double)
  case string(String)

  init(_ scalar: Yams.Node.Scalar) {
    let isPlain = scalar.style == .plain || scalar.style == .any
    self =
      isPlain && scalar.tag.rawValue != "tag:yaml.org,2002:str" ? Scalar(plain: scalar.string) : .string(scalar.string)
  }

  /// go-yaml's `resolve`, for text without quotes or tag. A date stays a string.
  init(plain text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": self = .bool(true)
    case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": self = .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .decimal(.infinity)
    case "-.inf", "-.Inf", "-.INF": self = .decimal(-.infinity)
    case ".nan", ".NaN", ".NAN": self = .decimal(.nan)
    default: self = Scalar.number(text) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> Scalar? {
    guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return nil }
    let digits = text.filter { $0 != "_" }
    if let integer = integer(digits) { return .integer(integer) }
    guard isDecimal(digits), let value = Double(digits), value.isFinite else { return nil }
    return .decimal(value)
  }

  /// Go's `strconv.ParseInt` with base 0.
  private static func integer(_ text: String) -> Int? {
    let sign = text.hasPrefix("-") ? "-" : ""
    let unsigned = text.drop { $0 == "-" || $0 == "+" }
    guard text.count - unsigned.count <= 1, unsigned.first?.isHexDigit == true else { return nil }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)]
    where unsigned.hasPrefix(prefix) {
      return Int(sign + unsigned.dropFirst(2), radix: radix)
    }
    return Int(sign + unsigned, radix: unsigned.count > 1 && unsigned.first == "0" ? 8 : 10)
  }

  /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
  private static func isDecimal(_ text: String) -> Bool {
    var rest = Substring(text)
    func digits() -> Int {
      let run = rest.prefix { ("0"..."9").contains($0) }
      rest = rest.dropFirst(run.count)
      return run.count
    }
    if let sign = rest.first, sign == "-" || sign == "+" { rest.removeFirst() }
    let whole = digits()
    var fraction = 0
    if rest.first == "." {
      rest.removeFirst()
      fraction = digits()
    }
    guard whole + fraction > 0 else { return false }
    if let e = rest.first, e == "e" || e == "E" {
      rest.removeFirst()
      if let sign = rest.first, sign == "-" || sign == "+" { rest.removeFirst() }
      guard digits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}

extension Scalar: CustomStringConvertible {
  var description: String {
    switch self {
    case .null: "nothing"
    case .bool(let value): "the boolean \(value)"
    case .integer(let value): "the number \(value)"
    case .decimal(let value): "the number \(value)"
    case .string(let text): "the string \(text.quoted)"
    }
  }
}
