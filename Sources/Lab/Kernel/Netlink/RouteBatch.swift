internal import CNftables

/// Requests to rtnetlink (rtnetlink(7)), sent together: links, addresses, routes, neighbours of one namespace.
///
/// Interfaces are named by an index that the caller chooses, so nothing has to be looked up in between.
/// A request is labelled by the `ip` command that would do the same.
public struct RouteBatch: Sendable {
  var requests = LabelledRequests()
  /// Requests name a namespace by its descriptor, which must still be the same one when they are sent.
  var namespaces: [NetworkNamespace] = []

  public init() {}

  public var count: Int { requests.count }
  public var isEmpty: Bool { requests.count == 0 }

  /// Sends all requests and throws the first error, under its request's label.
  ///
  /// Not a transaction: what came before the failed request stays, and some of what follows was tried.
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
