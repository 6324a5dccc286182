internal import NetpolModel
internal import Text

/// A container of klipper-lb, by its environment (`entry` of klipper-lb). k3s's servicelb writes it for each port of a
/// Service.
struct KlipperContainer: Hashable {
  let port: TransportPort
  let sourceRanges: [CIDR]
  /// `nil` if they are the node's own addresses (`status.hostIPs`), as with traffic policy Local.
  let destinations: [IPAddress]?
  let destinationPort: UInt16

  /// `nil` if it is another container, or its environment is not one that klipper-lb can use.
  init?(_ container: PodSpec.Container) {
    let text = { (name: String) in container.environment[name] ?? "" }
    guard let source = UInt16(text("SRC_PORT")), let destination = UInt16(text("DEST_PORT")), source > 0,
      destination > 0,
      let transport = Transport.allCases.first(where: { $0.keyword == text("DEST_PROTO").lowercased() })
    else { return nil }
    port = TransportPort(transport, source)
    destinationPort = destination
    // Old releases had no source ranges.
    let ranges = container.environment["SRC_RANGES"]?.listed ?? ["0.0.0.0/0", "::/0"]
    sourceRanges = ranges.compactMap { CIDR($0) }
    // Before DEST_IPS it was DEST_IP.
    let addresses = (container.environment["DEST_IPS"] ?? container.environment["DEST_IP"])?.listed
    destinations = addresses?.compactMap { IPAddress($0) }
    if sourceRanges.count != ranges.count || destinations?.count != addresses?.count || destinations?.isEmpty == true {
      return nil
    }
  }
}

extension String {
  /// The words of a list with commas or spaces between them.
  fileprivate var listed: [String] { split { $0 == "," || $0.isWhitespace }.map(String.init) }
}
