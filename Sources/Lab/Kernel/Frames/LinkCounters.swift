internal import Glibc
internal import SystemPackage

/// Packet counters of an interface since it was created (/proc/net/dev, proc_net(5)).
public struct LinkCounters: Hashable, Sendable {
  public let received, sent: Int

  /// Reads the counters of an interface in the namespace of the calling thread. Throws ENODEV if it doesn't exist.
  public static func read(_ name: String) throws(KernelError) -> LinkCounters {
    let path = "/proc/thread-self/net/dev"
    let bytes = try named("read \(path)") {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
      return try file.closeAfter { try file.readAll() }
    }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      // "  eth0: bytes packets errs drop fifo frame compressed multicast bytes packets …"
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { continue }
      let numbers = parts[1].split(separator: " ").map { Int($0) ?? 0 }
      if numbers.count > 9 { return LinkCounters(received: numbers[1], sent: numbers[9]) }
    }
    throw KernelError("counters of \(name)", code: ENODEV)
  }
}
