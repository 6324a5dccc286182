internal import RuleIR

/// Finds, for each of our chains, the corresponding chain of the node. Chain names hash the time of the sync, so chains
/// are recognised by the rules that jump to them, the sets they use, and their comments.
///
/// Pods come first: with k3s's fork, the comment of a jump to a policy's chain has no namespace, but the chain of the
/// pod has one.
func pairChains(_ node: TableSide, _ ours: TableSide) -> [ChainName: ChainName] {
  var pairs: [ChainName: ChainName] = [:]
  for name in ours.chains.keys where node.chains[name] != nil { pairs[name] = name }
  for prefix in ["KUBE-POD-FW-", "KUBE-NWPLCY-"] {
    let nodeNames = Dictionary(pairs.map { ($1, $0) }) { first, _ in first }
    let found = marks(node, prefix) { nodeNames[$0] ?? $0 }
    let expected = marks(ours, prefix) { $0 }
    var holders: [String: [ChainName]] = [:]
    for (name, marks) in found where nodeNames[name] == nil {
      for mark in marks { holders[mark, default: []].append(name) }
    }
    var candidates: [(score: Int, ours: ChainName, node: ChainName)] = []
    for (name, marks) in expected where pairs[name] == nil {
      var scores: [ChainName: Int] = [:]
      for mark in marks { for holder in holders[mark] ?? [] { scores[holder, default: 0] += 1 } }
      candidates += scores.map { ($0.value, name, $0.key) }
    }
    var taken = Set(nodeNames.keys)
    for pair in candidates.sorted(by: { ($1.score, $0.ours, $0.node) < ($0.score, $1.ours, $1.node) })
    where pairs[pair.ours] == nil && taken.insert(pair.node).inserted {
      pairs[pair.ours] = pair.node
    }
    // Empty chains that nothing jumps to can't be told apart.
    let isEmpty = { (side: TableSide, name: ChainName) in
      name.hasPrefix(prefix) && side.chains[name]?.rules.isEmpty == true && side.comments(ofJumpsTo: name).isEmpty
    }
    let left = ours.chains.keys.filter { pairs[$0] == nil && isEmpty(ours, $0) }.sorted()
    let free = node.chains.keys.filter { !taken.contains($0) && isEmpty(node, $0) }.sorted()
    for (a, b) in zip(left, free) { pairs[a] = b }
  }
  return pairs
}

/// By chain with the prefix: the features that identify it. `name` maps the names of the chains that jump.
private func marks(
  _ side: TableSide, _ prefix: String, named name: (ChainName) -> ChainName
) -> [ChainName: Set<String>] {
  var marks: [ChainName: Set<String>] = [:]
  for chain in side.chains.values {
    if chain.name.hasPrefix(prefix) {
      marks[chain.name, default: []].formUnion(chain.comment.map { ["comment \($0)"] } ?? [])
      for rule in chain.rules {
        for case .inSet(_, let set, _) in rule.matches { marks[chain.name, default: []].insert("set \(set)") }
        for case .log(_, let text?) in rule.statements { marks[chain.name, default: []].insert("log \(text)") }
      }
    }
    for rule in chain.rules {
      for case .jump(let target) in rule.statements where target.hasPrefix(prefix) {
        let comment = (rule.comment ?? "").replacing(target, with: "*")
        marks[target, default: []].insert("jump from \(name(chain.name)): \(comment)")
      }
    }
  }
  return marks
}
