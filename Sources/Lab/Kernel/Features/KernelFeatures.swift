internal import CNftables
internal import Glibc

/// A kernel feature that the lab needs and that a distribution may ship as a module.
public enum KernelFeature: String, Hashable, Sendable, CaseIterable {
  case bridgeNetfilter = "br_netfilter"
  case ipset = "ip_set"
  case nftables = "nf_tables"

  /// The name of the module.
  public var module: String { rawValue }

  /// Effect of loading the module on the host, outside the lab's namespaces.
  public var effectOnHost: String {
    switch self {
    case .bridgeNetfilter:
      "the host's own bridged traffic (containers, virtual machines) then also passes the host's iptables "
        + "rules and may be dropped by them; net.bridge.bridge-nf-call-iptables=0 turns that off again"
    case .ipset: "none on packets until a rule uses a set"
    case .nftables: "none on packets until rules are added"
    }
  }

  /// The command for the administrator to run. This program never runs it.
  public var command: String { "modprobe \(module)" }
}

/// A missing kernel feature.
public struct MissingKernelFeature: Hashable, Sendable, CustomStringConvertible {
  public let feature: KernelFeature
  public let error: KernelError

  public var description: String {
    "\(feature.module) is missing (\(error)). `\(feature.command)` loads it. "
      + "Effect on the host: \(feature.effectOnHost)."
  }
}

public enum KernelFeatures {
  /// Returns the features that a new namespace lacks.
  ///
  /// This loads no modules itself, but the kernel may: on the first message to ip_set or nf_tables it loads that module
  /// if it has it, as for any call of `ipset` or `nft`. It never does so for br_netfilter.
  public static func missing(on worker: NamespaceWorker) throws -> [MissingKernelFeature] {
    try worker.run(in: try worker.makeNamespace()) {
      let socket = try NetlinkSocket(.netfilter)
      return KernelFeature.allCases.compactMap { feature in
        do throws(KernelError) {
          try feature.check(over: socket)
          return nil
        } catch {
          return MissingKernelFeature(feature: feature, error: error)
        }
      }
    }
  }
}

extension KernelFeature {
  /// Throws if the socket's namespace lacks the feature. The calling thread must be in that namespace.
  fileprivate func check(over socket: borrowing NetlinkSocket) throws(KernelError) {
    switch self {
    case .bridgeNetfilter: _ = try Sysctl.read("net/bridge/bridge-nf-call-iptables")
    case .ipset:
      try ask(socket, ipsetMessage(IPSET_CMD_PROTOCOL)) { $0.put(number(IPSET_ATTR_PROTOCOL), UInt8(IPSET_PROTOCOL)) }
    case .nftables: try ask(socket, UInt16(NFNL_SUBSYS_NFTABLES) << 8 | number(NFT_MSG_GETGEN)) { _ in }
    }
  }

  private func ask(
    _ socket: borrowing NetlinkSocket, _ type: UInt16, _ body: (inout NetlinkBuffer) -> Void
  ) throws(KernelError) {
    var request = NetlinkBuffer()
    let header = nfgenmsg(nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: 0)
    try request.appendMessage(type: type, flags: UInt16(NLM_F_REQUEST), sequence: 1, header, body)
    _ = try socket.ask(request, "query \(module)")
  }
}
