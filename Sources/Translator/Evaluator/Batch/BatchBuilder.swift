internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// Turns the chains that forwarded packets meet into chains of a batch. Everything that is the same for all packets of
/// the batch is decided here, and each chain gets a list of what it depends on.
struct BatchBuilder {
  /// A base chain that packets pass. `bases` has them in order.
  struct Base {
    let chain: Int
    let drops: Bool
  }

  /// The maximum number of entries of one table.
  private let mostEntries: Int
  private(set) var questions: BatchQuestions
  private(set) var bases: [Base] = []
  private(set) var chains: [BatchChain] = []
  private(set) var rules: [BatchRule] = []
  private(set) var tests: [BatchTest] = []
  private(set) var actions: [BatchAction] = []
  /// What the verdict maps of rules do, by the index of the verdict.
  private(set) var verdicts: [BatchAction] = []
  private(set) var dispatches: [BatchDispatch] = []
  private(set) var groupCount = 0
  private var groups: [Kind: Int] = [:]
  private var dependencies: [BatchQuestions.Dependencies] = []
  private var numbers: [Place: Int] = [:]

  private struct Place: Hashable {
    let table: Int
    let chain: Int
  }

  init(_ evaluator: Evaluator, _ universe: BatchUniverse, mostEntries: Int) {
    self.mostEntries = mostEntries
    questions = BatchQuestions(evaluator, universe)
    for hook in [Hook.prerouting, .forward, .postrouting] {
      for place in evaluator.bases[Evaluator.Entry(hook: hook, family: universe.family)] ?? [] {
        let drops = evaluator.tables[place.table].chains[place.chain].base?.policy == .drop
        let chain = number(of: Place(table: place.table, chain: place.chain))
        if drops || !chains[chain].rules.isEmpty { bases.append(Base(chain: chain, drops: drops)) }
      }
    }
  }

  /// Returns the number of a chain. Chains that it jumps to have lower numbers.
  private mutating func number(of place: Place) -> Int {
    if let known = numbers[place] { return known }
    var own: [BatchRule] = []
    for rule in questions.evaluator.tables[place.table].chains[place.chain].rules {
      if let rule = self.rule(rule, in: place.table) { own.append(rule) }
    }
    var chain = BatchChain()
    chain.rules = rules.count..<rules.count + own.count
    rules += own
    var depends = BatchQuestions.Dependencies()
    for rule in own { depends.formUnion(dependencies(of: rule)) }
    if let dispatch = dispatch(chain.rules) {
      chain.dispatch = dispatches.count
      dispatches.append(dispatch)
      if let named = NamedRules(chain.rules, self), let fact = questions.fact(.order(named.places)) {
        depends.source.singles = []
        depends.source.labels.insert(questions.source.labelling(named.sourceLabels))
        depends.destination.singles = []
        depends.destination.labels.insert(questions.destination.labelling(named.destinationLabels))
        depends.facts = max(depends.facts, fact + 1)
      }
    }
    chain.shape = shape(depends)
    if let shape = chain.shape { chain.group = group(of: chain, shape) }
    chains.append(chain)
    dependencies.append(depends)
    numbers[place] = chains.count - 1
    return chains.count - 1
  }

  /// Returns `nil` if the rule does nothing to any packet of the batch.
  private mutating func rule(_ rule: PreparedRule, in table: Int) -> BatchRule? {
    var tests: [BatchTest] = []
    for match in rule.matches {
      switch questions.ask(match) {
      case .constant(true): break
      case .constant(false): return nil
      case .test(let test): tests.append(test)
      }
    }
    var actions: [BatchAction] = []
    let evaluator = questions.evaluator
    statements: for statement in rule.statements {
      switch statement {
      case .nothing: break
      case .setMark(let mark): actions.append(.setMark(value: mark.value, mask: mark.mask))
      case .setMarkFrom(let fields, let map):
        actions.append(.setMarkFrom(questions.ask(KeyedQuestion(fields: fields, set: map))))
      case .verdictFrom(let fields, let map):
        let verdicts = evaluator.keyedSets[map].verdicts
        let reachable = questions.reachableVerdicts(KeyedQuestion(fields: fields, set: map))
        if reachable.isEmpty { break statements }
        let chainIndex = evaluator.tables[table].chainIndex
        var targets: [BatchAction] = []
        for (index, verdict) in verdicts.enumerated() {
          switch verdict {
          case .drop: targets.append(.end(.stop))
          // No packet of the batch gets there.
          case .goto where !reachable.contains(index): targets.append(.end(.ranOut))
          case .goto(let name): targets.append(.goto(number(of: Place(table: table, chain: chainIndex[name] ?? 0))))
          }
        }
        let first = self.verdicts.count
        self.verdicts += targets
        actions.append(
          .verdictFrom(questions.ask(KeyedQuestion(fields: fields, set: map)), first..<first + targets.count))
      case .goto(let target): actions.append(.goto(number(of: Place(table: table, chain: target))))
      case .jump(let target):
        let chain = number(of: Place(table: table, chain: target))
        if !chains[chain].rules.isEmpty { actions.append(.jump(chain)) }
      case .return: actions.append(.end(.return))
      case .accept: actions.append(.end(.accept))
      case .drop, .reject: actions.append(.end(.stop))
      case .dnat, .notrack: actions.append(.end(.translate))
      case .masquerade: actions.append(.end(.masquerade))
      }
    }
    if actions.isEmpty { return nil }
    defer {
      self.tests += tests
      self.actions += actions
    }
    return BatchRule(
      tests: self.tests.count..<self.tests.count + tests.count,
      actions: self.actions.count..<self.actions.count + actions.count)
  }

