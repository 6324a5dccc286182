public import NetpolModel
internal import Path

/// What flows between workloads do, port by port: pods of one workload share a row and a column.
public struct WorkloadGrid: Sendable {
  /// What is the case among the flows of a cell.
  public struct Mix: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let allowed = Mix(rawValue: 1)
    public static let denied = Mix(rawValue: 2)
    public static let deviating = Mix(rawValue: 4)
    public static let failing = Mix(rawValue: 8)
    public static let unanswered = Mix(rawValue: 16)
  }

  public struct Workload: Hashable, Sendable {
    /// `shop/Deployment/web`, `node/node1`, `service/shop/web`
    public let name: String
    public let namespace: String?
    public internal(set) var members: [Endpoint]
    public let isService: Bool
    /// Whether its pods use their nodes' network: each reaches the pods of its own node, whatever policies say.
    public var isOnNodeNetwork = false
  }

  /// Services come last, and have no row.
  public private(set) var workloads: [Workload] = []
  public private(set) var questions: [Flow.Question] = []
  private var numbers: [Endpoint: Int] = [:]
  private var questionNumbers: [Flow.Question: Int] = [:]
  /// By receiver: what each sender may ask it. Most receivers are asked few of the questions.
  private var columns: [[Column]] = []
  /// How many workloads send: those that are no services.
  private var rowCount = 0

  private struct Column {
    let question: Int
    /// By sender.
    var cells: [Mix]
  }

  init() {}

  init(_ cluster: Cluster, endpoints: [Endpoint], services: [Endpoint]) {
    let names = Dictionary(cluster.pods.map { ($0.id, Self.name(of: $0)) }) { first, _ in first }
    let onNodeNetwork = Set(cluster.pods.lazy.filter(\.hostNetwork).map { Endpoint.pod($0.id) })
    var byName: [String: Int] = [:]
    for endpoint in endpoints + services {
      let (name, namespace): (String, String?) =
        switch endpoint {
        case .pod(let id): (names[id] ?? id.description, id.namespace)
        case .service(let id): (endpoint.description, id.namespace)
        case .virtualAddress(let id, _): (endpoint.description, id.namespace)
        case .node, .external, .address: (endpoint.description, nil)
        }
      let number = byName[name, default: workloads.count]
      if number == workloads.count {
        byName[name] = number
        let isService =
          switch endpoint {
          case .service, .virtualAddress: true
          case .pod, .node, .external, .address: false
          }
        workloads.append(
          Workload(
            name: name, namespace: namespace, members: [], isService: isService,
            isOnNodeNetwork: onNodeNetwork.contains(endpoint)))
      }
      workloads[number].members.append(endpoint)
      numbers[endpoint] = number
    }
    rowCount = workloads.firstIndex(where: \.isService) ?? workloads.count
    columns = Array(repeating: [], count: workloads.count)
  }

  /// `shop/Deployment/web`, or the pod's own name if nothing owns it.
  public static func name(of pod: Pod) -> String {
    pod.owner.map { "\(pod.id.namespace)/\($0.kind)/\($0.name)" } ?? pod.id.description
  }

  public func name(_ endpoint: Endpoint) -> String {
    numbers[endpoint].map { workloads[$0].name } ?? endpoint.description
  }
  public func number(_ endpoint: Endpoint) -> Int? { numbers[endpoint] }

  /// What is the case for each pair of workloads, port by port.
  public var profiles: Profiles {
    var profiles = Profiles(senders: rowCount)
    for receiver in columns {
      var numbers = [Int32](repeating: 0, count: rowCount)
      for column in receiver.sorted(by: { $0.question < $1.question }) {
        profiles.extend(&numbers, by: column.question, column.cells)
      }
      profiles.add(numbers)
    }
    return profiles
  }

  /// What is the case among all flows from one workload to another.
  public func total(from sender: Int, to receiver: Int) -> Mix {
    columns[receiver].reduce(into: []) { $0.formUnion($1.cells[sender]) }
  }

  /// The names of the workloads of pods that no pod of another workload reaches, although some were asked.
  public var unreached: [String] {
    workloads.indices.filter { receiver in
      guard isOfPods(receiver) else { return false }
      let mixes = (0..<rowCount).filter { $0 != receiver && isOfPods($0) && !workloads[$0].isOnNodeNetwork }.map {
        total(from: $0, to: receiver)
      }
      return mixes.contains { $0.contains(.denied) } && !mixes.contains { $0.contains(.allowed) }
    }.map { workloads[$0].name }
  }

  private func isOfPods(_ number: Int) -> Bool { workloads[number].namespace != nil && !workloads[number].isService }

  private mutating func number(_ question: Flow.Question) -> Int {
    if let known = questionNumbers[question] { return known }
    questionNumbers[question] = questions.count
    questions.append(question)
    return questions.count - 1
  }

  /// The place of the question among the receiver's columns.
  private mutating func column(_ question: Int, of receiver: Int) -> Int {
    if let place = columns[receiver].firstIndex(where: { $0.question == question }) { return place }
    columns[receiver].append(Column(question: question, cells: Array(repeating: [], count: rowCount)))
    return columns[receiver].count - 1
  }

  mutating func add(_ sender: Endpoint, _ receiver: Endpoint, _ question: Flow.Question, _ mix: Mix) {
    guard let from = numbers[sender], let to = numbers[receiver] else { return }
    add(CollectionOfOne(from), to, question, mix)
  }

  /// `senders`, `receiver`: numbers of workloads.
  mutating func add(_ senders: some Sequence<Int>, _ receiver: Int, _ question: Flow.Question, _ mix: Mix) {
    let place = column(number(question), of: receiver)
    for sender in senders { columns[receiver][place].cells[sender].formUnion(mix) }
  }

  /// Rows of flows that ask one question, by sending workload, before they are added.
  struct Rows {
    fileprivate struct Row {
      var allowed, denied, deviating, failing, unanswered: Bits
    }
    fileprivate let question: Flow.Question
    fileprivate var rows: [Int: Row] = [:]

    init(_ question: Flow.Question) { self.question = question }

    mutating func add(
      _ workloads: [Int], allowed: Bits, denied: Bits, deviating: Bits, failing: Bits, unanswered: Bits
    ) {
      for workload in workloads {
        if rows[workload] == nil {
          rows[workload] = Row(
            allowed: allowed, denied: denied, deviating: deviating, failing: failing, unanswered: unanswered)
          continue
        }
        rows[workload]?.allowed.formUnion(allowed)
        rows[workload]?.denied.formUnion(denied)
        rows[workload]?.deviating.formUnion(deviating)
        rows[workload]?.failing.formUnion(failing)
        rows[workload]?.unanswered.formUnion(unanswered)
      }
    }
  }

  /// `receivers`: by the number of an address, those who are asked there.
  mutating func add(_ rows: Rows, _ receivers: [Int: [Endpoint]]) {
    let question = number(rows.question)
    for (number, endpoints) in receivers {
      for to in Set(endpoints.compactMap({ numbers[$0] })) {
        let place = column(question, of: to)
        for (from, row) in rows.rows {
          let mix = row.mix(number)
          if !mix.isEmpty { columns[to][place].cells[from].formUnion(mix) }
        }
      }
    }
  }
}

extension WorkloadGrid.Rows.Row {
  /// What is the case at an address.
  fileprivate func mix(_ number: Int) -> WorkloadGrid.Mix {
    var mix: WorkloadGrid.Mix = []
    if allowed.contains(number) { mix.insert(.allowed) }
    if denied.contains(number) { mix.insert(.denied) }
    if deviating.contains(number) { mix.insert(.deviating) }
    if failing.contains(number) { mix.insert(.failing) }
    if unanswered.contains(number) { mix.insert(.unanswered) }
    return mix
  }
}
