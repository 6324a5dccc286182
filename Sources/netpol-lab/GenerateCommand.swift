import ArgumentParser
import NetpolModel
import Worlds

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Print the manifests of a made-up cluster of any size, shaped like a real one. Needs no root.",
    discussion: """
      It prints what kubectl get -o yaml would print: nodes, namespaces, pods, Services, EndpointSlices and policies. \
      The other commands read it with -f. The same options always print the same text.
      """)

  struct Pods: Bounded {
    static let range = GeneratedCluster.podRange
    let value: Int
  }

  struct Policies: Bounded {
    static let range = GeneratedCluster.policyRange
    let value: Int
  }

  struct Nodes: Bounded {
    static let range = GeneratedCluster.nodeRange
    let value: Int
  }

  enum Families: String, CaseIterable, ExpressibleByArgument {
    case v4, dual

    var list: [IPFamily] { self == .v4 ? [.v4] : [.v4, .v6] }
  }

  @Option(help: Pods.help("Number of pods."))
  var pods = Pods(value: 200)

  @Option(help: Policies.help("Number of NetworkPolicies."))
  var policies = Policies(value: 40)

  @Option(help: Nodes.help("Number of nodes."))
  var nodes = Nodes(value: 4)

  @Option(help: "Addresses: v4 for IPv4 only, or dual for IPv4 and IPv6.")
  var families = Families.v4

  @Option(help: "Another seed gives other names, places and sizes.")
  var seed: UInt64 = 1

  @Flag(help: "Print the small odd cluster that fuzz makes from the seed, instead of one shaped like a real one.")
  var fuzzed = false

  func run() throws {
    if fuzzed { return try Terminal.print(World(seed: seed).cluster.manifest) }
    let cluster = GeneratedCluster(
      pods: pods.value, policies: policies.value, nodes: nodes.value, families: families.list, seed: seed)
    var pending = ""
    for piece in cluster.pieces {
      pending += piece
      if pending.utf8.count < Self.blockSize { continue }
      try Terminal.print(pending)
      pending = ""
    }
    try Terminal.print(pending)
  }

  /// How much is written at once, in bytes.
  private static let blockSize = 1 << 18
}
