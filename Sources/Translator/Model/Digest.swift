internal import CDigest

/// SHA-1 (FIPS 180-4): 20 bytes.
package func sha1(_ bytes: [UInt8]) -> [UInt8] {
  var context = SHA1_CTX()
  var digest = [UInt8](repeating: 0, count: Int(SHA1_DIGEST_LENGTH))
  SHA1Init(&context)
  SHA1Update(&context, bytes, bytes.count)
  SHA1Final(&digest, &context)
  return digest
}

/// SHA-256 (FIPS 180-4): 32 bytes.
package func sha256(_ bytes: [UInt8]) -> [UInt8] {
  var context = SHA2_CTX()
  var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
  SHA256Init(&context)
  SHA256Update(&context, bytes, bytes.count)
  SHA256Final(&digest, &context)
  return digest
}

/// SHA-512 (FIPS 180-4): 64 bytes.
package func sha512(_ bytes: [UInt8]) -> [UInt8] {
  var context = SHA2_CTX()
  var digest = [UInt8](repeating: 0, count: Int(SHA512_DIGEST_LENGTH))
  SHA512Init(&context)
  SHA512Update(&context, bytes, bytes.count)
  SHA512Final(&digest, &context)
  return digest
}
