import ArgumentParser
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR

struct RenderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Print the policy rules or sets that a style writes on a node. Needs no root.",
    discussion: "Rules of other programs (kube-proxy, flannel, portmap) are not printed.")

  enum Format: String, CaseIterable, ExpressibleByArgument { case iptables, ip6tables, ipset, nft }

  @OptionGroup var input: ManifestOptions
  @OptionGroup var enforcement: StyleOption

  @Option(help: "Node to print. Default: the first by name.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Option(
    name: .shortAndLong,
    help: "What to print: iptables or ip6tables as iptables-save text, ipset as ipset save text, or nft as nft -f text."
  )
  var output: Format?

  func run() throws {
    let style = enforcement.style
    let cluster = try input.reading().cluster
    let view = nodeOptions.view(of: try chosenNode(cluster), in: cluster)
    let lowered = style.lower(view)
    for finding in lowered.findings { Terminal.say("warning from the style: \(finding)") }
    let wanted = output ?? (style.backend == .nftables ? .nft : .iptables)
    guard (wanted == .nft) == (style.backend == .nftables) else {
      throw InputError("-o \(wanted.rawValue): the style \(style.name) writes \(style.backend.rawValue)")
    }
    switch wanted {
    case .iptables: try Terminal.print(try table(lowered, .v4))
    case .ip6tables: try Terminal.print(try table(lowered, .v6))
    case .ipset: try Terminal.print(try ipsetRestoreText(lowered.ruleset.sets))
    case .nft: try Terminal.print(try nftText(lowered.ruleset))
    }
  }

  private func chosenNode(_ cluster: Cluster) throws -> Node {
    let names = cluster.nodes.map(\.name).sorted()
    guard let name = node ?? names.first, let found = cluster.node(name) else {
      throw InputError("--node \(node ?? ""): no such node; known: \(names.joined(separator: ", "))")
    }
    if node == nil, names.count > 1 {
      Terminal.say("note: rules of node \(name); --node prints another of \(names.joined(separator: ", "))")
    }
    return found
  }

  private func table(_ lowered: Lowered, _ family: IPFamily) throws -> String {
    guard let table = lowered.ruleset.table("filter", family) else {
      throw InputError("-o \(family == .v4 ? "iptables" : "ip6tables"): the cluster has no \(family.rawValue)")
    }
    return try iptablesRestoreText(table)
  }
}
