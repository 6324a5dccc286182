internal import RuleIR

/// A filter table between `iptables-save` and `iptables-restore`, edited as text, so that rules of other programs
/// survive.
///
/// The text is kept and searched as kube-router does it, because that work is most of what its controller does itself
/// between the sets and the chains: it is part of the window in which a new pod is not confined.
struct FilterTableText {
  /// What `iptables-save` printed, and behind it what this sync adds. Declarations and rules are sorted at the end.
  private var text: [UInt8]

  init(saved: [UInt8]) { text = saved }

  /// Adds a chain that is new in this sync.
  mutating func declare(_ chain: ChainName) { text += ":\(chain) - [0:0]\n".utf8 }

  /// `rule` is the part after `-A CHAIN`.
  mutating func append(_ rule: String, to chain: ChainName) { text += "-A \(chain)\(rule)\n".utf8 }

  /// Adds a rule unless the text has it. For each pod kube-router copies the whole text to search it for the rule that
  /// logs what the pod's chain refuses (`dropUnmarkedTrafficRules` in its `pkg/controllers/netpol/pod.go`).
  mutating func appendUnlessInCopy(_ rule: String, to chain: ChainName) {
    let line = Array("-A \(chain)\(rule)\n".utf8)
    // Reserving storage makes it a copy and no second reference.
    var copy: [UInt8] = []
    copy.reserveCapacity(text.count)
    copy += text
    if !copy.contains(text: line) { text += line }
  }

  /// Whether the text has the rule.
  func contains(_ rule: String, in chain: ChainName) -> Bool {
    let line = Array("-A \(chain)\(rule)".utf8)
    return lines.contains { $0.elementsEqual(line) }
  }

  /// Removes the rule if it exists, and adds it at the end of its chain (`utils.AppendUnique` of kube-router, which
  /// splits the text into lines and joins them again).
  mutating func moveToEnd(_ rule: String, of chain: ChainName) {
    let line = Array("-A \(chain)\(rule)".utf8)
    var rest: [UInt8] = []
    rest.reserveCapacity(text.count)
    for other in lines where !other.elementsEqual(line) {
      rest += other
      rest.append(Self.newline)
    }
    text = rest
    append(rule, to: chain)
  }

  /// Inserts a rule behind the first `count` rules of its chain, or behind its last one.
  mutating func insert(_ rule: String, into chain: ChainName, behind count: Int) {
    let head = Array("-A \(chain) ".utf8)
    let own = lines.filter { $0.starts(with: head) }
    let place = count < own.count ? own[count].startIndex : own.last.map { $0.endIndex + 1 } ?? text.count
    text.insert(contentsOf: Array("-A \(chain)\(rule)\n".utf8), at: min(place, text.count))
  }

  /// The input for `iptables-restore`. Every line that contains the name of a stale chain is left out.
  func restoreText(without stale: StaleNames) -> [UInt8] {
    var (declarations, rules): ([UInt8], [UInt8]) = ([], [])
    for line in lines where !stale.occur(in: line) {
      switch line.first {
      case UInt8(ascii: ":"): declarations += line + [Self.newline]
      case UInt8(ascii: "-"):
        rules += line
        rules.append(Self.newline)
      // Skips `*filter`, COMMIT and comments.
      default: break
      }
    }
    return Array("*filter\n".utf8) + declarations + rules + Array("COMMIT\n".utf8)
  }

  private static let newline = UInt8(ascii: "\n")
  private var lines: [ArraySlice<UInt8>] { text.split(separator: Self.newline) }
}

/// Names of stale chains, to be found anywhere in a line. kube-router searches each line for one name after the other
/// (`cleanupStaleRules`), lines x names searches, and so does this.
struct StaleNames {
  /// Chains of pods, and of policies. A line is searched for both kinds, even if it has a name of the first.
  private let pods, policies: [[UInt8]]

  init(pods: [ChainName] = [], policies: [ChainName] = []) {
    self.pods = pods.map { Array($0.utf8) }
    self.policies = policies.map { Array($0.utf8) }
  }

  func occur(in line: ArraySlice<UInt8>) -> Bool {
    let isPods = pods.contains { line.contains(text: $0) }
    return policies.contains { line.contains(text: $0) } || isPods
  }
}
