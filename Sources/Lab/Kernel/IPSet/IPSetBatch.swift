internal import Algorithms
internal import CNftables

/// Requests to ipset (ipset(8)), sent over netlink without the `ipset` program. An error names the failed entry.
///
/// Each request is labelled with the `ipset` command that would do the same.
public struct IPSetBatch: Sendable {
  /// Maximum entries per nest: the length of a nest has 16 bits.
  private static let nestCapacity = (Int(UInt16.max) - 4) / IPSetEntry.encodedSize
  private var requests: [IPSetRequest] = []

  public init() {}

  public var isEmpty: Bool { requests.isEmpty }

  public mutating func create(
    _ name: String, _ type: IPSetType, _ family: AddressFamily, _ options: IPSetOptions = IPSetOptions()
  ) {
    requests.append(.create(name, type, family, options))
  }

  /// Adds entries. An entry that already exists is an error (IPSET_ERR_EXIST).
  public mutating func add(_ entries: [IPSetEntry], to name: String) {
    requests += Self.pieces(entries).map { .add($0, name) }
  }

  /// Deletes entries. An entry that doesn't exist is an error (IPSET_ERR_EXIST).
  public mutating func delete(_ entries: [IPSetEntry], from name: String) {
    requests += Self.pieces(entries).map { .delete($0, name) }
  }

  /// Swaps the contents of two sets of the same type atomically. Rules refer to sets by index, so they then match the
  /// other set's contents.
  public mutating func swap(_ first: String, _ second: String) { requests.append(.swap(first, second)) }

  public mutating func destroy(_ name: String) { requests.append(.destroy(name)) }

  public mutating func flush(_ name: String) { requests.append(.flush(name)) }

  /// Sends all requests and throws the first error, under its request's label.
  ///
  /// This is not a transaction. But a swap, flush or destroy isn't sent if an earlier create, add or delete failed.
  public func send(in socket: borrowing NetlinkSocket) throws(KernelError) {
    var revisions = IPSetRevisions()
    var messages = LabelledRequests()
    var entries: [ArraySlice<IPSetEntry>] = []
    var fills = false
    for request in requests {
      switch request {
      case .create, .add, .delete: fills = true
      case .swap, .destroy, .flush:
        if fills { messages.startDatagram() }
        fills = false
      }
      switch request {
      case .create(_, let type, let family, _): try revisions.negotiate(type, family, in: socket)
      default: break
      }
      entries.append(request.entries)
      messages.append(request, revisions)
    }
    try messages.send(in: socket) { answer, index in
      // ipset writes the number of the failed line into the copy of the request that it returns. Lines start at 1.
      let frame = AttributeSequence(answer.request.dropFirst(MemoryLayout<nfgenmsg>.size))
      guard let line: UInt32 = frame[number(IPSET_ATTR_LINENO)]?.integer(), line > 0, line <= entries[index].count
      else { return nil }
      return "entry \(entries[index][entries[index].startIndex + Int(line) - 1])"
    }
  }

  private static func pieces(_ entries: [IPSetEntry]) -> [ArraySlice<IPSetEntry>] {
    Array(entries.chunks(ofCount: nestCapacity))
  }
}
