internal import NetpolModel
internal import Text

extension PolicyDecoder {
  mutating func peer(_ field: Field) throws(ManifestError) -> NetworkPolicy.Peer {
    let fields = try field.fields()
    try close(fields, to: ["podSelector", "namespaceSelector", "ipBlock"])
    let pods = fields["podSelector"]
    let namespaces = fields["namespaceSelector"]
    if let block = fields["ipBlock"] {
      if pods != nil || namespaces != nil {
        throw field.error("may not specify both ipBlock and another peer", "use a separate list entry for each")
      }
      return .block(try ipBlock(block))
    }
    if pods == nil, namespaces == nil {
      throw field.error("must specify a peer", "write podSelector: {} for every pod of the policy's namespace")
    }
    var scope = NetworkPolicy.NamespaceScope.own
    if let namespaces { scope = .matching(try selector(namespaces)) }
    return .pods(
      in: scope, matching: try pods.map { (field) throws(ManifestError) in try selector(field) } ?? .everything)
  }

  private mutating func ipBlock(_ field: Field) throws(ManifestError) -> NetworkPolicy.IPBlock {
    let fields = try field.fields()
    try close(fields, to: ["cidr", "except"])
    let cidr = try self.cidr(try fields.required("cidr", "write 0.0.0.0/0 for every IPv4 address"))
    var excepts: [CIDR] = []
    for entry in try fields["except"]?.list() ?? [] {
      let except = try self.cidr(entry)
      if validation == .apiServer, !cidr.contains(except) || cidr == except {
        throw entry.error(
          "\(except) must be a strict subset of cidr \(cidr)",
          cidr == except ? "remove the peer, because nothing is left of it" : "remove it, or widen cidr")
      }
      excepts.append(except)
    }
    return NetworkPolicy.IPBlock(cidr, except: excepts)
  }

  private mutating func cidr(_ field: Field) throws(ManifestError) -> CIDR {
    let cidr = try field.cidr()
    if try field.hasHostBits() {
      warn("\(field.error("\(try field.string().quoted) has host bits set and means \(cidr)"))")
    }
    return cidr
  }

  mutating func selector(_ field: Field) throws(ManifestError) -> LabelSelector {
    let fields = try field.fields()
    try close(fields, to: ["matchLabels", "matchExpressions"])
    let labels = try fields["matchLabels"]?.labels(validation) ?? [:]
    var expressions: [LabelSelector.Expression] = []
    for entry in try fields["matchExpressions"]?.list() ?? [] { expressions.append(try expression(entry)) }
    return LabelSelector(matchLabels: labels, matchExpressions: expressions)
  }

  /// The checks of apimachinery's `ValidateLabelSelectorRequirement`.
  private mutating func expression(_ field: Field) throws(ManifestError) -> LabelSelector.Expression {
    let fields = try field.fields()
    try close(fields, to: ["key", "operator", "values"])
    let key = try fields.required("key", "name the label")
    let word = try fields.required("operator", "write In, NotIn, Exists or DoesNotExist")
    guard let op = LabelSelector.Operator(rawValue: try word.string()) else {
      let text = try word.string()
      let near = LabelSelector.Operator.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
      throw word.error(
        "unknown operator \(text.quoted)", "write \(near?.rawValue ?? "In, NotIn, Exists or DoesNotExist")")
    }
    let values = try fields["values"]?.strings() ?? []
    if validation == .apiServer {
      try key.checkLabelKey(try key.string())
      switch op {
      case .in, .notIn:
        if values.isEmpty { throw fields.missing("values", "\(op.rawValue) needs at least one value") }
      case .exists, .doesNotExist:
        if !values.isEmpty, let field = fields["values"] {
          throw field.error("may not be given with \(op.rawValue)", "remove it, or write In or NotIn")
        }
      }
      for entry in try fields["values"]?.list() ?? [] { try entry.checkLabelValue(try entry.string()) }
    }
    return LabelSelector.Expression(key: try key.string(), operator: op, values: values)
  }
}
