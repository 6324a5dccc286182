internal import Algorithms
internal import NetpolModel

/// The combined result of all groups of one claim.
public struct ClaimResult: Sendable {
  public enum DocumentVerdict: String, Sendable {
    case holds, refuted, undecided
    /// Some groups hold and some are refuted.
    case partly
  }
  public let claim: String
  /// `nil` if the document states nothing about any flow.
  public let document: DocumentVerdict?
  public let met: Int
  public let asked: Int
  public let notAsked: Int
}

extension [GroupResult] {
  /// Sorted by the letters of the claim, then by its number. Groups without a claim are left out.
  public var claims: [ClaimResult] {
    let byClaim = Dictionary(grouping: self, by: \.group.claim)
    let number = { (claim: String) in Int(claim.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0 }
    let letters = { (claim: String) in String(claim.prefix { !$0.isNumber }) }
    let claims = byClaim.keys.compacted().sorted {
      (letters($0), number($0), $0) < (letters($1), number($1), $1)
    }
    return claims.map { claim in
      let groups = byClaim[claim] ?? []
      return ClaimResult(
        claim: claim, document: ClaimResult.DocumentVerdict(groups.compactMap(\.document)),
        met: groups.map(\.metCount).reduce(0, +), asked: groups.map(\.askedCount).reduce(0, +),
        notAsked: groups.map { $0.flows.count - $0.askedCount }.reduce(0, +))
    }
  }
}

extension ClaimResult.DocumentVerdict {
  init?(_ groups: [GroupResult.DocumentVerdict]) {
    switch (groups.contains(.holds), groups.contains(.refuted)) {
    case (true, true): self = .partly
    case (false, true): self = .refuted
    case (true, false): self = groups.contains(.undecided) ? .undecided : .holds
    case (false, false):
      if groups.isEmpty { return nil }
      self = .undecided
    }
  }
}
