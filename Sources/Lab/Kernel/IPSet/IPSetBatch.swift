internal import CNftables

/// Requests to ipset (ipset(8)), sent over netlink without the program; an error names the entry.
///
/// A request is labelled by the `ipset` command that would do the same.
public struct IPSetBatch: Sendable {
  /// A nest counts its bytes in 16 bits.
  private static let nestCapacity = (Int(UInt16.max) - 4) / IPSetEntry.encodedSize
  private var requests: [IPSetRequest] = []

  public init() {}

  public var isEmpty: Bool { requests.isEmpty }

  public mutating func create(
    _ name: String, _ type: IPSetType, _ family: AddressFamily, _ options: IPSetOptions = IPSetOptions()
  ) {
    requests.append(.create(name, type, family, options))
  }

  /// Adds entries; one that is there already is an error (IPSET_ERR_EXIST).
  public mutating func add(_ entries: [IPSetEntry], to name: String) {
    requests += Self.pieces(entries).map { .add($0, name) }
  }

  /// Deletes entries; one that isn't there is an error (IPSET_ERR_EXIST).
  public mutating func delete(_ entries: [IPSetEntry], from name: String) {
    requests += Self.pieces(entries).map { .delete($0, name) }
  }

  /// Exchanges the contents of two sets of one type at once; rules refer to sets by place, and so see the other's.
  public mutating func swap(_ first: String, _ second: String) { requests.append(.swap(first, second)) }

  public mutating func destroy(_ name: String) { requests.append(.destroy(name)) }

  public mutating func flush(_ name: String) { requests.append(.flush(name)) }

  /// Sends all requests and throws the first error, under its request's label.
  ///
  /// Not a transaction. But a set is not swapped in, emptied or destroyed when something before that has failed.
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
      // ipset writes the line that failed into the copy of the request that it sends back; lines start at 1.
      let frame = AttributeSequence(answer.request.dropFirst(MemoryLayout<nfgenmsg>.size))
      guard let line: UInt32 = frame[number(IPSET_ATTR_LINENO)]?.integer(), line > 0, line <= entries[index].count
      else { return nil }
      return "entry \(entries[index][entries[index].startIndex + Int(line) - 1])"
    }
  }

  private static func pieces(_ entries: [IPSetEntry]) -> [ArraySlice<IPSetEntry>] {
    stride(from: 0, to: entries.count, by: nestCapacity).map { entries[$0..<min($0 + nestCapacity, entries.count)] }
  }
}
