internal import Glibc
public import Kernel
package import Lowering
internal import Network

/// The versions that a result was obtained with. Part of every report, and shown with every failure.
public struct LabEnvironment: Hashable, Sendable {
  public let version: String
  public let style: String
  public let kernel: String
  public let iptables: ProgramVersion
  public let nft: ProgramVersion
  public let ipset: ProgramVersion

  public init(
    version: String, style: String, kernel: String, iptables: ProgramVersion, nft: ProgramVersion,
    ipset: ProgramVersion
  ) {
    self.version = version
    self.style = style
    self.kernel = kernel
    self.iptables = iptables
    self.nft = nft
    self.ipset = ipset
  }

  /// Asks the programs for their versions, and tries them in namespaces of the lab.
  public init(version: String, style: String, worker: NamespaceWorker) throws {
    self.version = version
    self.style = style
    kernel = Self.kernelRelease
    iptables = try ProgramVersion(of: .iptables, on: worker)
    nft = try ProgramVersion(of: .nft, on: worker)
    ipset = try ProgramVersion(of: .ipset, on: worker)
  }

  /// For a result without packets.
  package init(withoutLab version: String, style: String) {
    self.init(
      version: version, style: style, kernel: Self.kernelRelease, iptables: .unasked, nft: .unasked, ipset: .unasked)
  }

  private static var kernelRelease: String {
    var name = utsname()
    return uname(&name) == 0
      ? withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } : "unknown"
  }

  /// Throws `LabError` with what this machine lacks for a lab.
  package func requireLab(on worker: NamespaceWorker) throws {
    if let first = try KernelFeatures.missing(on: worker).first { throw LabError(first.description) }
    if let obstacle = iptables.obstacle(to: .iptables) { throw LabError(obstacle) }
  }

  /// Throws `LabError` if a program is missing that the style's agent runs as kube-router does.
  package func requirePrograms(of fullSync: FullSync) throws {
    let obstacle = fullSync == .nft ? nft.obstacle(to: .nft) : ipset.obstacle(to: .ipset)
    if let obstacle { throw LabError("kube-router runs it in this style: \(obstacle)") }
  }

  /// Throws `LabError` if any of the programs is missing.
  package func requireAllPrograms() throws {
    for obstacle in [nft.obstacle(to: .nft), ipset.obstacle(to: .ipset)] {
      if let obstacle { throw LabError(obstacle) }
    }
  }

  public var text: String {
    let programs = [iptables.text(of: .iptables), nft.text(of: .nft), ipset.text(of: .ipset)]
    let styles = style == "all" ? "all styles" : "style \(style)"
    return "netpol-lab \(version), \(styles), Linux \(kernel), \(programs.joined(separator: ", "))"
  }
}
