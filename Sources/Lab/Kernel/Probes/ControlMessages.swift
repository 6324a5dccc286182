internal import Glibc

/// Control messages, the ancillary data of a datagram (cmsg(3)). Parsed and built by hand, because the C macros for it
/// aren't imported.
enum ControlMessages {
  private static let header = MemoryLayout<cmsghdr>.size
  private static let word = MemoryLayout<Int>.alignment

  /// Returns the first result of `body` that isn't `nil`, over all messages.
  static func first<Result>(
    in control: UnsafeRawBufferPointer, _ body: (_ level: Int32, _ type: Int32, UnsafeRawBufferPointer) -> Result?
  ) -> Result? {
    var rest = control[...]
    while rest.count >= header {
      let message = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: cmsghdr.self)
      let length = Int(message.cmsg_len)
      guard length >= header, length <= rest.count else { return nil }
      let data = UnsafeRawBufferPointer(rebasing: rest.prefix(length).dropFirst(header))
      if let result = body(message.cmsg_level, message.cmsg_type, data) { return result }
      rest = rest.dropFirst((length + word - 1) & ~(word - 1))
    }
    return nil
  }

  /// Builds one message with `data`, for sendmsg(2).
  static func bytes(_ level: Int32, _ type: Int32, _ data: [UInt8]) -> [UInt8] {
    var message = cmsghdr()
    message.cmsg_len = header + data.count
    message.cmsg_level = level
    message.cmsg_type = type
    let padding = [UInt8](repeating: 0, count: (word - data.count % word) % word)
    return withUnsafeBytes(of: message) { Array($0) } + data + padding
  }
}
