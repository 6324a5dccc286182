internal import Glibc
public import Kernel
package import Lowering
internal import Network

/// The versions that a result was obtained with. Part of every report, and shown with every failure.
public struct LabEnvironment: Hashable, Sendable {
  /// Marks a program that isn't installed.
  public static let missing = "missing"

  public let version: String
  public let style: String
  public let kernel: String
  public let iptables: String
  public let nft: String
  public let ipset: String

  public init(version: String, style: String, kernel: String, iptables: String, nft: String, ipset: String) {
    self.version = version
    self.style = style
    self.kernel = kernel
    self.iptables = iptables
    self.nft = nft
    self.ipset = ipset
  }

  /// Asks the programs for their versions, in a namespace of the lab.
  public init(version: String, style: String, worker: NamespaceWorker) throws {
    self.version = version
    self.style = style
    var name = utsname()
    kernel =
      uname(&name) == 0
      ? withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } : "unknown"
    let namespace = try worker.makeNamespace()
    let ask = { (program: String) -> String in
      guard let result = try? Command([program, "--version"], timeout: .seconds(5)).run(in: namespace, on: worker),
        result.succeeded
      else { return Self.missing }
      return String(result.text.prefix { !$0.isNewline })
    }
    iptables = ask("iptables")
    nft = ask("nft")
    ipset = ask("ipset")
  }

  /// Throws `LabError` with what this machine lacks for a lab.
  package func requireLab(on worker: NamespaceWorker) throws {
    if let first = try KernelFeatures.missing(on: worker).first { throw LabError(first.description) }
    if iptables == Self.missing {
      throw LabError("iptables is not installed; netns-scripts/setup.sh installs it")
    }
  }

  /// Throws `LabError` if a program is missing that the style's agent runs as kube-router does.
  package func requirePrograms(of fullSync: FullSync) throws {
    let (name, answer) = fullSync == .nft ? ("nft", nft) : ("ipset", ipset)
    if answer == Self.missing {
      throw LabError("there is no \(name) program, which kube-router runs; netns-scripts/setup.sh installs it")
    }
  }

  public var text: String {
    let programs = [("iptables", iptables), ("nft", nft), ("ipset", ipset)].map { name, answer in
      answer == Self.missing ? "\(name) \(answer)" : answer
    }
    let styles = style == "all" ? "all styles" : "style \(style)"
    return "netpol-lab \(version), \(styles), Linux \(kernel), \(programs.joined(separator: ", "))"
  }
}
