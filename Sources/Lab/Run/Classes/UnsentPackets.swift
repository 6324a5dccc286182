internal import Enforcement
internal import NetpolModel
internal import Path
internal import Verdicts

/// Packets of the same classes as those sent, of a kind that the lab does not send. Only the evaluator is asked.
public struct UnsentPackets: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case established = "ESTABLISHED"
    case related = "RELATED"
    case invalid = "INVALID"
    /// Generic Routing Encapsulation (protocol 47), for the protocols that policies can't name.
    case otherProtocol = "protocol 47"
  }

  public let kind: Kind
  public let passed, dropped: Int

  /// One for each kind: between the ends of the flows that no service translates.
  static func all(_ flows: [Flow], _ journeys: [Journey], _ enforced: EnforcedCluster) -> [UnsentPackets] {
    let plain = zip(flows, journeys).filter { flow, journey in
      journey.translatedTo == nil && flow.transport != nil && !flow.destinationAddress.isMulticast
    }.map(\.0)
    if plain.isEmpty { return [] }
    let passes = concurrentMap(plain.count) { index in
      Kind.allCases.map { kind in
        enforced.walk(Packet(kind, between: plain[index]), from: plain[index].source).verdict == .allow
      }
    }
    return Kind.allCases.enumerated().map { place, kind in
      let passed = passes.count { $0[place] }
      return UnsentPackets(kind: kind, passed: passed, dropped: plain.count - passed)
    }
  }
}

extension Packet {
  fileprivate init(_ kind: UnsentPackets.Kind, between flow: Flow) {
    self.init(first: flow)
    switch kind {
    case .established: state = .established
    case .related: state = .related
    case .invalid: state = .invalid
    case .otherProtocol: payload = .other(47)
    }
  }
}
