internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Path
internal import RuleIR
internal import Run
internal import StandingLab

/// Why a flow passes or not, in JSON. `nil` values are left out.
struct ExplanationObject: Encodable {
  let flow: String
  /// The sentences of the text report that come first.
  let cause: [CauseObject]
  let sides: [ExplainedSideObject]
  let hooks: [HookObject]
  let trace: TraceObject
  /// Other flows with the same answer.
  let alike: [String]?
  /// What would turn the verdict.
  let advice: AdviceObject?

  init(_ explained: ExplainedFlow, _ cluster: Cluster) {
    flow = explained.comparison.flow.description
    cause = CauseText(explained, cluster).lines.map {
      CauseObject(kind: $0.kind.rawValue.lowercased(), text: $0.text)
    }
    sides = explained.parts.flatMap { part in
      part.sides.map { ExplainedSideObject($0, MissText(cluster, part, $0)) }
    }
    hooks = explained.record.hooks.map(HookObject.init)
    trace = TraceObject(explained.trace)
    alike = explained.alike.isEmpty ? nil : explained.alike.map(\.description)
    advice = explained.advice.map { AdviceObject($0, cluster) }
  }
}

struct CauseObject: Encodable {
  let kind, text: String
}

/// What the policies of one end say.
struct ExplainedSideObject: Encodable {
  let direction, subject, subjectAddress, peer, peerAddress, standing, verdict: String
  let port: String
  let policies: [PolicyObject]

  init(_ side: SideExplanation, _ texts: MissText) {
    direction = side.direction.keyword
    subject = "\(side.subject.endpoint)"
    subjectAddress = "\(side.subject.address)"
    peer = "\(side.peer.endpoint)"
    peerAddress = "\(side.peer.address)"
    port = "\(side.flow.question)"
    standing =
      switch side.standing {
      case .notAPod: "notAPod"
      case .hostNetwork: "hostNetwork"
      case .notIsolated: "notIsolated"
      case .ownNode: "ownNode"
      case .isolated: "isolated"
      }
    verdict = side.verdict.rawValue
    policies = side.policies.map { PolicyObject($0, texts) }
  }

  struct PolicyObject: Encodable {
    let policy, standing: String
    let location: String?
    let admits: Bool
    let rules: [RuleObject]

    init(_ explanation: PolicyExplanation, _ texts: MissText) {
      policy = "\(explanation.policy.id)"
      location = explanation.policy.location?.description
      standing =
        switch explanation.standing {
        case .inForce: "inForce"
        case .otherTypes: "otherTypes"
        case .notSelecting: "notSelecting"
        case .selectsInVain: "selectsInVain"
        }
      admits = explanation.admits
      rules = explanation.rules.map { RuleObject($0, texts) }
    }
  }

  struct RuleObject: Encodable {
    let rule: Int
    let location: String?
    let admits: Bool
    /// How many conditions the nearest peer and the nearest port lack together.
    let lacks: Int
    let peers, ports: [EntryObject]

    init(_ explanation: RuleExplanation, _ texts: MissText) {
      rule = explanation.index
      location = explanation.rule.location?.description
      admits = explanation.admits
      lacks = explanation.distance
      let entries = { (entries: [RuleExplanation.Entry], place: (Int) -> SourceLocation?) in
        entries.map { entry in
          EntryObject(
            index: entry.index, location: place(entry.index)?.description, admits: entry.admits,
            misses: entry.misses.map {
              MissObject(code: $0.code.rawValue, text: texts.text($0, of: explanation.rule))
            })
        }
      }
      peers = entries(explanation.peers, explanation.placeOfPeer)
      ports = entries(explanation.ports, explanation.placeOfPort)
    }
  }

  struct EntryObject: Encodable {
    let index: Int
    let location: String?
    let admits: Bool
    let misses: [MissObject]
  }

  struct MissObject: Encodable {
    let code, text: String
  }
}

/// What a packet met at one hook.
struct HookObject: Encodable {
  let machine, hook, source, destination, state: String
  let port: UInt16
  let mark, newMark: UInt32
  let newSource, newDestination: String?
  let newPort: UInt16?
  let stop: String?
  let rules: [MetObject]

  init(_ hook: PacketRecord.AtHook) {
    let (before, after) = (hook.before, hook.after)
    machine = hook.position.machine
    self.hook = hook.position.hook.rawValue
    source = "\(before.source)"
    destination = "\(before.destination)"
    port = before.port
    state = before.state.rawValue
    (mark, newMark) = (before.mark, after.mark)
    newSource = before.source == after.source ? nil : "\(after.source)"
    newDestination = before.destination == after.destination ? nil : "\(after.destination)"
    newPort = before.port == after.port ? nil : after.port
    stop =
      switch hook.stop {
      case .dropped?: "dropped"
      case .portUnreachable?: "portUnreachable"
      case .tcpReset?: "tcpReset"
      case nil: nil
      }
    rules = hook.rules.map(MetObject.init)
  }

  struct MetObject: Encodable {
    let table, chain, text: String
    let number: Int
    let decides: Bool
    let policy, direction, location, portName: String?
    let rule: Int?
    let peers: [Int]?

    init(_ met: PacketRecord.Met) {
      let origin = met.rule.origin
      table = met.table
      chain = met.rule.chain
      number = met.rule.number
      text = met.rule.text
      decides = met.decides
      policy = origin?.policy?.description
      direction = origin?.direction?.keyword
      rule = origin?.rule
      peers = origin.flatMap { $0.peers.isEmpty ? nil : $0.peers }
      portName = origin?.portName
      location = origin?.location?.description
    }
  }
}

/// Where the list of rules comes from.
struct TraceObject: Encodable {
  let by: String
  let why, code: String?
  let differences: [DifferenceObject]

  init(_ trace: ExplainedFlow.Trace) {
    switch trace {
    case .kernel(_, let found):
      (by, why, code) = ("kernel", nil, nil)
      differences = found.map {
        DifferenceObject(machine: $0.machine, kernel: $0.kernel, evaluator: $0.evaluator)
      }
    case .none(let reason):
      (by, why, code) = ("evaluator", reason.text, reason.code.rawValue)
      differences = []
    }
  }

  struct DifferenceObject: Encodable {
    let machine: String
    let kernel, evaluator: [String]
  }
}
