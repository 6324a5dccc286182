import ArgumentParser
import Export
import Lowering
import Manifests
import NetpolModel
import Path
import Run
import Verdicts

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a bash script that shows one flow's verdict on any machine, to attach to a bug report.",
    discussion: """
      FROM and TO are endpoints, as with explain. The script makes the smallest world that shows the verdict, with ip, \
      iptables and ipset or nft, and nc. It is run once to check that it shows what the tool says.

      export -f DIR shop/web shop/db:5432 > bug.sh
      export -f DIR --new-pod shop/job shop/job shop/db:5432 > lag.sh
      """)

  @OptionGroup var input: ManifestOptions

  @Argument(help: ArgumentHelp("Who sends.", valueName: "from"), transform: EndpointReference.init)
  var from: EndpointReference

  @Argument(help: ArgumentHelp("Who receives, and the port.", valueName: "to"), transform: AskedDestination.init)
  var to: AskedDestination

  @OptionGroup var enforcement: StyleOption

  @Option(help: ArgumentHelp("Send to this multicast group; TO listens to it.", valueName: "address"))
  var group: MulticastGroup?

  @Option(
    help: ArgumentHelp(
      "A pod that is new: show the verdict before the nodes know it, and after.", valueName: "namespace/pod"),
    transform: EndpointReference.init)
  var newPod: EndpointReference?

  @Flag(help: "Only write the script; don't run it.")
  var noCheck = false

  func validate() throws {
    if group != nil, to.port?.isUDP != true { throw ValidationError("--group needs a UDP port: TO:5353/UDP") }
  }

  func run() throws {
    let reading = try input.reading()
    let files = input.files.joined(separator: ", ")
    if reading.cluster.pods.isEmpty { throw InputError("\(files): no pods and no workloads; add at least one Pod") }
    let (cluster, asked) = reading.cluster.addingHosts(
      sending: [from.address].compactMap(\.self), receiving: [to.endpoint.address].compactMap(\.self))
    startThreads()
    let topology = Topology(cluster)
    let selection = try ProbePlan.Selection(
      from: from, to: to.endpoint, [to.port].compactMap(\.self), group: group?.address, in: cluster,
      options: ("from", "to", "port"))
    let run = ClusterRun(style: enforcement.style, selection: selection)
    let newPod = try newPod.map { try Self.pod($0, in: cluster) }
    let world = try run.smallestWorld(try run.selected(in: cluster, topology), newPod: newPod)
    _ = Remarks(reading, cluster, asked: asked)
    if !world.others.isEmpty {
      let count = world.others.count
      Terminal.say(
        "note: the script shows \(world.flow), the first of \(count + 1) flows; name one end more precisely for another"
      )
    }
    let script = try ExportScript(world, version: version).text
    let check = noCheck ? .unasked : try ScriptCheck(script)
    try Terminal.print(script)
    if let remark = check.remark { Terminal.say(remark) }
    if check == .showsOther { throw ExitCode.finding }
  }

  private static func pod(_ reference: EndpointReference, in cluster: Cluster) throws -> PodID {
    guard case .pod(let id) = try EndpointNames(cluster).endpoint(reference, option: "--new-pod") else {
      throw InputError("--new-pod \(reference): is no pod; name one, as namespace/pod")
    }
    return id
  }
}
