import ArgumentParser
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR

struct RenderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render", abstract: "Prints the rules or sets that a node would get. Needs no root.")

  enum Format: String, CaseIterable, ExpressibleByArgument { case iptables, ip6tables, ipset, nft }

  @OptionGroup var input: InputOptions

  @Option(help: "The node; the first by name if not given.")
  var node: String?

  @OptionGroup var nodeOptions: NodeOptions

  @Option(
    name: .shortAndLong,
    help: "What to print: iptables, ip6tables (iptables-save text), ipset (ipset save text), or nft (nft -f text).")
  var output: Format?

  func run() throws {
    let style = try input.enforcementStyle()
    let cluster = try input.reading().cluster
    let view = try nodeOptions.view(of: try chosenNode(cluster), in: cluster)
    let lowered = style.lower(view)
    for finding in lowered.findings { Terminal.say("warning from the style: \(finding)") }
    let wanted = output ?? (style.backend == .nftables ? .nft : .iptables)
    guard (wanted == .nft) == (style.backend == .nftables) else {
      throw InputError("-o \(wanted.rawValue): the style \(style.name) is written for \(style.backend.rawValue)")
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
      Terminal.say("note: rules of \(name), of nodes \(names.joined(separator: ", "))")
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
