import TestSupport
import Testing

@testable import Kernel

@Suite("Frames") struct FrameTests {
  @Test(
    "the checksum is RFC 1071's ones' complement sum",
    arguments: [
      // The example of RFC 1071, section 3, whose sum is ddf2; an odd byte, which counts as the high one; no bytes at
      // all.
      ([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0x220d), ([0x01], 0xfeff), ([], 0xffff),
      // An IPv4 header with its checksum in place sums to zero.
      (
        [
          0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7,
        ], 0
      ),
    ] as [([UInt8], UInt16)])
  func checksum(_ bytes: [UInt8], _ sum: UInt16) { #expect(internetChecksum(bytes) == sum) }

  private static let v4 = (
    Frame.End(mac: [2, 0, 0, 0, 0, 1], address: [10, 42, 1, 2], port: 40000),
    Frame.End(mac: [2, 0, 0, 0, 0, 2], address: [10, 42, 0, 10], port: 8080)
  )
  private static let v6 = (
    Frame.End(mac: [2, 0, 0, 0, 0, 1], address: [0xfd] + [UInt8](repeating: 1, count: 15), port: 40000),
    Frame.End(mac: [2, 0, 0, 0, 0, 2], address: [0xfd] + [UInt8](repeating: 2, count: 15), port: 8080)
  )
  private static let contents: [Frame.Content] = [
    .udp, .tcp(.syn, sequence: 1, acknowledgement: 0), .tcp([.syn, .ack], sequence: 1, acknowledgement: 2),
  ]

  @Test("a frame's IP, UDP and TCP checksums are correct in both families", arguments: contents, [true, false])
  func frames(_ content: Frame.Content, _ isV4: Bool) {
    let (source, destination) = isV4 ? Self.v4 : Self.v6
    let bytes = Frame(from: source, to: destination, nextHop: [2, 0, 0, 0, 0, 9], content).bytes
    #expect(Array(bytes[..<12]) == [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1])
    #expect(Array(bytes[12..<14]) == (isV4 ? [8, 0] : [0x86, 0xdd]))
    let header = isV4 ? 20 : 40
    if isV4 {
      #expect(internetChecksum(Array(bytes[14..<34])) == 0)
      #expect(Int(bytes[16]) << 8 | Int(bytes[17]) == bytes.count - 14)
    } else {
      #expect(Int(bytes[18]) << 8 | Int(bytes[19]) == bytes.count - 54)
    }
    let segment = Array(bytes[(14 + header)...])
    let transport: UInt8 = content == .udp ? 17 : 6
    let pseudo = source.address + destination.address + [0, 0, 0, UInt8(segment.count), 0, 0, 0, transport]
    #expect(internetChecksum(pseudo + segment) == 0)
    #expect(Array(segment[..<4]) == [0x9c, 0x40, 0x1f, 0x90])
    if content == .udp, isV4 { #expect(bytes.count == 60) }
  }

  @Test("a sender sends the requested number of frames, in the ring's order and past its end", .needsNamespaces)
  func sending() async throws {
    try await blocking {
      let sandbox = try Sandbox()
      let other = try sandbox.worker.makeNamespace()
      for namespace in [sandbox.namespace, other] {
        try sandbox.worker.run(in: namespace) {
          if Sysctl.exists("net/ipv6/conf/default/disable_ipv6") {
            try Sysctl.write("net/ipv6/conf/default/disable_ipv6", "1")
          }
        }
      }
      var batch = RouteBatch()
      batch.createVeth(VethEnd("near", index: 2), peer: VethEnd("far", index: 2), in: other)
      batch.bringUp(2)
      try sandbox.send(batch)
      var far = RouteBatch()
      far.bringUp(2)
      try sandbox.send(far, in: other)
      let (source, destination) = Self.v4
      let frame = Frame(from: source, to: destination, nextHop: destination.mac, .udp)
      let sender = try sandbox.run { try FrameSender(interface: 2) }
      var expected = 0
      for (frames, count, next) in [(1, 1000, 0), (3, 100, 1), (200, 130, 130)] {
        let ring = FrameRing([Frame](repeating: frame, count: frames))
        #expect(try sender.send(count, of: ring) == next)
        expected += count
        #expect(try sandbox.worker.run(in: other) { try LinkCounters.read("far").received } == expected)
      }
      #expect(throws: KernelError.self) { try sandbox.run { try LinkCounters.read("none") } }
      #expect(throws: KernelError.self) { try sandbox.run { _ = try FrameSender(interface: 99) } }
    }
  }
}
