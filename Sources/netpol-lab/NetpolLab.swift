import ArgumentParser

/// The program's version, which every report includes.
let version = "0.1.0"

struct NetpolLab: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "netpol-lab",
    abstract: "Show what Kubernetes NetworkPolicies really do to packets, in network namespaces on this machine.",
    discussion: """
      Exit codes: 0 as expected; 1 a finding or a failed expectation; 2 bad input or usage; 3 this machine can't run it.
      """,
    version: version,
    subcommands: [
      RunCommand.self, ExplainCommand.self, ExportCommand.self, ShellCommand.self, ServeAPICommand.self,
      LagCommand.self, BenchCommand.self,
      RenderCommand.self,
      CompareCommand.self, DiffCommand.self, LintCommand.self, ProveCommand.self, EqualCommand.self, FuzzCommand.self,
      GenerateCommand.self, DoctorCommand.self,
    ])
}
