internal import NetpolModel
internal import Text

extension Field {
  /// A LabelSelector of the API: `matchLabels` and `matchExpressions`.
  func selector(_ validation: Validation) throws(ManifestError) -> LabelSelector {
    let fields = try fields()
    let labels = try fields["matchLabels"]?.labels(validation) ?? [:]
    var expressions: [LabelSelector.Expression] = []
    for entry in try fields["matchExpressions"]?.list() ?? [] { expressions.append(try entry.expression(validation)) }
    return LabelSelector(matchLabels: labels, matchExpressions: expressions)
  }

  /// The checks of apimachinery's `ValidateLabelSelectorRequirement`.
  fileprivate func expression(_ validation: Validation) throws(ManifestError) -> LabelSelector.Expression {
    let fields = try fields()
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
