internal import NetpolModel
internal import RuleIR

/// The limit on a policy's log rule, from the annotations that k3s's fork reads.
enum NFLOGLimit {
  static let limitAnnotation = "kube-router.io/netpol-nflog-limit"
  static let burstAnnotation = "kube-router.io/netpol-nflog-limit-burst"
  static let standard = RateLimit(10, per: .minute, burst: 10)

  /// Returns the default limit and burst if either annotation is malformed.
  static func read(_ annotations: Labels) -> RateLimit {
    guard let burst = annotations[burstAnnotation].map(goInteger) ?? standard.burst,
      let limit = annotations[limitAnnotation].map(rate) ?? (standard.rate, standard.unit)
    else { return standard }
    return RateLimit(limit.0, per: limit.1, burst: burst)
  }

  /// Whether iptables-restore accepts the limit: a rate from 1 to 10,000 a second, a burst from 0 to 10,000.
  static func isLoadable(_ limit: RateLimit) -> Bool {
    limit.rate > 0 && limit.rate <= 10_000 * limit.unit.seconds && (0...10_000).contains(limit.burst)
  }

  /// Parses `N` or `N/unit`. The unit is a name or its first letter. A bare number is per second.
  private static func rate(_ text: String) -> (Int, RateLimit.Unit)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let number = goInteger(String(parts[0])) else { return nil }
    if parts.count == 1 { return (number, .second) }
    guard parts.count == 2 else { return nil }
    switch parts[1] {
    case "second", "s": return (number, .second)
    case "minute", "m": return (number, .minute)
    case "hour", "h": return (number, .hour)
    case "day", "d": return (number, .day)
    default: return nil
    }
  }

  /// Parses like Go's `strconv.Atoi`: an optional sign and decimal digits.
  private static func goInteger(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 43 || $0 == 45 }) else { return nil }
    return Int(text)
  }

  /// `ns/name`, shortened to fit into a prefix of 64 bytes.
  static func prefix(_ policy: PolicyID) -> String {
    let (namespace, name) = (policy.namespace.utf8.count, policy.name.utf8.count)
    if namespace + name < 48 { return "DROP by policy \(policy)" }
    if namespace >= 24, name >= 24 { return "DROP by policy \(cut(policy.namespace, 23))/\(cut(policy.name, 23))" }
    return namespace > name
      ? "DROP by policy \(cut(policy.namespace, 47 - name))/\(policy.name)"
      : "DROP by policy \(policy.namespace)/\(cut(policy.name, 47 - namespace))"
  }

  private static func cut(_ text: String, _ bytes: Int) -> String {
    String(decoding: text.utf8.prefix(bytes), as: UTF8.self)
  }
}
