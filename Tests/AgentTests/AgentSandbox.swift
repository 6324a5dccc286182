// Helpers shared by the agent's tests.
import Agent
import Foundation
import Kernel
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR
import Testing

/// An agent, and the namespace of its node.
struct AgentSandbox {
  let worker: NamespaceWorker
  let namespace: NetworkNamespace
  let agent: EnforcementAgent
  let style: EnforcementStyle

  init(
    _ view: NodeView, _ style: EnforcementStyle, observer: (@Sendable (SyncMoment) -> Void)? = nil,
    before: (NamespaceWorker, NetworkNamespace) throws -> Void = { _, _ in }
  ) throws {
    worker = try NamespaceWorker()
    namespace = try worker.makeNamespace()
    self.style = style
    try before(worker, namespace)
    agent = try EnforcementAgent(view, style: style, in: namespace, worker: worker, observer: observer)
    try agent.start()
  }

  /// Delivers an event and waits for everything that follows from it.
  @discardableResult
  func sync(_ event: InformerEvent) throws -> SyncRecord {
    agent.notify(event)
    try agent.waitUntilIdle(timeout: .seconds(60))
    return try #require(agent.syncs.last)
  }

  func output(_ arguments: String...) throws -> String {
    try Command(arguments).run(in: namespace, on: worker).requireSuccess().text
  }

  /// Expects that the node has exactly what the style writes for the view of the last sync.
  func expectRendered(_ step: String, _ location: Testing.SourceLocation = #_sourceLocation) throws {
    let record = try #require(agent.syncs.last, "\(step): no sync")
    #expect(record.failure == nil, "\(step)", sourceLocation: location)
    let ruleset = style.lower(try #require(record.view)).ruleset
    switch style.backend {
    case .iptables:
      for table in ruleset.tables {
        let saved = try output(table.family == .v4 ? "iptables-save" : "ip6tables-save", "-t", "filter")
        #expect(normalised(saved) == normalised(try iptablesRestoreText(table)), "\(step)", sourceLocation: location)
      }
      #expect(
        sorted(try output("ipset", "save")) == sorted(try ipsetRestoreText(ruleset.sets)), "\(step)",
        sourceLocation: location)
    case .nftables:
      let listed = try output("nft", "--stateless", "list", "ruleset")
      let (node, expected) = (objects(listed), objects(try nftText(ruleset)))
      #expect(node.filter { !expected.contains($0) } == [], "\(step): not expected", sourceLocation: location)
      #expect(expected.filter { !node.contains($0) } == [], "\(step): missing", sourceLocation: location)
    }
  }

  /// The text without comments and counters.
  private func normalised(_ saved: String) -> [String] {
    saved.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
      String($0).replacing(/\[\d+:\d+\]/, with: "[0:0]")
    }
  }

  /// Sorted lines without hash seeds: the kernel lists sets and members in its own order, and lists the seeds of its
  /// hashes.
  private func sorted(_ saved: String) -> [String] {
    saved.split(separator: "\n").map { String($0).replacing(#/ initval 0x[0-9a-f]+/#, with: "") }.sorted()
  }

  /// nft's chains and sets, sorted by text, with members sorted and counter values left out.
  private func objects(_ listing: String) -> [String] {
    let lines = listing.replacing(/,\n\s+/, with: ", ").split(separator: "\n", omittingEmptySubsequences: true)
    var objects: [String] = []
    var family = ""
    for line in lines where !line.hasPrefix("}") {
      if line.hasPrefix("table") {
        family = String(line)
        continue
      }
      var line = String(line).replacing(/counter packets \d+ bytes \d+/, with: "counter")
      if let match = line.firstMatch(of: #/elements = \{ (.*) \}/#) {
        line = "elements " + match.1.split(separator: ", ").sorted().joined(separator: " ")
      }
      if line.firstMatch(of: #/^\t(chain|set|comment) /#) != nil { objects.append(family) }
      if !objects.isEmpty { objects[objects.count - 1] += "\n" + line }
    }
    return objects.sorted()
  }
}

/// The view of `node1` in a world of two nodes and the objects in `text`.
func agentView(_ text: String, defaultDeny: Bool = false, dualStack: Bool = false) throws -> NodeView {
  let blocks = dualStack ? "10.42.0.0/24, 'fd00:42::/64'" : "10.42.0.0/24"
  let addresses = dualStack ? "192.168.20.11, 'fd00:20::11'" : "192.168.20.11"
  let cluster = """
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    nodes:
    - {name: node1, addresses: [\(addresses)], podCIDRs: [\(blocks)]}
    - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.42.1.0/24]}

    """
  let reading = try readManifests([ManifestSource(name: "world.yaml", text: text + "---\n" + cluster)])
  var view = NodeView(of: try #require(reading.cluster.node("node1")), in: reading.cluster)
  view.defaultDeny = defaultDeny
  if dualStack { view.serviceCIDRs.append(try #require(CIDR("fd00:43::/112"))) }
  return view
}