  func dependencies(of rule: BatchRule) -> BatchQuestions.Dependencies {
    var result = BatchQuestions.Dependencies()
    for test in tests[rule.tests] { result.formUnion(questions.dependencies(of: test)) }
    for action in actions[rule.actions] {
      switch action {
      case .jump(let chain), .goto(let chain): result.formUnion(dependencies[chain])
      case .verdictFrom(let question, let range):
        result.formUnion(questions.dependencies(ofKeyed: question))
        for case .goto(let chain) in verdicts[range] { result.formUnion(dependencies[chain]) }
      case .setMarkFrom(let question): result.formUnion(questions.dependencies(ofKeyed: question))
      case .setMark, .end: break
      }
    }
    return result
  }

  /// Returns `nil` if the rules name fewer than two addresses.
  private func dispatch(_ range: Range<Int>) -> BatchDispatch? {
    let named = range.map { number in tests[rules[number].tests].firstNonNil(\.address) }
    guard Set(named.compactMap { $0?.number }).count > 1 else { return nil }
    var dispatch = BatchDispatch(count: questions.universe.addresses.count)
    dispatch.fill(zip(range, named))
    return dispatch
  }

  /// Returns `nil` if the packets would need too many classes.
  private mutating func shape(_ depends: BatchQuestions.Dependencies) -> BatchShape? {
    guard !depends.isOpen, depends.source.singles.count <= 1, depends.destination.singles.count <= 1,
      let source = Self.side(&questions.source, depends.source),
      let destination = Self.side(&questions.destination, depends.destination),
      let port = Self.side(&questions.port, depends.port)
    else { return nil }
    let shape = BatchShape(source: source, destination: destination, port: port, facts: 1 << depends.facts)
    return shape.size <= mostEntries ? shape : nil
  }

  private static func side(_ axis: inout Axis, _ questions: Axis.Questions) -> BatchShape.Side? {
    guard let partition = axis.partition(by: questions) else { return nil }
    // The single address has a class of its own, the last one.
    let own = questions.singles.first
    return BatchShape.Side(
      offset: partition.offset, own: own ?? -1, count: partition.count + (own == nil ? 0 : 1))
  }

  /// Chains of the same kind do the same to packets of the same classes. They have equal rules if the single address is
  /// left out, the same classes, and the single address in the same class.
  private struct Kind: Hashable {
    let rules: [UnnamedRule]
    let offsets: [Int]
    let own: [UInt16?]
  }

  /// Returns the number of the group of tables that a chain uses. Chains of one kind share a group.
  private mutating func group(of chain: BatchChain, _ shape: BatchShape) -> Int {
    let nameless = chain.rules.compactMap { unnamed(rules[$0], behind: 0) }
    // If several addresses were left out, they would look like one.
    if chain.dispatch == nil, nameless.count == chain.rules.count {
      let kind = Kind(
        rules: nameless,
        offsets: [shape.source.offset, shape.destination.offset, shape.port.offset, shape.facts],
        own: [questions.source.classOfOwn(shape.source), questions.destination.classOfOwn(shape.destination)])
      if let known = groups[kind] { return known }
      groups[kind] = groupCount
    }
    groupCount += 1
    return groupCount - 1
  }

  /// Returns the rule without its single address. `place` is its position among other rules. Returns `nil` if it jumps
  /// to a chain that has no table.
  func unnamed(_ rule: BatchRule, behind place: Int) -> UnnamedRule? {
    var actions: [BatchAction] = []
    for action in self.actions[rule.actions] {
      switch action {
      // Chains in one group do the same to the same classes.
      case .jump(let target):
        guard chains[target].shape != nil else { return nil }
        actions.append(.jump(chains[target].group))
      case .goto(let target):
        guard chains[target].shape != nil else { return nil }
        actions.append(.goto(chains[target].group))
      case .verdictFrom: return nil
      case .setMark, .setMarkFrom, .end: actions.append(action)
      }
    }
    return UnnamedRule(place: place, tests: tests[rule.tests].map(\.unnamed), actions: actions)
  }
}
