internal import RuleIR

/// A filter table between `iptables-save` and `iptables-restore`, edited as text, so that rules of other programs
/// survive.
struct FilterTableText {
  private typealias Line = ArraySlice<UInt8>

  /// `:CHAIN POLICY [packets:bytes]`
  private var declarations: [Line] = []
  private var rules: [Line] = []
  private var addedDeclarations: [UInt8] = []
  private var addedRules: [UInt8] = []

  init(saved: [UInt8]) {
    for line in saved.split(separator: UInt8(ascii: "\n")) {
      switch line.first {
      case UInt8(ascii: ":"): declarations.append(line)
      case UInt8(ascii: "-"): rules.append(line)
      // Skips `*filter`, COMMIT and comments.
      default: break
      }
    }
  }

  /// Adds a chain that is new in this sync.
  mutating func declare(_ chain: ChainName) { addedDeclarations += ":\(chain) - [0:0]\n".utf8 }

  /// `rule` is the part after `-A CHAIN`.
  mutating func append(_ rule: String, to chain: ChainName) { addedRules += "-A \(chain)\(rule)\n".utf8 }

  /// Whether the rule was there when the table was saved.
  func contains(_ rule: String, in chain: ChainName) -> Bool {
    let line = Array("-A \(chain)\(rule)".utf8)
    return rules.contains { $0.elementsEqual(line) }
  }

  /// Removes the rule if it exists, and adds it at the end of its chain.
  mutating func moveToEnd(_ rule: String, of chain: ChainName) {
    let line = Array("-A \(chain)\(rule)".utf8)
    rules.removeAll { $0.elementsEqual(line) }
    append(rule, to: chain)
  }

  /// Inserts a rule after the first `count` saved rules of its chain.
  mutating func insert(_ rule: String, into chain: ChainName, behind count: Int) {
    let head = Array("-A \(chain) ".utf8)
    let own = rules.indices.filter { rules[$0].starts(with: head) }
    let index = count < own.count ? own[count] : (own.last.map { $0 + 1 } ?? rules.count)
    rules.insert(Array("-A \(chain)\(rule)".utf8)[...], at: index)
  }

  /// The input for `iptables-restore`. Every line that contains the name of a stale chain is left out.
  func restoreText(without stale: StaleNames) -> [UInt8] {
    var text = Array("*filter\n".utf8)
    text.reserveCapacity(addedRules.count * 2)
    for line in declarations where !stale.occur(in: line) { text += line + [UInt8(ascii: "\n")] }
    text += addedDeclarations
    for line in rules where !stale.occur(in: line) {
      text += line
      text.append(UInt8(ascii: "\n"))
    }
    text += addedRules
    text += "COMMIT\n".utf8
    return text
  }
}

/// Names of stale chains, to be found anywhere in a line. They all begin with `KUBE-`, and most have the same length.
/// kube-router's own clean-up is slow because it searches thousands of lines for each of hundreds of names.
struct StaleNames {
  private let names: Set<ArraySlice<UInt8>>
  private let lengths: [Int]
  private static let head = Array("KUBE-".utf8)

  init(_ names: [ChainName]) {
    self.names = Set(names.map { Array($0.utf8)[...] })
    lengths = Set(names.map(\.utf8.count)).sorted()
  }

  func occur(in line: ArraySlice<UInt8>) -> Bool {
    var index = line.startIndex
    while index + Self.head.count <= line.endIndex {
      defer { index += 1 }
      guard line[index] == Self.head[0], line[index...].starts(with: Self.head) else { continue }
      for length in lengths where index + length <= line.endIndex {
        if names.contains(line[index..<index + length]) { return true }
      }
    }
    return false
  }
}
