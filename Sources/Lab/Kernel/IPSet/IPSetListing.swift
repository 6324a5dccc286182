internal import CNftables
internal import Glibc

/// A set as listed by the kernel.
public struct IPSetListing: Hashable, Sendable {
  public let name: String
  /// The type's name as in ipset(8). The kernel may hold sets of types that `IPSetType` doesn't cover.
  public let type: String
  public let family: AddressFamily?
  public let revision: UInt8?
  public let timeout: UInt32?
  /// Number of rules and sets that refer to this one.
  public let references: UInt32?
  public internal(set) var entries: [IPSetEntry] = []

  init(_ name: String, _ attributes: AttributeSequence) {
    self.name = name
    type = attributes[number(IPSET_ATTR_TYPENAME)]?.string ?? ""
    revision = attributes[number(IPSET_ATTR_REVISION)]?.integer()
    family = attributes[number(IPSET_ATTR_FAMILY)]?.integer(UInt8.self)
      .flatMap { byte in AddressFamily.allCases.first { $0.number == byte } }
    let data = attributes[number(IPSET_ATTR_DATA)]?.nested
    timeout = data?[number(IPSET_ATTR_TIMEOUT)]?.bigEndian()
    references = data?[number(IPSET_ATTR_REFERENCES)]?.bigEndian()
  }

  /// Lists all sets of the socket's namespace, or only `name` (IPSET_CMD_LIST). Throws ENOENT if there is no such set.
  public static func list(
    _ name: String? = nil, in socket: borrowing NetlinkSocket
  ) throws(KernelError) -> [IPSetListing] {
    var request = NetlinkBuffer()
    let flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
    try request.appendMessage(type: ipsetMessage(IPSET_CMD_LIST), flags: flags, sequence: 1, ipsetHeader()) {
      $0.put(number(IPSET_ATTR_PROTOCOL), UInt8(IPSET_PROTOCOL))
      if let name { $0.put(number(IPSET_ATTR_SETNAME), string: name) }
    }

    var sets: [IPSetListing] = []
    for message in try socket.dump(request, "ipset list \(name ?? "")") {
      let attributes = message.attributes(after: nfgenmsg.self)
      guard let name = attributes[number(IPSET_ATTR_SETNAME)]?.string else { continue }
      // A large set comes in several messages; only the first describes it.
      if sets.last?.name != name { sets.append(IPSetListing(name, attributes)) }
      guard let elements = attributes[number(IPSET_ATTR_ADT)]?.nested else { continue }
      sets[sets.count - 1].entries += elements.compactMap { IPSetEntry($0.nested) }
    }
    return sets
  }
}
