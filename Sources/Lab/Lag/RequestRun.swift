internal import Agent
internal import Algorithms
internal import Glibc
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Network
internal import OrderedCollections
internal import Statistics
internal import Synchronization

/// What applications pay: newcomers of their own make one request each when their containers start.
///
/// The newcomers of the datagram streams are not used for this: they use up the ICMP errors that the kernel grants a
/// host.
struct RequestRun {
  let plan: LagPlan
  let targets: LagPlan.RequestTargets
  let options: LagOptions
  let fabric: Fabric
  let isRealTime: Bool
  let worker: NamespaceWorker

  /// A request without an answer after this time counts as unanswered. Longer than two retransmissions of a SYN.
  private static let patience = Duration.milliseconds(3500)
  /// More than the burst of ICMP errors that a host is granted (6: `XRLIM_BURST_FACTOR` of the kernel).
  private static let spending = 10

  init(
    _ plan: LagPlan, _ targets: LagPlan.RequestTargets, _ options: LagOptions, fabric: Fabric, isRealTime: Bool
  ) throws {
    self.plan = plan
    self.targets = targets
    self.options = options
    self.fabric = fabric
    self.isRealTime = isRealTime
    let worker = try NamespaceWorker()
    // The worker opens the requests' sockets. A busy machine must not delay that until the sync is over.
    if isRealTime { try worker.onThread { try? RealTimeScheduling.enter(priority: LagRun.senderPriority) } }
    self.worker = worker
  }

  /// How the nodes refuse packets while the requests are made.
  private struct Situation {
    let name: String
    let refusal: RefusalKind
    let hasICMPLimit: Bool
    let spendsErrors: Bool
  }

  private static let situations = [
    Situation(name: "REJECT, ICMP errors left", refusal: .portUnreachable, hasICMPLimit: true, spendsErrors: false),
    Situation(name: "REJECT, ICMP errors used up", refusal: .portUnreachable, hasICMPLimit: true, spendsErrors: true),
    Situation(name: "REJECT, no ICMP limit", refusal: .portUnreachable, hasICMPLimit: false, spendsErrors: true),
    Situation(name: "REJECT with tcp-reset", refusal: .tcpReset, hasICMPLimit: true, spendsErrors: true),
    Situation(name: "DROP", refusal: .drop, hasICMPLimit: true, spendsErrors: false),
  ]

  private struct Request: Sendable {
    let kind: RequestResult.Kind
    let target: String
    let source: NetworkNamespace
    let sourceAddress: [UInt8]
    let destination: ProbeAddress
  }

  /// `enforcers` are those of the streams. Other ways to refuse get their own enforcers, one after the other.
  func run(_ enforcers: Enforcers, _ progress: (Int, Int) -> Void) throws -> ([RequestResult], [Survivor]) {
    // Threads inherit the priority. Otherwise an enforcer's work would delay their answers.
    try RealTimeScheduling.whilePermitted(LagRun.senderPriority) { try runServed(enforcers, progress) }
  }

  private func runServed(
    _ enforcers: Enforcers, _ progress: (Int, Int) -> Void
  ) throws -> ([RequestResult], [Survivor]) {
    var servers: [EchoServer] = []
    for target in [targets.bySelector, targets.byBlock].compacted() {
      guard let namespace = fabric.namespace(of: target.endpoint) else { continue }
      for port in Set([target.ports.udp, target.ports.tcp].compacted()) {
        servers.append(
          try EchoServer(on: ProbeAddress(target.address.bytes, port: port), in: namespace, worker: worker))
      }
    }
    defer { withExtendedLifetime(servers) {} }

    var results: [RequestResult] = []
    for (index, situation) in Self.situations.enumerated() {
      progress(index + 1, Self.situations.count)
      try limitICMPErrors(situation.hasICMPLimit)
      if situation.refusal == .portUnreachable {
        results += try ask(situation, enforcers)
        continue
      }
      let own = try Enforcers(
        plan, options, style: options.style.refusing(by: situation.refusal), fabric: fabric, isRealTime: isRealTime)
      defer { own.close() }
      results += try ask(situation, own)
    }
    try limitICMPErrors(true)
    // The loaded rules are now those of another enforcer. The first enforcer's next sync restores its own.
    try enforcers.settle(plan.actors.events)
    try enforcers.settle(plan.actors.undoing)
    return (results, try SurvivorRun(plan: plan, fabric: fabric, worker: worker).run(enforcers))
  }

  private func limitICMPErrors(_ isLimited: Bool) throws {
    let families = plan.stage.families
    for namespace in plan.nodes.compactMap(fabric.namespace(ofNode:)) {
      try worker.run(in: namespace) { try NodeSysctls.limitICMPErrors(isLimited, families: families) }
    }
  }

