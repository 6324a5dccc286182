public import NetpolModel

extension Oracle {
  /// What the policies say about every part of a flow's way. The parts end with the first that is refused.
  public func explain(_ flow: Flow) -> [PartExplanation] {
    var parts: [PartExplanation] = []
    var (asked, resolved) = (flow, resolve(flow))
    while true {
      let isOwn = resolved.sent.sourceAddress == resolved.sent.destinationAddress
      let isJudged = !resolved.isRefused && resolved.idleClusterIP == nil
      var part = PartExplanation(
        asked: asked, sent: resolved.sent, arrived: resolved.arrived, intermediary: resolved.intermediary,
        sides: !isJudged || isOwn && nodeSpeaking(resolved.sent.source) == nil
          ? [] : [explain(resolved.sent, .egress), explain(resolved.arrived, .ingress)])
      if !part.sides.isEmpty, resolved.arrived.sourceAddress != asked.sourceAddress {
        var plain = resolved.arrived
        (plain.source, plain.sourceAddress) = (asked.source, asked.sourceAddress)
        part.unmasqueraded = explain(plain, .ingress)
      }
      parts.append(part)
      guard isJudged, part.refusing == nil, case .sent(_, let onward, let next) = resolved.forwarding else {
        return parts
      }
      (asked, resolved) = (onward, next)
    }
  }
}
