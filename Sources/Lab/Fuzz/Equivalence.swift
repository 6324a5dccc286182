/// Why a mistake is none: no packet can tell the rules from those without it. docs/fuzzing.md has the proofs, by these
/// names.
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
    case .commutes: "in either order the two rules do the same"
    case .shortCut: "it leaves a policy's chain with the mark that the rest could only set again"
    case .repeated: "another rule sends the same packets to the same chain, which does the same to them twice"
    case .spares: "the match only spares a lookup that finds nothing"
    case .otherTransports: "the rules of all three transports are the same ones in another order"
    case .selves: "the keys of the set are one address twice"
    case .markOne: "behind these rules nobody asks for the lowest bit of a mark"
    case .marksBehind: "what comes first now only marks, and the packet is accepted by then or not at all"
    case .noPodSends: "in OUTPUT no packet has a pod's address for its source"
    case .acceptedInTail: "KUBE-NWPLCY-TAIL has accepted what has the mark"
    case .nobodyLeft: "whoever is in the set of pods has been accepted, marked or refused by his chain"
    case .acceptedAnyway: "what stands behind accepts all that comes"
    case .forwardAccepts: "each forwarded packet is accepted by a rule of kube-proxy or flannel"
    }
  }
}
