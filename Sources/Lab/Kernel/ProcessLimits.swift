internal import Glibc

/// Limits of this process besides that on open files. `nil` if there is none.
public struct ProcessLimits: Sendable {
  /// Of the user's processes and threads (RLIMIT_NPROC). Root of the host has no such limit.
  public let processes: UInt64?
  /// In bytes (RLIMIT_AS).
  public let addressSpace: UInt64?

  /// The corresponding C function is `getrlimit`.
  public init() throws(KernelError) {
    processes = try Self.limit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue))
    addressSpace = try Self.limit(__rlimit_resource_t(RLIMIT_AS.rawValue))
  }

  private static func limit(_ resource: __rlimit_resource_t) throws(KernelError) -> UInt64? {
    var limit = rlimit()
    try call("getrlimit") { getrlimit(resource, &limit) }
    // RLIM_INFINITY.
    return limit.rlim_cur == .max ? nil : UInt64(limit.rlim_cur)
  }
}
