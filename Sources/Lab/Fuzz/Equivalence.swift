/// Why a mutant is not a mistake: no packet shows a difference from the original rules. docs/fuzzing.md has the proofs,
/// under these names.
enum Equivalence: String, Hashable, Sendable, CaseIterable {
  case decidesNothing
  case commutes
  case shortCut
  case repeated
  case spares
  case otherTransports
  case selves
  case markOne
  case marksBehind
  case noPodSends
  case acceptedInTail
  case nobodyLeft
  case acceptedAnyway
  case forwardAccepts

  /// One line.
  var reason: String {
    switch self {
    case .decidesNothing: "it only counts or logs"
    case .commutes: "the two rules do the same in either order"
    case .shortCut: "it leaves a policy's chain early with the mark that the other rules could only set again"
    case .repeated: "another rule sends the same packets to the same chain, and passing it twice changes nothing"
    case .spares: "the match only saves a lookup that finds nothing"
    case .otherTransports: "the rules of the three transports are the same in another order"
    case .selves: "each key of the set is the same address twice"
    case .markOne: "no later rule matches the lowest bit of the mark"
    case .marksBehind: "the rule that now comes first only marks, and no rule reads the mark of an accepted packet"
    case .noPodSends: "in OUTPUT no packet has a pod's address as its source"
    case .acceptedInTail: "KUBE-NWPLCY-TAIL has already accepted packets with the mark"
    case .nobodyLeft: "packets of pods in the set were already accepted, marked or refused by the pod's chain"
    case .acceptedAnyway: "what follows accepts everything"
    case .forwardAccepts: "every forwarded packet is accepted by a rule of kube-proxy or flannel"
    }
  }
}
