internal import Text

/// Which addresses and node ports Services have, so that no new one gets them.
struct ServiceUse: Sendable {
  private var addresses: [String: ObjectKey] = [:]
  private var nodePorts: [String: ObjectKey] = [:]
  private var held: [ObjectKey: (addresses: [String], nodePorts: [String])] = [:]

  /// Takes note of a Service's new state. `nil`: it is gone.
  mutating func note(_ key: ObjectKey, _ service: JSON?) {
    for address in held[key]?.addresses ?? [] where addresses[address] == key { addresses[address] = nil }
    for port in held[key]?.nodePorts ?? [] where nodePorts[port] == key { nodePorts[port] = nil }
    held[key] = nil
    guard let service else { return }
    let own = (service["spec"]?["clusterIPs"]?.array ?? []).compactMap(\.string).filter { $0 != "None" && !$0.isEmpty }
    let ports = (service["spec"]?["ports"]?.array ?? []).compactMap { port in
      port["nodePort"]?.integer.map { Self.name(port["protocol"]?.string ?? "TCP", $0) }
    }
    for address in own { addresses[address] = key }
    for port in ports { nodePorts[port] = key }
    held[key] = (own, ports)
  }

  /// Whether another Service than `key` has it.
  func isTaken(_ address: String, besides key: ObjectKey) -> Bool { addresses[address].map { $0 != key } ?? false }

  func isTaken(_ transport: String, _ nodePort: Int, besides key: ObjectKey) -> Bool {
    nodePorts[Self.name(transport, nodePort)].map { $0 != key } ?? false
  }

  private static func name(_ transport: String, _ port: Int) -> String { "\(transport) \(port)" }
}
