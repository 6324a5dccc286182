// Shows that messages have the layout of linux/netlink.h. Doesn't show that the kernel understands them.
import Kernel
import Testing

@Test func aMessageCountsItsNests() {
  var buffer = NetlinkBuffer()
  buffer.appendMessage(type: 16, flags: 1, sequence: 7, UInt32(0x0a0b_0c0d)) {
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
