internal import Crypto

/// The first 16 characters of the base32 text (RFC 4648) of the SHA-256 of `text`. kube-router and kube-proxy use it in
/// the names of chains and sets.
public func hashedName(_ text: String) -> String { base32(SHA256.hash(data: Array(text.utf8)).prefix(10)) }

/// The same with SHA-1. kube-router uses it in the names of the sets that it fills before a swap (its
/// `pkg/utils/ipset.go`).
public func sha1Name(_ text: String) -> String { base32(Insecure.SHA1.hash(data: Array(text.utf8)).prefix(10)) }

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

private func base32(_ bytes: some Sequence<UInt8>) -> String {
  var result: [UInt8] = []
  var bits: UInt32 = 0
  var count = 0
  for byte in bytes {
    bits = bits << 8 | UInt32(byte)
    count += 8
    while count >= 5 {
      count -= 5
      result.append(alphabet[Int(bits >> UInt32(count)) & 31])
    }
  }
  return String(decoding: result, as: UTF8.self)
}
