import ArgumentParser

/// The version of this program, which every report names.
let version = "0.1.0"

struct NetpolLab: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "netpol-lab",
    abstract: "Shows what Kubernetes NetworkPolicies really do to packets, in network namespaces of this machine.",
    discussion: """
      Exit codes: 0 as expected; 1 engines disagree, or a flow is unexplained; 2 bad input or usage; 3 this machine can't run it.
      """,
    version: version,
    subcommands: [
      RunCommand.self, LagCommand.self, BenchCommand.self, RenderCommand.self, CompareCommand.self, FuzzCommand.self,
    ])
}