  private func ask(_ situation: Situation, _ enforcers: Enforcers) throws -> [RequestResult] {
    let requests = requests(situation)
    if requests.isEmpty { return [] }
    if situation.spendsErrors { try spendErrors(requests) }
    let gate = Gate()
    let answers = Answers(requests.count)
    var threads: [JoinedThread] = []
    // Before the threads are joined, also if one of them can't be started.
    defer { gate.open() }
    for (index, request) in requests.enumerated() {
      threads.append(
        try JoinedThread {
          // Otherwise a busy machine might delay the request until the sync is over.
          if isRealTime { try? RealTimeScheduling.enter(priority: LagRun.senderPriority) }
          gate.wait()
          answers.put(index, answer(request))
        })
    }
    usleep(2000)
    gate.open()
    // A container's first request leaves at once, at the moment when the API server reports the pod.
    let clients = plan.clients.prefix(requests.count)
    let event = MonotonicClock.now
    enforcers.notify(clients.map { .podUpdated($0) })
    let syncs = try enforcers.waitForEnd(since: event)
    for thread in threads { thread.join() }
    try enforcers.settle(clients.map { .podDeleted($0.id) })
    let switched = syncs.values.compactMap(\.firstSwitch).min() ?? event
    let told = zip(requests, answers.all).map { request, answer in
      (
        RequestResult.Asked(kind: request.kind, target: request.target),
        answer.start < switched ? answer.result : (.failed("was made too late"), 0)
      )
    }
    return RequestResult.summed(told, refusal: situation.name)
  }

  private func requests(_ situation: Situation) -> [Request] {
    var kinds: [(RequestResult.Kind, String, LagPlan.Target, UInt16)] = []
    for (name, target) in [("podSelector", targets.bySelector), ("ipBlock", targets.byBlock)] {
      guard let target else { continue }
      if let tcp = target.ports.tcp { kinds.append((.tcp, name, target, tcp)) }
      if let udp = target.ports.udp, situation.refusal != .tcpReset { kinds.append((.udp, name, target, udp)) }
    }
    var clients = plan.clients.makeIterator()
    return kinds.flatMap { kind, name, target, port in
      (0..<options.requests).compactMap { _ -> Request? in
        guard let client = clients.next(), let namespace = fabric.namespace(of: .pod(client.id)),
          let address = client.address(target.address.family)
        else { return nil }
        return Request(
          kind: kind, target: name, source: namespace, sourceAddress: address.bytes,
          destination: ProbeAddress(target.address.bytes, port: port))
      }
    }
  }

  private func answer(_ request: Request) -> Answers.Answer {
    do {
      let timed =
        switch request.kind {
        case .tcp:
          try TimedRequest.tcpConnect(
            from: request.source, sourceAddress: request.sourceAddress, to: request.destination,
            patience: Self.patience, worker: worker)
        case .udp:
          try TimedRequest.udpRequest(
            from: request.source, sourceAddress: request.sourceAddress, to: request.destination,
            patience: Self.patience, worker: worker)
        }
      return (timed.start, (RequestResult.Ending(timed.outcome), Double(timed.end - timed.start)))
    } catch {
      return (0, (.failed("\(error)"), 0))
    }
  }

  /// Sends datagrams that are refused, so that the node has no ICMP error left for these senders. A peer that newcomers
  /// may not ask over UDP also refuses UDP to its TCP port.
  private func spendErrors(_ requests: [Request]) throws {
    guard let port = targets.bySelector.ports.udp ?? targets.bySelector.ports.tcp else { return }
    for request in requests {
      for _ in 0..<Self.spending {
        _ = try TimedRequest.udpRequest(
          from: request.source, sourceAddress: request.sourceAddress,
          to: ProbeAddress(targets.bySelector.address.bytes, port: port), patience: .zero, worker: worker)
      }
    }
  }
}

extension RequestResult.Ending {
  fileprivate init(_ outcome: TimedRequest.Outcome) {
    self =
      switch outcome {
      case .answered: .answered
      case .refused: .refused
      case .silent: .silent
      case .failed(let error): .failed("\(error)")
      }
  }
}

extension RequestResult {
  fileprivate struct Asked: Hashable {
    let kind: Kind
    let target: String
  }

  fileprivate static func summed(_ answers: [(Asked, (Ending, Double))], refusal: String) -> [RequestResult] {
    OrderedDictionary(grouping: answers, by: \.0).map { asked, own in
      let endings = Dictionary(grouping: own.map(\.1), by: \.0).mapValues { Distribution($0.map(\.1)) }
      return RequestResult(kind: asked.kind, refusal: refusal, target: asked.target, endings: endings)
    }
  }
}

/// Threads wait here until it opens.
private final class Gate: Sendable {
  private let isOpen = Atomic(false)
  func open() { isOpen.store(true, ordering: .releasing) }
  func wait() { while !isOpen.load(ordering: .acquiring) { usleep(50) } }
}

/// The answers of several threads, each at its own index.
private final class Answers: Sendable {
  typealias Answer = (start: UInt64, result: (RequestResult.Ending, Double))
  private let found: Mutex<[Answer]>
  init(_ count: Int) { found = Mutex([Answer](repeating: (0, (.silent, 0)), count: count)) }
  func put(_ index: Int, _ answer: Answer) { found.withLock { $0[index] = answer } }
  var all: [Answer] { found.withLock { $0 } }
}
