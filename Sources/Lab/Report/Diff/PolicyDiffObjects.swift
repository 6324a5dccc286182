internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import OrderedCollections
internal import PolicyDiff
internal import Run

struct SideObject: Encodable {
  let files: String
  let policies, pods, nodes: Int
  /// Only this side has these pods.
  let lonePods: [String]
  let borrowsObjects: Bool

  init(_ report: PolicyDiffReport, _ side: ComparedClusters.Side) {
    let clusters = report.difference.clusters
    files = report.side(side).name
    policies = report.side(side).policies
    pods = clusters[side].pods.count - (clusters.lonePods[side.other]?.count ?? 0)
    nodes = clusters[side].nodes.count
    lonePods = (clusters.lonePods[side] ?? []).map(\.description)
    borrowsObjects = clusters.borrower == side
  }
}

/// A set of ends, with every member.
struct EndsObject: Encodable {
  struct Machine: Encodable {
    let name: String
    let addresses: [String]
  }

  let text: String
  let pods, nodes: [Machine]
  /// Networks that hold all addresses of the set that no pod and no node has.
  let addresses: [String]

  init(_ ends: Bits, alike: Bits, _ difference: PolicyDifference, _ names: EndNames) {
    let space = difference.space
    text = names.text(ends, alike: alike).joined(separator: ", ")
    let machines = { (some: Bits) -> [Machine] in
      let byName = OrderedDictionary(grouping: some.numbers, by: { space.ends[$0].endpoint })
      return byName.map { endpoint, numbers in
        let name: String
        if case .node(let node) = endpoint { name = node } else { name = endpoint.description }
        return Machine(name: name, addresses: numbers.map { space.ends[$0].new.description })
      }
    }
    pods = machines(ends.intersection(space.pods))
    nodes = machines(ends.intersection(space.nodes))
    addresses = names.ranges(ends).flatMap { $0.networks.map(\.description) }
  }
}

struct DifferenceRowObject: Encodable {
  struct Packet: Encodable {
    let old, new: FlowObject?
    let why: String?
    let finding: Bool
  }

  struct Example: Encodable {
    let from, to, fromAddress, toAddress, port: String
    /// By direction: why each side allows or denies it.
    let old, new: [String: String]
  }

  let change: String
  let directions: [String]
  let from, to: EndsObject
  let ports: [String]
  let example: Example?
  let packet: Packet?

  init(_ row: DifferenceRow, _ packet: DiffPacket?, _ difference: PolicyDifference, _ names: EndNames) {
    change = row.isOpened ? "opened" : "closed"
    let directions = Direction.allCases.filter(row.directions.contains)
    self.directions = directions.map(\.keyword)
    from = EndsObject(row.senders, alike: row.alike.senders, difference, names)
    to = EndsObject(row.destinations, alike: row.alike.destinations, difference, names)
    ports = difference.space.portRanges(row.questions)
    example = difference.example(of: row).map { example in
      let question = difference.space.questions[example.question]
      let flow = { difference.flow(example.source, example.destination, question, $0) }
      let because = { (side: ComparedClusters.Side) in
        Dictionary(
          uniqueKeysWithValues: directions.map { direction in
            let judgement = difference.judge(flow(side), direction, side)
            let reasons = judgement.because.map(\.text).joined(separator: "; ")
            return (direction.keyword, "\(judgement.verdict.rawValue): \(reasons)")
          })
      }
      let new = flow(.new)
      return Example(
        from: new.source.description, to: new.destination.description, fromAddress: new.sourceAddress.description,
        toAddress: new.destinationAddress.description, port: question.description, old: because(.old),
        new: because(.new))
    }
    self.packet = packet.map { packet in
      switch packet {
      case .sent(let old, let new):
        let object = { (answer: Answer) in
          FlowObject(answer.comparison, strict: false, inFull: false, withPath: false)
        }
        return Packet(old: object(old), new: object(new), why: nil, finding: packet.isFinding)
      case .notSent(let why): return Packet(old: nil, new: nil, why: why, finding: false)
      }
    }
  }
}

struct BlockPriceObject: Encodable {
  let policy, direction, block: String
  let location: String?
  /// The pods that it admits, and the pods that it admits them to.
  let pods, subjects: [String]

  init(_ price: BlockPrice, _ difference: PolicyDifference) {
    policy = price.policy.description
    direction = price.direction.keyword
    block = price.block.text
    location = price.location?.description
    pods = difference.pods(price.admitted).map(\.description)
    subjects = difference.pods(price.subjects).map(\.description)
  }
}

struct OneSidedObject: Encodable {
  let direction: String
  let ends: EndsObject
}

extension PolicyDiffReport {
  func rowObjects(_ names: EndNames) -> [DifferenceRowObject] {
    difference.rows.enumerated().map { number, row in
      DifferenceRowObject(row, packets.indices.contains(number) ? packets[number] : nil, difference, names)
    }
  }

  func oneSidedObjects(_ names: EndNames) -> [OneSidedObject] {
    let none = Bits(count: difference.space.ends.count)
    return Direction.allCases.compactMap { direction in
      difference.oneSided[direction].map {
        OneSidedObject(direction: direction.keyword, ends: EndsObject($0, alike: none, difference, names))
      }
    }
  }
}

extension PolicyDifference {
  /// The pods of some ends, each once, sorted.
  func pods(_ ends: Bits) -> [PodID] {
    Set(ends.numbers.compactMap { if case .pod(let id) = space.ends[$0].endpoint { id } else { nil } }).sorted()
  }
}
