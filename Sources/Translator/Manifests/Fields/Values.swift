internal import NetpolModel
internal import Text

/// Reads fields that hold one value of the model.
extension Field {
  func address() throws(ManifestError) -> IPAddress {
    let text = try string()
    guard let address = IPAddress(text) else {
      throw error("\(text.quoted) is not an IP address", "write one such as 10.42.0.5 or fd00::5")
    }
    return address
  }

  /// Reads a CIDR as the API's legacy fields do: host bits are dropped.
  func cidr() throws(ManifestError) -> CIDR {
    let text = try string()
    if let cidr = CIDR(text) { return cidr }
    if let address = IPAddress(text) {
      throw error("\(text.quoted) has no prefix length", "write \(CIDR(address)) for this address only")
    }
    if let octets = text.decimalWithoutLeadingZeros, CIDR(octets) != nil {
      throw error("\(text.quoted) has an octet with a leading zero", "write \(octets)")
    }
    throw error("\(text.quoted) is not a CIDR", "write one such as 10.0.0.0/8 or fd00::/8")
  }

  /// Reads a CIDR that has no host bits set.
  func canonicalCIDR() throws(ManifestError) -> CIDR {
    let cidr = try cidr()
    if try hasHostBits() { throw error("\(try string().quoted) has host bits set", "write \(cidr)") }
    return cidr
  }

  func hasHostBits() throws(ManifestError) -> Bool {
    let text = try string()
    guard let cidr = CIDR(text), let address = IPAddress(String(text.prefix { $0 != "/" })) else { return false }
    return cidr.network != address
  }

  /// Reads one of an enum's raw values. `synonyms` are accepted too, but never printed.
  func word<T: RawRepresentable<String> & CaseIterable>(_ type: T.Type, synonyms: [String: T] = [:])
    throws(ManifestError) -> T
  {
    let text = try string()
    if let value = T(rawValue: text) ?? synonyms[text] { return value }
    throw error("unknown value \(text.quoted)", "write \(T.allCases.map(\.rawValue).alternatives)")
  }

  /// 1 to 65535.
  func port() throws(ManifestError) -> UInt16 {
    let number = try integer()
    guard let port = UInt16(exactly: number), port > 0 else {
      throw error("\(number) is not a port", "give a number from 1 to 65535")
    }
    return port
  }

  func transport() throws(ManifestError) -> Transport {
    let text = try string()
    if let transport = Transport(rawValue: text) { return transport }
    let near = Transport(rawValue: text.uppercased())
    throw error("unknown protocol \(text.quoted)", "write \(near?.rawValue ?? "TCP, UDP or SCTP")")
  }

  /// A port by number or name (IntOrString). With `asStored` any name is accepted.
  func portReference(_ validation: Validation) throws(ManifestError) -> PortReference {
    guard case .string(let name) = scalar else { return .number(try port()) }
    if validation == .asStored || NameSyntax.isPortName(name) { return .name(name) }
    if UInt16(name) != nil {
      throw error(
        "\(name.quoted) in quotes is a port name, and a port name needs a letter", "write \(name) without quotes")
    }
    throw error(
      "\(name.quoted) is not a valid port name",
      "use at most 15 of a-z, 0-9 and single inner '-', with at least one letter")
  }

  /// A map from strings to strings.
  func stringMap() throws(ManifestError) -> Labels {
    var result: Labels = [:]
    for (name, field) in try fields() { result[name] = field.isNull ? "" : try field.string() }
    return result
  }

  /// `metadata.labels`, or a selector's `matchLabels`.
  func labels(_ validation: Validation) throws(ManifestError) -> Labels {
    let labels = try stringMap()
    guard validation == .apiServer else { return labels }
    for (key, field) in try fields() {
      try field.checkLabelKey(key)
      try field.checkLabelValue(labels[key] ?? "")
    }
    return labels
  }

  private static let labelRemedy =
    "use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends"

  func checkLabelKey(_ key: String) throws(ManifestError) {
    if NameSyntax.isQualifiedName(key) { return }
    throw error(
      "\(key.quoted) is not a valid label key",
      "\(Self.labelRemedy); a DNS prefix and '/' may precede them"
    )
  }

  func checkLabelValue(_ value: String) throws(ManifestError) {
    if NameSyntax.isLabelValue(value) { return }
    throw error(
      "\(value.quoted) is not a valid label value",
      "\(Self.labelRemedy), or \"\"")
  }
}

extension String {
  /// `010.0.0.0/8` as `10.0.0.0/8`. `nil` if no octet starts with a zero.
  fileprivate var decimalWithoutLeadingZeros: String? {
    let parts = split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let trimmed = parts.map { part in
      let digits = part.drop { $0 == "0" }
      return digits.first?.isNumber == true ? String(digits) : "0\(digits)"
    }
    let text = trimmed.joined(separator: ".")
    return text == self ? nil : text
  }
}
