// Covers how answers are parsed, broken ones too. The bytes are written by hand; other tests use the kernel's own.
import Glibc
import Kernel
import Testing

/// NLMSG_ERROR for request 3: -ENOENT, the request's header only (NLM_F_CAPPED), then text and offset (NLM_F_ACK_TLVS).
private let refusal: [UInt8] = [
  56, 0, 0, 0, 2, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0,  // length, type, flags, sequence, port
  254, 255, 255, 255,  // -2
  99, 0, 0, 0, 16, 0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0,  // the header of the request
  8, 0, 1, 0, 110, 111, 33, 0,  // NLMSGERR_ATTR_MSG "no!"
  8, 0, 2, 0, 24, 0, 0, 0,  // NLMSGERR_ATTR_OFFS
  0, 0, 0, 0,
]

@Test func aRefusalHasItsRequestTextAndOffset() throws {
  let answer = try #require(Array(NetlinkMessageSequence(refusal)).first?.answer)
  #expect(answer.sequence == 3 && answer.code == ENOENT)
  #expect(answer.message == "no!" && answer.attributeOffset == 24)
  #expect(answer.error(of: "x")?.description == "x: No such file or directory (ENOENT): no!")
}

@Test func truncatedBytesEndTheParsing() {
  for length in 0..<refusal.count {
    #expect(Array(NetlinkMessageSequence(Array(refusal[..<length]))).isEmpty)
    _ = Array(AttributeSequence(refusal[36..<max(36, length)]))
  }
  for position in refusal.indices {
    for value in [0, 1, 3, 127, 255] as [UInt8] {
      var broken = refusal
      broken[position] = value
      for message in NetlinkMessageSequence(broken) { _ = message.answer?.error(of: "") }
    }
  }
}
