import ArgumentParser
import Foundation
import Glibc
import Lowering
import Manifests
import NetpolModel
import Path
import Report
import Shell
import StandingLab
import Text

struct ShellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shell",
    abstract: "Run a shell or a command in a pod's network, while your cluster stands in the lab.",
    discussion: """
      AT is a pod, node/NAME or external/NAME, as with explain. Names of pods and Services are known there, and every port \
      that a container names is open and says which pod it is. When the command ends, nothing is left. Its exit code is \
      that of shell.

      shell -f DIR shop/web
      shell -f DIR shop/web -- curl -m 2 db.shop:5432
      """)

  @OptionGroup var input: ManifestOptions

  @Argument(help: ArgumentHelp("Where the command runs.", valueName: "at"), transform: EndpointReference.init)
  var at: EndpointReference

  @OptionGroup var enforcement: StyleOption

  @Flag(
    help:
      "Serve your manifests as an API, as serve-api does, where nodes reach it. KUBECONFIG names it. The lab's pods stay as they are."
  )
  var api = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The command. Default: $SHELL, with a prompt that names the pod.", valueName: "command"))
  var command: [String] = []

  func run() throws {
    let cluster = try input.reading(standsIn: true).cluster
    let endpoint = try EndpointNames(cluster).endpoint(at, option: "at")
    let topology = Topology(cluster)
    try requireNetwork(of: endpoint, topology)
    let program = try command.first.map { try Self.executable($0) }
    let shell = PodShell(
      cluster, enforcement.style, at: endpoint, command: program.map { [$0] + command.dropFirst() }, shell: Self.shell)
    let served = try api ? ServedFiles(cluster) : nil
    defer { served?.stop() }
    try enterNamespaces()
    let status = try shell.run(
      version: version, progress: { Terminal.progress($0.text) },
      standing: { standing in
        Terminal.progress("")
        Terminal.say(Self.text(standing, shell))
      },
      service: served.map { served in { socket, place in try served.start(at: socket, place) } })
    if status != 0 { throw ExitCode(status) }
  }

  /// Throws `InputError` if nothing can run in the endpoint's network.
  private func requireNetwork(of endpoint: Endpoint, _ topology: Topology) throws {
    switch endpoint {
    case .pod, .node, .external:
      if let absence = topology.absence(of: endpoint) { throw InputError("at \(at): it has no network: \(absence)") }
    case .service, .virtualAddress:
      throw InputError("at \(at): nothing runs in a Service; name a pod behind it")
    case .address(let address):
      guard topology.owner(of: address) != nil else {
        throw InputError("at \(at): nobody has this address; name a pod, node/NAME or external/NAME")
      }
    }
  }

  /// `$SHELL`, if it is a program, or else bash.
  private static var shell: String {
    let own = getenv("SHELL").map { String(cString: $0) } ?? ""
    return own.hasPrefix("/") && access(own, X_OK) == 0 ? own : "/bin/bash"
  }

  /// The path of a program. Throws `InputError` if there is none.
  private static func executable(_ name: String) throws(InputError) -> String {
    let isProgram = { (path: String) in
      access(path, X_OK) == 0 && ManifestFolder.type(of: path) != .typeDirectory
    }
    if name.contains("/") {
      guard isProgram(name) else { throw InputError("-- \(name): no such program") }
      return name
    }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
    guard !name.isEmpty, let found = folders.map({ "\($0)/\(name)" }).first(where: isProgram) else {
      throw InputError("-- \(name): no such program in \(path)")
    }
    return found
  }

  private static func text(_ standing: PodShell.Standing, _ shell: PodShell) -> String {
    var stands = "\(counted(standing.nodes, "node")), \(counted(standing.pods, "pod"))"
    if standing.hosts > 0 { stands += ", \(counted(standing.hosts, "host")) outside" }
    let addresses = standing.addresses.map(\.description).joined(separator: ", ")
    let place = standing.node.map { " on \($0)" + (standing.isOnNodeNetwork ? ", in its network" : "") } ?? ""
    return "note: the lab stands: \(stands), rules of \(shell.style.name), \(counted(standing.listeners, "listener"))\n"
      + "note: this is \(shell.endpoint) (\(addresses))\(place); when the command ends, nothing of the lab is left"
  }
}
