internal import NetpolModel
internal import Statistics

/// A small vocabulary of similar words, so that selectors and names often match and often just miss.
enum RandomWords {
  static let keys = ["app", "role"]
  static let values = ["web", "webx", "db", ""]
  static let portNames = ["http", "htt", "metrics"]
  static let numbers: [UInt16] = [80, 80, 81, 81, 82, 8080, 53]

  static func labels(_ random: inout SplitMix64) -> Labels {
    var labels: Labels = [:]
    for key in keys where random.chance(60) { labels[key] = random.one(of: values, else: "") }
    return labels
  }

  static func namespaceLabels(_ random: inout SplitMix64) -> Labels {
    let labels: [Labels] = [
      [:], ["team": "a"], ["team": "b"], ["team": "a", "env": "prod"], ["team": "", "env": "dev"],
    ]
    return random.one(of: labels, else: [:])
  }

  /// The last one is sometimes a sidecar's.
  static func containerPorts(_ random: inout SplitMix64) -> [ContainerPort] {
    var ports = (0..<random.number(0...3)).map { _ in
      ContainerPort(
        name: random.chance(80) ? random.one(of: portNames) : nil, number: random.one(of: numbers, else: 80),
        transport: transport(&random))
    }
    // Another generator decides, so that a seed gives the same world as before sidecars, apart from them.
    var copy = random
    var aside = SplitMix64(seed: ~copy.next())
    if let last = ports.indices.last, aside.chance(30) { ports[last].isOfSidecar = true }
    return ports
  }

  static func transport(_ random: inout SplitMix64) -> Transport {
    random.one(of: [.tcp, .tcp, .tcp, .udp, .sctp], else: .tcp)
  }

  static func podSelector(_ random: inout SplitMix64) -> LabelSelector {
    if random.chance(40) { return .everything }
    return selector(keys, values, &random)
  }

  static func namespaceSelector(_ random: inout SplitMix64) -> LabelSelector {
    if random.chance(25) { return .everything }
    if random.chance(25) {
      return LabelSelector(matchLabels: [
        "kubernetes.io/metadata.name": random.one(of: WorldPlaces.namespaces, else: "ns0")
      ])
    }
    return selector(["team", "env"], ["a", "b", "prod", ""], &random)
  }

  private static func selector(_ keys: [String], _ values: [String], _ random: inout SplitMix64) -> LabelSelector {
    let labels: Labels =
      random.chance(50) ? [random.one(of: keys, else: "app"): random.one(of: values, else: "")] : [:]
    let count = labels.isEmpty ? random.number(1...2) : random.number(0...1)
    let expressions = (0..<count).map { _ in
      let key = random.one(of: keys + ["nokey"], else: "app")
      let word = random.one(of: LabelSelector.Operator.allCases, else: .exists)
      switch word {
      case .in, .notIn:
        return LabelSelector.Expression(
          key: key, operator: word, values: random.some(random.number(1...2), of: values))
      case .exists, .doesNotExist: return LabelSelector.Expression(key: key, operator: word)
      }
    }
    return LabelSelector(matchLabels: labels, matchExpressions: expressions)
  }
}
