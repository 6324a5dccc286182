internal import Enforcement
public import NetpolModel
internal import Path

extension Comparison {
  /// What became of the packet that was sent, or would have been; how the rules stop it tells only where the packet alone
  /// does not.
  public var outcome: PacketOutcome {
    switch (observation, journey.end.noRoute == nil) {
    case (.delivered, _): .delivered
    // The sender's own kernel says the same of a rejected and a dropped packet.
    case (.refused(.local), true): journey.stop == .dropped ? .dropped : .rejected
    case (.refused, _): .rejected
    case (_, false): .noRoute
    case (.silent, true): .dropped
    case (.unusable, true), (nil, true): .undecided
    }
  }
}
