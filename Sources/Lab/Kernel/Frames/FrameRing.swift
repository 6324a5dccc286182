/// Frames of equal length in one fixed block of memory, which a sender sends in order.
///
/// Unchecked: the memory is written only in `init`, before anything else can use it.
public final class FrameRing: @unchecked Sendable {
  public let count: Int
  let length: Int
  private let memory: UnsafeMutableRawBufferPointer

  /// Needs at least one frame. All frames are padded to the longest.
  public init(_ frames: [Frame]) {
    precondition(!frames.isEmpty, "a ring needs at least one frame")
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
