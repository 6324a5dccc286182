import RuleIR
import Testing

@Suite struct HashedNameTests {
  /// Computed with another implementation (Python's hashlib and base64). 55 and 56 bytes are the edges of SHA's padding.
  @Test(arguments: [
    ("", "4OYMIQUY7QOBJGX3", "3I42H3S6NNFQ2MSV"),
    ("abc", "XJ4BNP4PAHH6UQKB", "VGMT4NSHA2AWVOR6"),
    (String(repeating: "a", count: 55), "T5BZB6GTBQW5SLWJ", "YHELXXBCPFXCRQHB"),
    (String(repeating: "a", count: 56), "WNKDTJFMN4EURNWW", "YLNTGD3AQOCUZGOU"),
    (String(repeating: "a", count: 64), "77QFJ7T24DFW3RS4", "ACMLVASLLQLEE66X"),
    (String(repeating: "a", count: 1000), "IHW6ZZBNMPUNTP2R", "FEPJU3DGTFEUTNL3"),
  ])
  func `a name is the start of the digest in base32`(text: String, sha256: String, sha1: String) {
    #expect(hashedName(text) == sha256)
    #expect(sha1Name(text) == sha1)
  }
}
