internal import CNftables

/// One command to ipset.
enum IPSetRequest: Sendable {
  case create(String, IPSetType, AddressFamily, IPSetOptions)
  case add(ArraySlice<IPSetEntry>, String)
  case delete(ArraySlice<IPSetEntry>, String)
  case swap(String, String)
  case destroy(String)
  case flush(String)
}

extension IPSetRequest {
  var entries: ArraySlice<IPSetEntry> {
    switch self {
    case .add(let entries, _), .delete(let entries, _): entries
    case .create, .swap, .destroy, .flush: []
    }
  }

  var label: String {
    switch self {
    case .create(let name, let type, _, _): "ipset create \(name) \(type.rawValue)"
    case .add(let entries, let name): "ipset add \(name) (\(entries.count) entries)"
    case .delete(let entries, let name): "ipset del \(name) (\(entries.count) entries)"
    case .swap(let first, let second): "ipset swap \(first) \(second)"
    case .destroy(let name): "ipset destroy \(name)"
    case .flush(let name): "ipset flush \(name)"
    }
  }
}

extension LabelledRequests {
  mutating func append(_ request: IPSetRequest, _ revisions: IPSetRevisions) {
    func append(_ command: ipset_cmd, _ name: String, _ body: (inout NetlinkBuffer) -> Void = { _ in }) {
      // Without NLM_F_EXCL, ipset treats every request as if it had -exist, and destroying a missing set succeeds.
      self.append(request.label, type: ipsetMessage(command), flags: NLM_F_EXCL, ipsetHeader()) {
        $0.put(number(IPSET_ATTR_PROTOCOL), UInt8(IPSET_PROTOCOL))
        $0.put(number(IPSET_ATTR_SETNAME), string: name)
        body(&$0)
      }
    }
    func appendEntries(_ command: ipset_cmd, _ entries: ArraySlice<IPSetEntry>, _ name: String) {
      append(command, name) {
        $0.put(number(IPSET_ATTR_LINENO), UInt32(0))
        $0.withNest(number(IPSET_ATTR_ADT)) {
          for (line, entry) in entries.enumerated() { entry.put(into: &$0, line: UInt32(line + 1)) }
        }
      }
    }

    switch request {
    case .create(let name, let type, let family, let options):
      let revision = revisions[type, family]
      append(IPSET_CMD_CREATE, name) {
        $0.put(number(IPSET_ATTR_TYPENAME), string: type.rawValue)
        $0.put(number(IPSET_ATTR_REVISION), revision)
        $0.put(number(IPSET_ATTR_FAMILY), family.number)
        $0.withNest(number(IPSET_ATTR_DATA)) {
          $0.put(number(IPSET_ATTR_HASHSIZE), bigEndian: options.hashSize)
          $0.put(number(IPSET_ATTR_MAXELEM), bigEndian: options.maxElements)
          if revision >= type.bucketSizeRevision { $0.put(number(IPSET_ATTR_BUCKETSIZE), options.bucketSize) }
          if let timeout = options.timeout { $0.put(number(IPSET_ATTR_TIMEOUT), bigEndian: timeout) }
        }
      }
    case .add(let entries, let name): appendEntries(IPSET_CMD_ADD, entries, name)
    case .delete(let entries, let name): appendEntries(IPSET_CMD_DEL, entries, name)
    case .swap(let first, let second):
      append(IPSET_CMD_SWAP, first) { $0.put(number(IPSET_ATTR_SETNAME2), string: second) }
    case .destroy(let name): append(IPSET_CMD_DESTROY, name)
    case .flush(let name): append(IPSET_CMD_FLUSH, name)
    }
  }
}
