internal import Glibc

/// Limits of this process besides that on open files. `nil` if there is none.
public struct ProcessLimits: Sendable {
  /// Of the user's processes and threads (RLIMIT_NPROC). Root of the host has no such limit.
  public let processes: UInt64?
  /// In bytes (RLIMIT_AS).
  public let addressSpace: UInt64?

  /// The corresponding C function is `getrlimit`.
  public init() throws(KernelError) {
    processes = try Self.soft(__rlimit_resource_t(__RLIMIT_NPROC.rawValue))
    addressSpace = try Self.soft(__rlimit_resource_t(RLIMIT_AS.rawValue))
  }

  private static func soft(_ resource: __rlimit_resource_t) throws(KernelError) -> UInt64? {
    let limit = try limits(of: resource).rlim_cur
    // RLIM_INFINITY.
    return limit == .max ? nil : UInt64(limit)
  }

  /// The soft and the hard limit. The corresponding C function is `getrlimit`.
  static func limits(of resource: __rlimit_resource_t) throws(KernelError) -> rlimit {
    var limits = rlimit()
    try call("getrlimit") { getrlimit(resource, &limits) }
    return limits
  }
}
