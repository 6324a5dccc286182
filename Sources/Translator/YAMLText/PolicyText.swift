package import NetpolModel

extension NetworkPolicy {
  /// One line per rule.
  package var document: String {
    var text = object(
      "networking.k8s.io/v1", "NetworkPolicy", [metadata(id.namespacedName, annotations: annotations)])
    text += "spec:\n  podSelector: \(podSelector.yaml.text)\n"
    let types = Direction.allCases.filter(isolates.contains).map(\.rawValue).joined(separator: ", ")
    text += "  policyTypes: [\(types)]\n"
    for direction in Direction.allCases where !rules(direction).isEmpty {
      text += "  \(direction.keyword):\n"
      for rule in rules(direction) { text += "  - \(rule.yaml(direction).text)\n" }
    }
    return text
  }
}

extension NetworkPolicy {
  /// The whole object.
  package var yaml: YAML {
    var spec: [(String, YAML)] = [
      ("podSelector", podSelector.yaml),
      ("policyTypes", .list(Direction.allCases.filter(isolates.contains).map { .string($0.rawValue) })),
    ]
    for direction in Direction.allCases where !rules(direction).isEmpty {
      spec.append((direction.keyword, .list(rules(direction).map { $0.yaml(direction) })))
    }
    return .mapping([
      ("apiVersion", "networking.k8s.io/v1"), ("kind", "NetworkPolicy"),
      metadata(id.namespacedName, annotations: annotations), ("spec", .mapping(spec)),
    ])
  }
}

extension NetworkPolicy.Rule {
  package func yaml(_ direction: Direction) -> YAML {
    var entries: [(String, YAML)] = []
    if case .listed(let peers) = peers {
      entries.append((direction == .ingress ? "from" : "to", .list(peers.map(\.yaml))))
    }
    if case .listed(let ports) = ports { entries.append(("ports", .list(ports.map(\.yaml)))) }
    return .mapping(entries)
  }
}

extension NetworkPolicy.Peer {
  package var yaml: YAML {
    switch self {
    case .pods(.own, let selector): return .mapping([("podSelector", selector.yaml)])
    case .pods(.matching(let namespaces), let selector):
      let pods: [(String, YAML)] = selector.isEverything ? [] : [("podSelector", selector.yaml)]
      return .mapping([("namespaceSelector", namespaces.yaml)] + pods)
    case .block(let block):
      let except: [(String, YAML)] = block.except.isEmpty ? [] : [("except", block.except.yaml)]
      return .mapping([("ipBlock", .mapping([("cidr", .string(block.cidr.description))] + except))])
    }
  }
}

extension NetworkPolicy.PortRule {
  package var yaml: YAML {
    var entries: [(String, YAML)] = [("protocol", .string(transport.rawValue))]
    switch number {
    case .any: break
    case .number(let first, let through):
      entries.append(("port", .number(Int(first))))
      if let through { entries.append(("endPort", .number(Int(through)))) }
    case .name(let name): entries.append(("port", .string(name)))
    }
    return .mapping(entries)
  }
}

extension LabelSelector {
  package var yaml: YAML {
    var entries: [(String, YAML)] = []
    if !matchLabels.isEmpty { entries.append(("matchLabels", matchLabels.yaml)) }
    if !matchExpressions.isEmpty { entries.append(("matchExpressions", .list(matchExpressions.map(\.yaml)))) }
    return .mapping(entries)
  }
}

extension LabelSelector.Expression {
  package var yaml: YAML {
    var entries: [(String, YAML)] = [("key", .string(key)), ("operator", .string(`operator`.rawValue))]
    if !values.isEmpty { entries.append(("values", .list(values.map { .string($0) }))) }
    return .mapping(entries)
  }
}
