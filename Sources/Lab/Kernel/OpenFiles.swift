internal import Glibc

/// The limit on open files. Each namespace and each socket counts as one.
public enum OpenFiles {
  /// Raises the soft limit to the hard one and returns it. The corresponding C function is `setrlimit`.
  @discardableResult
  public static func raiseLimit() throws(KernelError) -> UInt64 {
    var limit = try limits
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      try call("setrlimit(RLIMIT_NOFILE)") { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    }
    return UInt64(limit.rlim_cur)
  }

  /// How many more files the process may open. Needs /proc.
  public static var room: Int {
    get throws(KernelError) {
      guard let folder = opendir("/proc/self/fd") else { throw KernelError("open /proc/self/fd", code: errno) }
      defer { closedir(folder) }
      var count = 0
      while readdir(folder) != nil { count += 1 }
      return Int(clamping: try limit) - count
    }
  }

  /// The soft limit.
  static var limit: UInt64 {
    get throws(KernelError) { UInt64(try limits.rlim_cur) }
  }

  private static var limits: rlimit {
    get throws(KernelError) { try ProcessLimits.limits(of: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)) }
  }
}
