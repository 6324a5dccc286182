// Covers the bytes of SCTP packets. Needs no namespaces.
import Testing

@testable import Kernel

@Suite struct SCTPPacketTests {
  @Test func theChecksumIsCRC32cOfTheStandardsExample() {
    var sum = CRC32c()
    sum.update("123456789".utf8)
    #expect(sum.value == 0xe306_9283)
    // RFC 3720, B.4: 32 bytes of zero.
    sum = CRC32c()
    sum.update(repeatElement(0, count: 32))
    #expect(sum.value == 0x8a91_36aa)
  }

  @Test func anINITIsTwelveAndTwentyBytesInNetworkOrder() {
    let packet = SCTPPacket(
      sourcePort: 0x1234, destinationPort: 0x5678, verificationTag: 0,
      chunk: .initiation(tag: 0x0102_0304, sequence: 0x0506_0708))
    let bytes = packet.bytes
    #expect(bytes.prefix(8) == [0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0])
    #expect(
      bytes.dropFirst(12) == [1, 0, 0, 20, 1, 2, 3, 4, 0, 0, 0x05, 0xdc, 0, 1, 0, 1, 5, 6, 7, 8], "from type to TSN")
  }

  @Test(arguments: [
    SCTPPacket.Chunk.initiation(tag: 7, sequence: 9), .acknowledgement(tag: .max, sequence: 0), .abort,
  ])
  func aPacketIsReadAsItWasWritten(chunk: SCTPPacket.Chunk) {
    let packet = SCTPPacket(sourcePort: 1, destinationPort: .max, verificationTag: 0xdead_beef, chunk: chunk)
    #expect(SCTPPacket(packet.bytes) == packet)
    #expect(packet.bytes.count % 4 == 0)
  }

  @Test func shortOrAlteredBytesAreNoPacket() {
    let bytes = SCTPPacket(
      sourcePort: 1, destinationPort: 2, verificationTag: 0, chunk: .initiation(tag: 3, sequence: 4)
    ).bytes
    for count in bytes.indices { #expect(SCTPPacket(bytes.prefix(count)) == nil) }
    for index in bytes.indices {
      var altered = bytes
      altered[index] ^= 0x10
      #expect(SCTPPacket(altered) == nil)
    }
  }

  @Test func eightQuotedBytesGiveThePorts() {
    let bytes = SCTPPacket(sourcePort: 5, destinationPort: 6, verificationTag: 0, chunk: .abort).bytes
    #expect(SCTPPorts(bytes.prefix(8)).map { [$0.source, $0.destination] } == [5, 6])
    #expect(SCTPPorts(bytes.prefix(3)) == nil)
  }
}
