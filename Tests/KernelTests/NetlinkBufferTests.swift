// Covers the layout of messages (linux/netlink.h). Not covered: whether the kernel understands them.
import Glibc
import TestSupport
import Testing

@testable import Kernel

@Test func aMessagesLengthIncludesItsNests() throws {
  var buffer = NetlinkBuffer()
  try buffer.appendMessage(type: 16, flags: 1, sequence: 7, UInt32(0x0a0b_0c0d)) {
    $0.put(3, string: "lo")
    $0.withNest(18) { $0.put(1, UInt8(5)) }
  }
  let expected: [UInt8] = [
    40, 0, 0, 0, 16, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0,  // length, type, flags, sequence, port
    0x0d, 0x0c, 0x0b, 0x0a,  // the fixed struct
    7, 0, 3, 0, 0x6c, 0x6f, 0, 0,  // "lo", its zero, padding
    12, 0, 18, 0x80, 5, 0, 1, 0, 5, 0, 0, 0,  // NLA_F_NESTED, then a byte and padding
  ]
  #expect(buffer.bytes == expected)
}

private let tooMuch = [UInt8](repeating: 7, count: 65_532)

private struct TooLong: Sendable {
  let attribute: Int
  let bytes: Int
  let put: @Sendable (inout NetlinkBuffer) -> Void

  static let all = [
    TooLong(attribute: 3, bytes: 65_536) { $0.put(3, tooMuch) },
    TooLong(attribute: 4, bytes: 70_005) { $0.put(4, string: String(repeating: "x", count: 70_000)) },
    TooLong(attribute: 18, bytes: 67_076) { buffer in
      buffer.withNest(18) { nest in for _ in 0..<2 { nest.put(5, tooMuch.dropLast(32_000)) } }
    },
    // The attribute that was too long first is reported.
    TooLong(attribute: 6, bytes: 65_536) { buffer in buffer.withNest(18) { $0.put(6, tooMuch) } },
  ]
}

@Test(
  "an attribute or nest with more bytes than 16 bits can count is an error, and its message is not appended",
  arguments: TooLong.all)
private func tooLongForItsLength(what: TooLong) throws {
  var buffer = NetlinkBuffer()
  try buffer.appendMessage(type: 16, flags: 1, sequence: 7, UInt32(1)) { $0.put(3, tooMuch.dropLast()) }
  let before = buffer
  let error = #expect(throws: KernelError.self) {
    try buffer.appendMessage(type: 17, flags: 1, sequence: 8, UInt32(2), what.put)
  }
  let text = "netlink attribute \(what.attribute): Message too long (EMSGSIZE): it takes \(what.bytes) bytes"
  #expect(error?.description == text + "; the maximum is 65535")
  #expect(buffer == before)
  try buffer.appendMessage(type: 18, flags: 1, sequence: 8, UInt32(2)) { _ in }
  #expect(buffer.bytes.count == before.bytes.count + 20)
}

@Suite("A request that doesn't fit into a message is refused under its label", .needsNamespaces)
struct TooLongRequests {
  private let long = String(repeating: "x", count: 70_000)

  @Test("for a link") func link() throws {
    try Sandbox().run {
      var batch = RouteBatch()
      batch.createBridge("br0", index: 5)
      batch.createBridge(long, index: 6)
      let error = #expect(throws: KernelError.self) { try batch.send(in: try NetlinkSocket(.route)) }
      #expect(error?.code == EMSGSIZE && error?.operation == "ip link add \(long) type bridge")
      #expect(error?.message == "netlink attribute 3: it takes 70005 bytes; the maximum is 65535")
      // Nothing was sent, so the first bridge can still be created.
      var first = RouteBatch()
      first.createBridge("br0", index: 5)
      try first.send(in: try NetlinkSocket(.route))
    }
  }

  @Test("for a transaction") func transaction() throws {
    try Sandbox().run {
      for message in 0...2 {
        var batch = NftBatch()
        batch.addTable("t", .v4)
        switch message {
        case 0: batch.addChain(long, in: "t", .v4)
        case 1: batch.addRule([.verdict(.jump(long))], to: "c", in: "t", .v4)
        default:
          batch.addElements([NftElement([1, 2, 3, 4])], to: NftSet(long, [.ipv4], id: 1), in: "t", .v4)
        }
        batch.addChain("c", in: "t", .v4)
        #expect(batch.count == 3)
        let refusal = #expect(throws: NftRefusal.self) { try batch.send(in: try NetlinkSocket(.netfilter)) }
        #expect(refusal?.message == 1 && refusal?.error.code == EMSGSIZE)
      }
    }
  }
}
