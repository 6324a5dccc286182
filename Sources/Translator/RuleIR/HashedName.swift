internal import NetpolModel

/// Returns the first 16 characters of the base32 (RFC 4648) of the SHA-256 of `text`. kube-router and kube-proxy name
/// chains and sets this way.
public func hashedName(_ text: String) -> String { base32(sha256(Array(text.utf8)).prefix(10)) }

/// Returns the first 16 characters of the base32 of the SHA-1 of `text`. kube-router names the temporary sets that it
/// fills before a swap this way (its `pkg/utils/ipset.go`).
public func sha1Name(_ text: String) -> String { base32(sha1(Array(text.utf8)).prefix(10)) }

/// Returns the SHA-256 of `text` in hex, 64 digits: how containerd writes a sandbox's id.
public func sha256Hex(_ text: String) -> String { hex(sha256(Array(text.utf8))) }

/// Returns the SHA-512 of `text` in hex. The CNI plugins name chains by its first digits (`pkg/utils/utils.go`).
public func sha512Hex(_ text: String) -> String { hex(sha512(Array(text.utf8))) }

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

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
