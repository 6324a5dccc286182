internal import Enforcement
public import NetpolModel
internal import Path

extension Comparison {
  /// What happened to the packet that was sent, or would have been sent. The way in which the rules stop it only counts
  /// if the packet alone does not show it.
  public var outcome: PacketOutcome {
    switch (observation, journey.end.noRoute == nil) {
    case (.delivered, _): .delivered
    // The sender's own kernel reports the same for a rejected and a dropped packet.
    case (.refused(.local), true): journey.stop == .dropped ? .dropped : .rejected
    case (.refused, _): .rejected
    case (_, false): .noRoute
    case (.silent, true): .dropped
    case (.unusable, true), (.elsewhere, true), (nil, true): .undecided
    }
  }
}
