internal import Crypto

/// First 16 characters of the base32 (RFC 4648) of the SHA-256 of `text`: what kube-router and kube-proxy make names of
/// chains and sets from.
public func hashedName(_ text: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
  var result = ""
  var bits: UInt32 = 0
  var count = 0
  for byte in SHA256.hash(data: Array(text.utf8)).prefix(10) {
    bits = bits << 8 | UInt32(byte)
    count += 8
    while count >= 5 {
      count -= 5
      result.append(alphabet[Int(bits >> UInt32(count)) & 31])
    }
  }
  return result
}
