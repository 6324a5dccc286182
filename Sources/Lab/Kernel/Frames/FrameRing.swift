/// Frames of one length, one behind the other in memory that stays where it is: what a sender sends in turn.
///
/// Unchecked: the memory is written once, before anyone else knows of it.
public final class FrameRing: @unchecked Sendable {
  public let count: Int
  let length: Int
  private let memory: UnsafeMutableRawBufferPointer

  /// At least one frame; all are padded to the longest.
  public init(_ frames: [Frame]) {
    precondition(!frames.isEmpty, "a ring has frames")
    count = frames.count
    let length = frames.map(\.bytes.count).max().map { max($0, Frame.leastLength) } ?? Frame.leastLength
    self.length = length
    memory = .allocate(byteCount: count * length, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    for (index, frame) in frames.enumerated() {
      UnsafeMutableRawBufferPointer(rebasing: memory[(index * length)...]).copyBytes(from: frame.bytes)
    }
  }

  deinit { memory.deallocate() }

  func start(of frame: Int) -> UnsafeRawPointer? { memory.baseAddress.map { UnsafeRawPointer($0) + frame * length } }
}
