internal import Algorithms
internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path
package import StandingLab
internal import Verdicts

/// Judges all flows of a cluster class by class, and chooses the flows to send: one for each class at least.
package struct FlowSurvey {
  private let plan: LabPlan
  private let asked: AskedFlows
  private let pairs: PairFlows
  private let services: [NamespacedName: Service]
  private let progress: (_ done: Int, _ of: Int) -> Void
  private let eachFlow: ((JudgedFlow) -> Void)?
  package private(set) var result = SurveyResult()

  package init(
    _ plan: LabPlan, _ asked: AskedFlows, sctpObstacle: String?,
    eachFlow: ((JudgedFlow) -> Void)? = nil, progress: @escaping (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) {
    self.plan = plan
    self.asked = asked
    self.progress = progress
    self.eachFlow = eachFlow
    services = Dictionary(plan.cluster.services.map { ($0.id, $0) }) { first, _ in first }
    pairs = PairFlows(plan.cluster, plan.topology, sctpObstacle: sctpObstacle)
    result.grid = WorkloadGrid(plan.cluster, endpoints: asked.endpoints, services: asked.services)
  }

  package mutating func run() {
    for family in plan.cluster.families { survey(family) }
  }

  private mutating func survey(_ family: IPFamily) {
    let topology = plan.topology
    var ports: Set<Flow.Question> = []
    var questionsAt: [Endpoint: [Flow.Question]] = [:]
    for endpoint in asked.receivers + asked.services {
      let questions = asked.questions(at: endpoint)
      questionsAt[endpoint] = questions
      ports.formUnion(questions)
    }
    let borders = ports.compactMap { question -> (transport: Transport, range: PortRange)? in
      if case .port(let port) = question { (port.transport, PortRange(port.port)) } else { nil }
    }
    let matrix = MatrixComparer(
      plan.cluster, plan.comparer, family, dividedBy: plan.cluster.portBorders + borders,
      alsoTo: addressesWithoutEndpoint(family))
    let space = matrix.enforced.space
    let serviceRules = plan.comparer.enforced.serviceRuleClasses
    let senders = Senders(asked.senders, matrix.enforced, topology, serviceRules: serviceRules)

    // Flows to a service are judged after those to its endpoints: these divide the senders.
    var columns: [Column] = []
    var receiversAt: [Flow.Question: [Int: [Endpoint]]] = [:]
    for receiver in asked.receivers {
      guard let number = topology.address(of: receiver, family).flatMap(space.number) else { continue }
      for question in questionsAt[receiver] ?? [] {
        receiversAt[question, default: [:]][number, default: []].append(receiver)
      }
    }
    for service in asked.services {
      for question in questionsAt[service] ?? [] {
        if let column = Column(
          to: [service], question, family, from: self.service(at: service)?.loadBalancerSourceRanges ?? [],
          pairs, senders, space, topology)
        {
          columns.append(column)
        }
      }
    }
    // What leads through a node's port or to a pod that sends packets on is a column too.
    let questions = receiversAt.keys.sorted()
    for question in questions {
      for (number, receivers) in (receiversAt[question] ?? [:]).sorted(by: { $0.key < $1.key })
      where !matrix.isPlain(question, at: number) {
        if let column = Column(to: receivers, question, family, pairs, senders, space, topology) {
          columns.append(column)
        }
      }
    }
    var wanted: Set<Int> = Set(questions.map(space.number))
    for column in columns { wanted.formUnion(column.looks.map(\.question)) }
    result.classCount += classCount(matrix, senders, receiversAt.values.flatMap(\.keys), wanted)
    let byNumber = Dictionary(grouping: questions) { space.number(of: $0) }
    let cover = NodeCover(matrix, topology)
    var choice = PacketChoice(matrix, senders, topology, family, cover)
    var pinged: [Int: (endpoint: Endpoint, question: Flow.Question)] = [:]
    for receiver in asked.receivers where asked.asksEcho {
      guard let number = topology.address(of: receiver, family).flatMap(space.number) else { continue }
      if pinged[number] == nil { pinged[number] = (receiver, .echo) }
    }
    if !pinged.isEmpty { wanted.insert(space.echo) }
    // By question: the columns that look at an address then.
    var lookers: [Int: [(column: Int, at: Int)]] = [:]
    for (index, column) in columns.enumerated() {
      for look in column.looks { lookers[look.question, default: []].append((index, look.number)) }
    }
    let lookedAt = lookers.mapValues { Array(Set($0.map(\.at))) }
    let workloads = senders.all.map { Array(Set($0.endpoints.compactMap(result.grid.number))) }
    let chunks = wanted.sorted().chunks(ofCount: Self.atOnce).map(Array.init)
    let answering = { (numbers: [Int]) in
      InAdvance {
        concurrentMap(numbers.count) { index in
          let number = numbers[index]
          let answers = matrix.answers(to: number == space.echo ? .echo : .port(space.ports.representatives[number]))
          let rows = senders.all.map { answers.row(of: $0.sender) }
          return (answers, rows, LookAnswers(about: lookedAt[number] ?? [], rows, senders, answers))
        }
      }
    }
    var next = answering(chunks.first ?? [])
    for (place, numbers) in chunks.enumerated() {
      // The columns that follow take about as long.
      progress(place * Self.atOnce, 2 * wanted.count)
      let judged = next.value
      if place + 1 < chunks.count { next = answering(chunks[place + 1]) }
      for (number, (answers, rows, looks)) in zip(numbers, judged) {
        for (index, at) in lookers[number] ?? [] {
          if let look = looks.about(at) { columns[index].divide(by: look) }
        }
        var receivers = number == space.echo ? pinged : [:]
        for own in byNumber[number] ?? [] {
          let here = receiversAt[own] ?? [:]
          regular(own, family, here, senders, workloads, rows, matrix, notPlain: answers.notPlain)
          for (number, endpoints) in here where receivers[number] == nil {
            if let first = endpoints.first { receivers[number] = (first, own) }
          }
        }
        for flow in choice.flows(at: number, receivers, rows, answers) { result.send(flow) }
      }
    }
    let questionCount = wanted.count
    var packets = ColumnPackets(
      matrix, senders, topology, serviceRules: serviceRules, pairs, cover, sending: result.chosen)
    // Of nodes with the same rules, the first one gets the packets.
    let isOnCover = columns.map { column in
      topology.hostNode(of: column.destination).map { cover.names.contains($0.name) } ?? true
    }
    let ordered = columns.indices.filter { isOnCover[$0] } + columns.indices.filter { !isOnCover[$0] }
    judge(ordered.map { columns[$0] }, senders, matrix, &packets) { [progress] share in
      progress(questionCount + Int(share * Double(questionCount)), 2 * questionCount)
    }
  }

  /// How many classes of packets hold a flow that is asked.
  private func classCount(
    _ matrix: MatrixComparer, _ senders: Senders, _ receivers: [Int], _ questions: Set<Int>
  ) -> Int {
    let space = matrix.enforced.space
    let sources = Bits(
      senders.all.flatMap { matrix.enforced.sources(of: $0.sender).map(\.source) }, count: space.addresses.count)
    return matrix.enforced.classCount(
      from: sources, to: Bits(receivers, count: space.addresses.count),
      asking: Bits(questions, count: space.questionCount))
  }

  /// Questions whose answers are in memory at the same time: of 10,000 pods they take 300 MB.
  private static let atOnce = 2

  /// Counts the flows that policies alone decide, and collects the findings.
  private mutating func regular(
    _ question: Flow.Question, _ family: IPFamily, _ receivers: [Int: [Endpoint]], _ senders: Senders,
    _ workloads: [[Int]], _ rows: [MatrixComparer.Row], _ matrix: MatrixComparer, notPlain: Bits
  ) {
    let count = matrix.enforced.space.addresses.count
    let mask = Bits(receivers.keys, count: count)
    // Most addresses belong to one receiver. A node's also belongs to its host-network pods.
    let shared = receivers.filter { $0.value.count > 1 }
    var tally = Tally()
    var sums = WorkloadGrid.Rows(question)
    for (index, (sender, row)) in zip(senders.all, rows).enumerated() {
      let reached = mask.subtracting(sender.notAsked).subtracting(sender.unreachable)
      let weigh = { (bits: Bits) -> Int in
        var sum = bits.count
        for (number, receivers) in shared where bits.contains(number) { sum += receivers.count - 1 }
        return sum * sender.endpoints.count
      }
      let plain = reached.subtracting(row.open)
      let failing = row.unexplained.union(row.missing).intersection(plain)
      let deviating = row.deviating.intersection(plain)
      let allowed = row.allowed.intersection(plain)
      // Destinations that lead on are asked in columns.
      let unreached = mask.intersection(sender.unreachable).subtracting(sender.notAsked).subtracting(row.open)
      let admitted = weigh(allowed)
      tally.allowed += admitted
      tally.denied += weigh(plain) - admitted
      tally.deviating += weigh(deviating)
      tally.unexplained += weigh(failing)
      tally.unanswered += weigh(unreached)
      sums.add(
        workloads[index], allowed: allowed, denied: plain.subtracting(allowed), deviating: deviating,
        failing: failing, unanswered: unreached)
      if let eachFlow {
        tell(question, family, sender, receivers, plain.union(unreached), eachFlow) { number in
          if unreached.contains(number) { return .unanswered }
          var mix: WorkloadGrid.Mix = allowed.contains(number) ? .allowed : .denied
          if deviating.contains(number) { mix.formUnion(.deviating) }
          if failing.contains(number) { mix.formUnion(.failing) }
          return mix
        }
      }
      let odd = deviating.union(failing)
      if !odd.isEmpty { explain(question, family, sender, odd, receivers, matrix) }
      // What the rules alone make special, such as a translation that no object explains.
      row.open.intersection(reached).subtracting(notPlain).visit { number in
        for receiver in receivers[number] ?? [] {
          for source in sender.endpoints { judge(source, receiver, question, family) }
        }
      }
    }
    result.add(tally, sums, receivers)
  }

  private func tell(
    _ question: Flow.Question, _ family: IPFamily, _ sender: Senders.One, _ receivers: [Int: [Endpoint]], _ bits: Bits,
    _ eachFlow: (JudgedFlow) -> Void, _ mix: (Int) -> WorkloadGrid.Mix
  ) {
    for source in sender.endpoints {
      bits.visit { number in
        for receiver in receivers[number] ?? [] {
          eachFlow(
            JudgedFlow(
              source: source, destination: receiver, question: question, family: family, chosen: nil, mix: mix(number)))
        }
      }
    }
  }

  /// Explains a finding once for each pair of workloads.
  private mutating func explain(
    _ question: Flow.Question, _ family: IPFamily, _ sender: Senders.One, _ odd: Bits, _ receivers: [Int: [Endpoint]],
    _ matrix: MatrixComparer
  ) {
    odd.visit { number in
      for receiver in receivers[number] ?? [] {
        let key = SurveyResult.FindingKey(
          from: result.grid.number(sender.endpoints[0]), to: result.grid.number(receiver), question: question,
          family: family, isolation: matrix.isolation(of: sender.sender, towards: number),
          sameNode: sender.neighbours.contains(number))
        if result.count(key, sender.endpoints.count) { continue }
        guard let flow = plan.topology.flow(from: sender.endpoints[0], to: receiver, question, family) else { continue }
        result.add(plan.comparer.compare(flow, nil), key, sender.endpoints.count)
      }
    }
  }

  // MARK: - Flow by flow

  private struct ColumnClass: Sendable {
    /// Numbers of the senders.
    let members: [Int]
    /// The number of the column.
    let column: Int
  }

  /// The service that has the destination's address.
  private func service(at destination: Endpoint) -> Service? {
    switch destination {
    case .service(let id), .virtualAddress(let id, _): services[id]
    case .pod, .node, .external, .address: nil
    }
  }

  /// One sender stands for all that a column doesn't tell apart.
  private mutating func judge(
    _ columns: [Column], _ senders: Senders, _ matrix: MatrixComparer, _ packets: inout ColumnPackets,
    _ progress: (_ share: Double) -> Void
  ) {
    let asked = asked
    let classes = concurrentMap(columns.count) { number in
      columns[number].classes(senders, matrix).compactMap { members -> ColumnClass? in
        let asking = members.filter { columns[number].isAsked(by: senders.all[$0], asked) }
        return asking.isEmpty ? nil : ColumnClass(members: asking, column: number)
      }
    }.flatMap(\.self)
    var unclear: [ColumnClass] = []
    judge(classes, columns, senders, &packets, progress) { one, comparisons in
      // Policies see the service's own address then.
      let staysUntranslated = comparisons.contains { $0.journey.translatedTo == nil }
      if columns[one.column].isAddressLooked || one.members.count == 1 || !staysUntranslated { return true }
      unclear += one.members.map { ColumnClass(members: [$0], column: one.column) }
      return false
    }
    judge(unclear, columns, senders, &packets, { _ in }, isClass: { _, _ in true })
  }

  /// The addresses of services that some nodes may not translate: policies judge them as they are.
  private func addressesWithoutEndpoint(_ family: IPFamily) -> [IPAddress] {
    guard let sender = asked.senders.first else { return [] }
    return asked.services.filter { destination in
      let service = service(at: destination)
      if service?.externalTrafficPolicy == .local || service?.internalTrafficPolicy == .local { return true }
      return asked.questions(at: destination).contains { question in
        let flow = plan.topology.flow(from: sender, to: destination, question, family, toItself: true)
        return flow.map { pairs.endpoints(for: $0).isEmpty } ?? false
      }
    }.compactMap { plan.topology.address(of: $0, family) }
  }

  /// `isClass`: whether the comparisons hold for all members.
  private mutating func judge(
    _ classes: [ColumnClass], _ columns: [Column], _ senders: Senders, _ packets: inout ColumnPackets,
    _ progress: (_ share: Double) -> Void, isClass: (ColumnClass, [Comparison]) -> Bool
  ) {
    let workloads = senders.all.map { $0.endpoints.compactMap(result.grid.number) }
    let (plan, pairs) = (plan, pairs)
    for some in classes.chunks(ofCount: 1024) {
      progress(Double(some.startIndex) / Double(classes.count))
      let some = Array(some)
      let judged = concurrentMap(some.count) { index in
        let column = columns[some[index].column]
        return Self.comparisons(
          senders.all[some[index].members[0]].endpoints[0], column.destination, column.question, column.family, plan,
          pairs)
      }
      for (one, comparisons) in zip(some, judged) where !comparisons.isEmpty && isClass(one, comparisons) {
        let counts = Dictionary(one.members.lazy.flatMap { workloads[$0] }.map { ($0, 1) }, uniquingKeysWith: +)
        let askers = SurveyResult.Askers(workloads: counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        result.add(comparisons, of: askers, to: columns[one.column].destinations)
        for destination in columns[one.column].destinations {
          tell(comparisons, one.members.lazy.flatMap { senders.all[$0].endpoints }, destination)
        }
        for flow in packets.flows(for: comparisons, of: one.members) { result.send(flow) }
      }
    }
  }

  private func tell(_ comparisons: [Comparison], _ members: some Sequence<Endpoint>, _ destination: Endpoint) {
    guard let eachFlow else { return }
    for comparison in comparisons {
      for member in members { eachFlow(JudgedFlow(comparison, from: member, to: destination)) }
    }
  }

  private mutating func judge(
    _ source: Endpoint, _ destination: Endpoint, _ question: Flow.Question, _ family: IPFamily
  ) {
    let comparisons = Self.comparisons(source, destination, question, family, plan, pairs)
    guard !comparisons.isEmpty, let workload = result.grid.number(source) else { return }
    result.add(comparisons, of: SurveyResult.Askers(workloads: [(workload, 1)]), to: [destination])
    tell(comparisons, CollectionOfOne(source), destination)
    for comparison in comparisons where comparison.finding.isAnswered { result.send(comparison.flow) }
  }

  private static func comparisons(
    _ source: Endpoint, _ destination: Endpoint, _ question: Flow.Question, _ family: IPFamily, _ plan: LabPlan,
    _ pairs: PairFlows
  ) -> [Comparison] {
    if source == destination, plan.topology.hostNode(of: source) == nil { return [] }
    let (flows, unasked) = pairs.flows(from: source, to: destination, question, family)
    return flows.map { plan.comparer.compare($0, nil) }.filter { $0.finding != .notChosen }
      + unasked.map { plan.comparer.compare($0) }
  }
}

extension Comparison.Finding {
  /// Whether a packet can be sent.
  var isAnswered: Bool {
    switch self {
    case .agreement, .deviation, .kernelDisagrees, .unexplained, .deviationMissing: true
    case .undecided, .noRoute, .notChosen, .notModelled: false
    }
  }
}
