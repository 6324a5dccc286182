// Not covered: whether the kernel agrees. KernelTests and RunTests check that.
import NetpolModel
import Testing

@Suite("Addresses and prefixes") struct AddressTests {
  @Test(
    "an address is printed in its canonical form",
    arguments: [
      ("10.42.0.1", "10.42.0.1"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
      ("fd00:42:0:1::12", "fd00:42:0:1::12"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
      ("FD00::A", "fd00::a"), ("::ffff:10.0.0.1", "::ffff:a00:1"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
      ("1::", "1::"), ("0:0:0:1::", "0:0:0:1::"),
    ]) func canonical(text: String, printed: String) throws
  {
    #expect(try #require(IPAddress(text)).description == printed)
  }

  @Test(
    "rejects text that is not an address",
    arguments: [
      "", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1.", "1.2.3.4.5", "::1::", "1:2:3:4:5:6:7", "g::", "12345::",
      "1:2:3:4:5:6:7:8:9", ":1", "fe80::1%eth0", "10.0.0.+1", "1.2.3.4::",
    ]) func notAnAddress(text: String)
  { #expect(IPAddress(text) == nil) }

  @Test(
    "a prefix is stored without its host bits",
    arguments: [
      ("10.42.7.9/16", "10.42.0.0/16"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32"),
      ("fd00:42::20/123", "fd00:42::20/123"), ("::/0", "::/0"),
    ]) func canonicalPrefix(text: String, printed: String) throws
  {
    #expect(try #require(CIDR(text)).description == printed)
  }

  @Test(
    "rejects text that is not a prefix",
    arguments: ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "/8"])
  func notAPrefix(text: String) { #expect(CIDR(text) == nil) }

  @Test("contains agrees with bit-by-bit comparison for every length, in both families")
  func containsAgreesWithBruteForce() {
    for (base, width) in [(IPAddress(v4: 0x0a2a_0185), 32), (IPAddress(v6: 0xfd00_0042 << 96 | 0x85), 128)] {
      for length in 0...width {
        let cidr = CIDR(base, prefixLength: length)
        for flipped in 0..<width {
          let other = IPAddress(family: base.family, bits: base.bits ^ (1 << UInt128(flipped)))
          // Flipping a bit keeps the address inside the prefix exactly if the bit is a host bit.
          #expect(cidr.contains(other) == (flipped < width - length))
        }
        #expect(cidr.contains(base))
        #expect(cidr.contains(cidr.firstAddress) && cidr.contains(cidr.lastAddress))
      }
    }
    #expect(!CIDR(IPAddress(v4: 0), prefixLength: 0).contains(IPAddress(v6: 0)))
  }
}
