internal import Kernel
internal import NetpolModel
internal import Network

/// One probe on one path: its frames, and the number of packets per round.
final class PacketCell {
  let path: PacketPath
  private let phase: BenchProbe.Phase
  private let isAllowed: Bool
  private let flows: [BenchFlow]
  private let lanes: [(place: PacketPath.Place, ring: FrameRing)]
  private var positions: [Int]
  /// Packets per round, without those for warming up.
  private(set) var packets = 100

  static let warmUp = 64
  private static let packetRange = 100...1000
  /// How long a cell's round should take, in nanoseconds. The number of packets stays within `packetRange`.
  private static let wanted = 1.2e6

  init(_ path: PacketPath, _ phase: BenchProbe.Phase, _ flows: [BenchFlow], isAllowed: Bool) {
    self.path = path
    self.phase = phase
    self.flows = flows
    self.isAllowed = isAllowed
    let port = phase == .established ? PacketPath.establishedPort : PacketPath.firstPort
    lanes = BenchProbe.Way.allCases.compactMap { way in
      let frames = flows.filter { $0.way == way }.map { flow in
        PacketPath.frame(flow, sourcePort: port, flow.packet(of: phase))
      }
      return frames.isEmpty ? nil : (way == .routed ? .outside : .client, FrameRing(frames))
    }
    positions = lanes.map { _ in 0 }
  }

  var isEmpty: Bool { lanes.isEmpty }

  /// Sends three packets each way for every flow: for TCP, the handshake and what follows it.
  func establish() throws {
    guard phase == .established else { return }
    for step in 0..<3 {
      for way in BenchProbe.Way.allCases {
        let flows = flows.filter { $0.way == way }
        if flows.isEmpty { continue }
        let source: PacketPath.Place = way == .routed ? .outside : .client
        for reply in [false, true] {
          let frames = flows.map { flow in
            PacketPath.frame(
              flow, sourcePort: PacketPath.establishedPort, reply: reply, flow.opening(step, reply: reply))
          }
          try path.send(frames.count, of: FrameRing(frames), from: reply ? .pods : source)
        }
      }
    }
  }

  /// Sends each flow's packet and checks where it went. Throws `LabError` if the rules don't do what is expected: the
  /// bench would then measure something else.
  func check(_ name: String) throws {
    let before = try count()
    let sent = max(flows.count, Self.warmUp)
    try send(sent)
    let seen = try count() - before
    let expected = isAllowed ? sent : 0
    guard seen == expected else {
      throw LabError("\(name): \(seen) of \(sent) packets passed the rules, but \(expected) should have")
    }
  }

  private func count() throws -> Int { try phase == .established ? path.arrived() : path.passed() }

  /// Sends each flow's packet once.
  func sendOnce() throws { if !isEmpty { try send(flows.count) } }

  /// Sets the number of packets by what one costs.
  func calibrate(_ clock: BenchClock) throws {
    packets = Self.packets(costing: try measure(clock))
  }

  private static func packets(costing cost: Double) -> Int {
    min(max(Int(wanted / max(cost, 1)), packetRange.lowerBound), packetRange.upperBound)
  }

  /// Nanoseconds of a round whose packets cost this much.
  static func roundTime(costing cost: Double) -> Double { Double(warmUp + packets(costing: cost)) * cost }

  /// Returns the nanoseconds per packet.
  func measure(_ clock: BenchClock) throws -> Double {
    try send(Self.warmUp)
    let time = try ThreadTime.of { try send(packets) }
    return Double(clock == .processor ? time.processor : time.wall) / Double(packets)
  }

  /// Sends packets by both ways, in proportion to their flows.
  private func send(_ count: Int) throws {
    var left = count
    for index in lanes.indices {
      let (place, ring) = lanes[index]
      let share = index == lanes.count - 1 ? left : count * ring.count / flows.count
      positions[index] = try path.send(share, of: ring, from: place, at: positions[index])
      left -= share
    }
  }
}

/// The clock that measures a packet's cost.
public enum BenchClock: String, Hashable, Sendable {
  /// The sending thread's own processor time.
  case processor
  /// Wall-clock time. Used where the kernel does not account softirqs to threads.
  case wall
}

extension BenchFlow {
  fileprivate func packet(of phase: BenchProbe.Phase) -> Frame.Content {
    if transport != .tcp { return .udp }
    return phase == .first
      ? .tcp(.syn, sequence: 1, acknowledgement: 0) : .tcp(.ack, sequence: 2, acknowledgement: 2)
  }

  fileprivate func opening(_ step: Int, reply: Bool) -> Frame.Content {
    if transport != .tcp { return .udp }
    if step > 0 { return .tcp(.ack, sequence: 2, acknowledgement: 2) }
    return reply
      ? .tcp([.syn, .ack], sequence: 1, acknowledgement: 2) : .tcp(.syn, sequence: 1, acknowledgement: 0)
  }
}
