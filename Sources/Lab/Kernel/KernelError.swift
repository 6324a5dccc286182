internal import CLinux
internal import CNftables
internal import Glibc
internal import SystemPackage

/// A system call that failed, or a request that the kernel refused over netlink.
public struct KernelError: Error, Hashable, Sendable {
  /// The failed operation: a call, a path, or the label of a request in a batch.
  public var operation: String
  /// An errno, or from 4096 on one of ipset's own codes (`enum ipset_errno`, linux/netfilter/ipset/ip_set.h).
  public var code: Int32
  /// The kernel's own message (NLMSGERR_ATTR_MSG), or other details about the failure.
  public var message: String?
  /// Offset of the refused attribute in the request (NLMSGERR_ATTR_OFFS, linux/netlink.h).
  public var attributeOffset: UInt32?

  public init(_ operation: String, code: Int32, message: String? = nil, attributeOffset: UInt32? = nil) {
    self.operation = operation
    self.code = code
    self.message = message
    self.attributeOffset = attributeOffset
  }

  init(_ operation: String, _ errno: Errno) { self.init(operation, code: errno.rawValue) }

  /// Whether a limit of the machine was reached, or it doesn't let the lab work. That says nothing about any rule.
  public var isOfMachine: Bool { [EMFILE, ENFILE, ENOMEM, ENOSPC, EAGAIN, EROFS].contains(code) }

  /// The symbol of the code, such as `ENOENT` or `IPSET_ERR_REFERENCED`.
  public var name: String {
    if let name = ipsetErrorNames[code] { return name }
    guard let name = cl_errno_name(code) else { return "error \(code)" }
    return String(cString: name)
  }
}

extension KernelError: CustomStringConvertible {
  public var description: String {
    // strerror(3) has no text for codes above 4095.
    let reason = code >= Int32(IPSET_ERR_PRIVATE.rawValue) ? name : "\(Errno(rawValue: code)) (\(name))"
    return [operation, reason, message, remedy].compactMap(\.self).joined(separator: ": ")
  }

  /// What to do about a limit of the machine, whatever the operation was.
  private var remedy: String? {
    switch code {
    case EMFILE:
      "this process may have \((try? OpenFiles.limit) ?? 0) files open; raise that with `ulimit -n 65536`, as root if "
        + "it is refused"
    case ENFILE: "the machine's limit on open files is reached; raise it with `sysctl fs.file-max`"
    case ENOMEM: "not enough memory; end other programs, or give the container more"
    case EROFS: "in a container, /proc/sys must be writable: `docker run --privileged`"
    default: nil
    }
  }
}

/// ipset's codes by number, from linux/netfilter/ipset/ip_set.h and ip_set_hash.h.
private let ipsetErrorNames: [Int32: String] = [
  4096: "IPSET_ERR_PRIVATE", 4097: "IPSET_ERR_PROTOCOL", 4098: "IPSET_ERR_FIND_TYPE", 4099: "IPSET_ERR_MAX_SETS",
  4100: "IPSET_ERR_BUSY", 4101: "IPSET_ERR_EXIST_SETNAME2", 4102: "IPSET_ERR_TYPE_MISMATCH", 4103: "IPSET_ERR_EXIST",
  4104: "IPSET_ERR_INVALID_CIDR", 4105: "IPSET_ERR_INVALID_NETMASK", 4106: "IPSET_ERR_INVALID_FAMILY",
  4107: "IPSET_ERR_TIMEOUT", 4108: "IPSET_ERR_REFERENCED", 4109: "IPSET_ERR_IPADDR_IPV4",
  4110: "IPSET_ERR_IPADDR_IPV6", 4111: "IPSET_ERR_COUNTER", 4112: "IPSET_ERR_COMMENT",
  4113: "IPSET_ERR_INVALID_MARKMASK", 4114: "IPSET_ERR_SKBINFO",
  4352: "IPSET_ERR_HASH_FULL", 4353: "IPSET_ERR_HASH_ELEM", 4354: "IPSET_ERR_INVALID_PROTO",
  4355: "IPSET_ERR_MISSING_PROTO", 4356: "IPSET_ERR_HASH_RANGE_UNSUPPORTED", 4357: "IPSET_ERR_HASH_RANGE",
]
