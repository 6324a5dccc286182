internal import NetpolModel

extension NetworkPolicy {
  /// As an API server prints it. `PolicyText` has the short form.
  func text(_ identity: Identity) -> String {
    let rules = [Direction.egress, .ingress].filter { !self.rules($0).isEmpty }.map { direction in
      "  \(direction.keyword):\n" + self.rules(direction).map { $0.text(direction).asItem }.lines.indented(2)
    }
    let types = Direction.allCases.filter(isolates.contains).map { "  - \($0.rawValue)" }
    return
      ([
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          creationTimestamp: "\(identity.time())"
          generation: 1
          labels:
            app.kubernetes.io/managed-by: Helm
          name: \(id.name)
          namespace: \(id.namespace)
          resourceVersion: "\(identity.resourceVersion)"
          uid: \(identity.uid)
        spec:
        """
      ] + rules + [podSelector.field("podSelector").indented(2), "  policyTypes:"] + types)
      .lines
  }
}

extension NetworkPolicy.Rule {
  fileprivate func text(_ direction: Direction) -> String {
    let name = direction == .ingress ? "from" : "to"
    let own = peers.list.isEmpty ? [] : ["\(name):"] + peers.list.map { $0.text.asItem }
    let ports = ports.list.isEmpty ? [] : ["ports:"] + ports.list.map { $0.text.asItem }
    // A rule without peers and ports admits everything.
    if own.isEmpty, ports.isEmpty { return "{}" }
    return (direction == .ingress ? own + ports : ports + own).lines
  }
}

extension NetworkPolicy.Peer {
  fileprivate var text: String {
    switch self {
    case .pods(.own, let pods): return pods.field("podSelector")
    case .pods(.matching(let namespaces), let pods):
      return ([namespaces.field("namespaceSelector")] + (pods.isEverything ? [] : [pods.field("podSelector")])).lines
    case .block(let block):
      let except = block.except.isEmpty ? [] : ["  except:"] + block.except.map { "  - \($0)" }
      return (["ipBlock:", "  cidr: \(block.cidr)"] + except).lines
    }
  }
}

extension NetworkPolicy.PortRule {
  fileprivate var text: String {
    let numbers: [String] =
      switch number {
      case .any: []
      case .number(let first, nil): ["port: \(first)"]
      case .number(let first, let last?): ["endPort: \(last)", "port: \(first)"]
      case .name(let name): ["port: \(name)"]
      }
    return (numbers + ["protocol: \(transport.rawValue)"]).lines
  }
}

extension LabelSelector {
  /// A field with the selector.
  fileprivate func field(_ name: String) -> String {
    if isEverything { return "\(name): {}" }
    let expressions = matchExpressions.map { expression in
      let values = expression.values.isEmpty ? [] : ["values:"] + expression.values.map { "- \($0.asScalar)" }
      return (["key: \(expression.key)", "operator: \(expression.operator.rawValue)"] + values).lines.asItem
    }
    let lists = expressions.isEmpty ? [] : ["  matchExpressions:", expressions.lines.indented(2)]
    let labels = matchLabels.isEmpty ? [] : ["  matchLabels:", matchLabels.lines.indented(4)]
    return (["\(name):"] + lists + labels).lines
  }
}
