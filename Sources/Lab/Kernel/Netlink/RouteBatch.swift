internal import CNftables

/// Requests to rtnetlink (rtnetlink(7)), sent together: links, addresses, routes and neighbours of one namespace.
///
/// Interfaces are identified by an index that the caller chooses, so nothing has to be looked up in between. Each
/// request is labelled with the `ip` command that would do the same.
public struct RouteBatch: Sendable {
  var requests = LabelledRequests()
  /// Requests refer to a namespace by its descriptor, so it must stay open until they are sent.
  var namespaces: [NetworkNamespace] = []

  public init() {}

  public var count: Int { requests.count }
  public var isEmpty: Bool { requests.count == 0 }

  /// Sends all requests and throws the first error, under its request's label.
  ///
  /// This is not a transaction: requests before the failed one stay in effect, and some after it were tried.
  public func send(in socket: borrowing NetlinkSocket) throws(KernelError) {
    try requests.send(in: socket)
  }

  mutating func append<Header: BitwiseCopyable>(
    _ label: String, _ type: Int, create: Bool = false, _ header: Header,
    _ body: (inout NetlinkBuffer) -> Void = { _ in }
  ) {
    requests.append(label, type: number(type), flags: create ? NLM_F_CREATE | NLM_F_EXCL : 0, header, body)
  }
}
