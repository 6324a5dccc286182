internal import NetpolModel
internal import RuleIR

/// Makes the chains that forwarded packets meet into those of a batch: what is the same for all its packets is settled,
/// and every chain knows on what it depends.
struct BatchBuilder {
  /// A base chain of the way, in its order.
  struct Base {
    let chain: Int
    let drops: Bool
  }

  /// Fewer rules with single addresses than this are tried one by one.
  private static let leastDispatched = 8
  /// Entries of one table.
  private static let mostEntries = 1 << 20

  private(set) var questions: BatchQuestions
  private(set) var bases: [Base] = []
  private(set) var chains: [BatchChain] = []
  private(set) var rules: [BatchRule] = []
  private(set) var tests: [BatchTest] = []
  private(set) var actions: [BatchAction] = []
  private(set) var dispatches: [BatchDispatch] = []
  private(set) var groupCount = 0
  private var dependencies: [BatchQuestions.Dependencies] = []
  private var numbers: [Place: Int] = [:]

  private struct Place: Hashable {
    let table: Int
    let chain: Int
  }

  init(_ evaluator: Evaluator, _ universe: BatchUniverse) {
    questions = BatchQuestions(evaluator, universe)
    for hook in [Hook.prerouting, .forward, .postrouting] {
      for place in evaluator.bases[Evaluator.Entry(hook: hook, family: universe.family)] ?? [] {
        let drops = evaluator.tables[place.table].chains[place.chain].base?.policy == .drop
        let chain = number(of: Place(table: place.table, chain: place.chain))
        if drops || !chains[chain].rules.isEmpty { bases.append(Base(chain: chain, drops: drops)) }
      }
    }
    // Only now is it known how many facts there are.
    for chain in chains.indices { chains[chain].shape = shape(dependencies[chain]) }
    var groups: [Kind: Int] = [:]
    for chain in chains.indices {
      guard let shape = chains[chain].shape else { continue }
      let kind = kind(of: chain, shape)
      chains[chain].group = groups[kind] ?? groups.count
      groups[kind] = chains[chain].group
    }
    groupCount = groups.count
  }

  private mutating func number(of place: Place) -> Int {
    if let known = numbers[place] { return known }
    var own: [BatchRule] = []
    var depends = BatchQuestions.Dependencies()
    for rule in questions.evaluator.tables[place.table].chains[place.chain].rules {
      if let rule = self.rule(rule, in: place.table, &depends) { own.append(rule) }
    }
    var chain = BatchChain()
    chain.rules = rules.count..<rules.count + own.count
    rules += own
    if let dispatch = dispatch(chain.rules) {
      chain.dispatch = dispatches.count
      dispatches.append(dispatch)
    }
    chains.append(chain)
    dependencies.append(depends)
    numbers[place] = chains.count - 1
    return chains.count - 1
  }

  /// Nil where the rule does nothing to any packet of the batch.
  private mutating func rule(
    _ rule: PreparedRule, in table: Int, _ depends: inout BatchQuestions.Dependencies
  ) -> BatchRule? {
    var tests: [BatchTest] = []
    for match in rule.matches {
      switch questions.ask(match) {
      case .constant(true): break
      case .constant(false): return nil
      case .test(let test): tests.append(test)
      }
    }
    var actions: [BatchAction] = []
    for statement in rule.statements {
      switch statement {
      case .nothing: break
      case .setMark(let mark): actions.append(.setMark(value: mark.value, mask: mark.mask))
      case .setMarkFrom(let fields, let map):
        let question = questions.ask(KeyedQuestion(fields: fields, set: map))
        depends.formUnion(questions.dependencies(ofKeyed: question))
        actions.append(.setMarkFrom(question))
      case .jump(let target):
        let chain = number(of: Place(table: table, chain: target))
        if chains[chain].rules.isEmpty { break }
        depends.formUnion(dependencies[chain])
        actions.append(.jump(chain))
      case .return: actions.append(.end(.return))
      case .accept: actions.append(.end(.accept))
      case .drop, .reject: actions.append(.end(.stop))
      case .dnat: actions.append(.end(.translate))
      case .masquerade: actions.append(.end(.masquerade))
      }
    }
    if actions.isEmpty { return nil }
    for test in tests { depends.formUnion(questions.dependencies(of: test)) }
    defer {
      self.tests += tests
      self.actions += actions
    }
    return BatchRule(
      tests: self.tests.count..<self.tests.count + tests.count,
      actions: self.actions.count..<self.actions.count + actions.count)
  }

  private func dispatch(_ range: Range<Int>) -> BatchDispatch? {
    let named = range.map { number in tests[rules[number].tests].lazy.compactMap(\.address).first }
    guard named.count(where: { $0 != nil }) >= Self.leastDispatched else { return nil }
    var dispatch = BatchDispatch(count: questions.universe.addresses.count)
    dispatch.fill(zip(range, named))
    return dispatch
  }

  /// Nil where packets can't be told apart by few classes: a chain that names many single addresses is dispatched by them.
  private mutating func shape(_ depends: BatchQuestions.Dependencies) -> BatchShape? {
    guard !depends.isOpen, depends.source.singles.count <= 1, depends.destination.singles.count <= 1,
      let source = Self.side(&questions.source, depends.source),
      let destination = Self.side(&questions.destination, depends.destination),
      let port = Self.side(&questions.port, depends.port)
    else { return nil }
    let facts = depends.asksFacts ? 2 << questions.pairs.count : 1
    let shape = BatchShape(source: source, destination: destination, port: port, facts: facts)
    return shape.size <= Self.mostEntries ? shape : nil
  }

  private static func side(_ axis: inout Axis, _ questions: Axis.Questions) -> BatchShape.Side? {
    guard let partition = axis.partition(by: questions) else { return nil }
    // The single address has a class of its own: the last.
    let own = questions.singles.first
    return BatchShape.Side(
      offset: partition.offset, own: own ?? -1, count: partition.count + (own == nil ? 0 : 1))
  }

  /// What chains have in common that do the same to packets of the same classes: rules that are equal once the single
  /// address has no name, the same classes, and the single address's place among them.
  private struct Kind: Hashable {
    let rules: [[BatchTest]]
    let actions: [[BatchAction]]
    let offsets: [Int]
    let own: [UInt16?]
  }

  private func kind(of chain: Int, _ shape: BatchShape) -> Kind {
    let rules = rules[chains[chain].rules]
    return Kind(
      rules: rules.map { tests[$0.tests].map(\.unnamed) }, actions: rules.map { Array(actions[$0.actions]) },
      offsets: [shape.source.offset, shape.destination.offset, shape.port.offset, shape.facts],
      own: [
        questions.source.classOfOwn(shape.source), questions.destination.classOfOwn(shape.destination),
      ])
  }
}

extension BatchTest {
  /// Without the single address that it asks for.
  fileprivate var unnamed: BatchTest {
    switch self {
    case .sourceIs: .sourceIs(-1)
    case .destinationIs: .destinationIs(-1)
    case .source, .destination, .port, .fact, .mark, .keyed: self
    }
  }
}
