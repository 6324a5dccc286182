internal import NetpolModel

/// Reads where a packet is sent on to: `10.0.0.5:80`, `[fd00::5]:80`, or an address alone.
func translationTarget(_ text: String) -> (address: IPAddress, port: UInt16?)? {
  if let address = IPAddress(text) { return (address, nil) }
  guard let colon = text.lastIndex(of: ":"), let port: UInt16 = decimal(text[text.index(after: colon)...]), port > 0
  else { return nil }
  let host = text[..<colon]
  if host.hasPrefix("["), host.hasSuffix("]") {
    return IPAddress(String(host.dropFirst().dropLast())).flatMap { $0.family == .v6 ? ($0, port) : nil }
  }
  return IPAddress(String(host)).flatMap { $0.family == .v4 ? ($0, port) : nil }
}
