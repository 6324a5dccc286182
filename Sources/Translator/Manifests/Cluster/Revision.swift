internal import NetpolModel

/// The state of an object that an API server stored: which object it is, and how often it had changed.
///
/// Clients should compare resource versions for equality only, but etcd counts them up, and since Kubernetes 1.35 the
/// API promises the order.
struct Revision: Hashable {
  let uid: String
  let version: UInt64

  /// `nil` for an object that did not come out of an API server.
  init?(_ object: ManifestObject) {
    guard let uid = try? object.metadata?["uid"]?.string(),
      let version = (try? object.metadata?["resourceVersion"]?.string()).flatMap(UInt64.init)
    else { return nil }
    self.uid = uid
    self.version = version
  }

  /// Whether this is a later state of the same object.
  func isNewer(than other: Revision) -> Bool { uid == other.uid && version > other.version }
}
