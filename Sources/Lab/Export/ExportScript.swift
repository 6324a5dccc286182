internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Network
internal import Path
internal import RuleIR
public import Run
internal import Text

/// A bash script that shows a flow's verdict on any machine: it makes the flow's smallest world, sends the packet and tells
/// what became of it.
///
/// Names of others are text in it: in comments on one line, in quotes, or in here-documents in which nothing is expanded.
public struct ExportScript: Sendable {
  public let text: String

  /// Throws `NotExportable`, or `Unsupported` for a rule that the node's program can't express.
  public init(_ world: SmallestWorld, version: String) throws {
    let names = MachineNames(world.topology)
    let packet = try PacketCommands(world, names)
    let links = LinkCommands(world.topology, names, world.flow.family)
    var script = ScriptText()
    Self.addHeading(world, names, packet, version, to: &script)
    Self.addStart(world, packet, to: &script)
    Self.addMachines(world, names, links, to: &script)
    try Self.addRules(world, names, to: &script)
    packet.add(to: &script)
    Self.addCounters(world, names, to: &script)
    Self.addEnd(world, packet.receiver(world, names), to: &script)
    text = script.text
    // A script is for others to read, on their terminals.
    if let hidden = text.unicodeScalars.first(where: { $0.actsOnTerminal && $0 != "\n" && $0 != "\t" }) {
      throw NotExportable(
        "a name that the rules carry has the character \(hidden.jsonEscape), which readers of a script don't see; "
          + "rename the object")
    }
  }

  private static func word(_ verdict: Verdict) -> String { verdict.rawValue.uppercased() }

  private static func addHeading(
    _ world: SmallestWorld, _ names: MachineNames, _ packet: PacketCommands, _ version: String,
    to script: inout ScriptText
  ) {
    script.add("#!/usr/bin/env bash")
    script.comment(
      "What becomes of one packet under Kubernetes NetworkPolicies, in network namespaces of this machine.")
    script.add("#")
    script.comment("flow     \(world.flow)")
    script.comment("rules    as \(world.style.name) writes them")
    if world.moments.count == 2, let pod = world.newPod {
      script.comment("verdict  \(word(world.moments[0].verdict)) while the nodes don't know \(pod) yet")
      script.comment("         \(word(world.moments[1].verdict)) when they do")
    } else if let verdict = world.moments.last?.verdict {
      script.comment("verdict  \(word(verdict))")
    }
    if case .deviation(let deviations) = world.comparison.finding {
      let specified = world.comparison.specified.map { word($0.verdict) } ?? "nothing"
      script.comment("         The specification says \(specified).")
      for deviation in deviations { script.comment("         \(deviation.id): \(deviation.summary)") }
    }
    script.add("#")
    script.comment("Written by netpol-lab \(version). It needs bash, root or user namespaces, and the programs below.")
    if let how = packet.how { script.comment(how) }
    script.comment("Exit status: 0 if the verdict is as said above, 1 if it isn't, 3 if this machine can't run it.")
    script.comment(
      "All happens in a network and a mount namespace of the script's own: nothing of the machine is changed, no")
    script.comment("packet leaves it, and nothing is left.")
    script.add("[ -n \"${BASH_VERSION:-}\" ] || { echo 'run this with bash' >&2; exit 3; }")
    script.add("set -eEu")
    script.add("")
  }

  private static func addStart(_ world: SmallestWorld, _ packet: PacketCommands, to script: inout ScriptText) {
    let rulesets = world.moments.flatMap { $0.rulesets.values }.joined()
    var programs = ["unshare", "mount", "ip"]
    let tables = rulesets.filter { $0.backend == .iptables }.flatMap(\.tables)
    if !tables.isEmpty {
      let name = world.flow.family == .v4 ? "iptables" : "ip6tables"
      programs += [name, "\(name)-restore"]
    }
    if rulesets.contains(where: { $0.backend == .iptables && !$0.sets.isEmpty }) { programs.append("ipset") }
    if rulesets.contains(where: { $0.backend == .nftables }) { programs.append("nft") }
    if world.topology.nodes.contains(where: { node in
      world.topology.nodes.contains { node.isTunnelled(to: $0, world.flow.family) }
    }) {
      programs.append("bridge")
    }
    programs += packet.programs
    script.add(
      """
      cannot() {
        printf 'this machine cannot run it: %s\\n' "$1" >&2
        exit 3
      }

      PATH=$PATH:/usr/sbin:/sbin
      for program in \(programs.joined(separator: " ")); do
        command -v "$program" >/dev/null || cannot "there is no $program"
      done
      """)
    if packet.usesNetcat {
      script.add("[[ $(nc -h 2>&1) == *OpenBSD* ]] || cannot 'nc is not the one of netcat-openbsd'")
    }
    script.add(
      """

      if [ "${1:-}" != --inside ]; then
        [ -f "$0" ] || cannot 'save the script into a file, and run that'
        own=(unshare --net --mount)
        "${own[@]}" true 2>/dev/null || own+=(--user --map-root-user)
        "${own[@]}" true || cannot 'it allows no namespaces'
        exec "${own[@]}" "$BASH" "$0" --inside
      fi
      trap 'cannot "line $LINENO failed"' ERR

      # Ends what was started here, by its process ID.
      started=()
      end_started() {
        local pid
        for pid in ${started[@]+"${started[@]}"}; do
          kill "$pid" 2>/dev/null || true
          wait "$pid" 2>/dev/null || true
        done
        started=()
      }
      trap end_started EXIT
      trap 'exit 130' INT
      trap 'exit 143' TERM

      # Names of namespaces and the lock of iptables are only in here.
      mount -t tmpfs tmpfs /run
      export XTABLES_LOCKFILE=/run/xtables.lock

      """)
  }

  private static func addMachines(
    _ world: SmallestWorld, _ names: MachineNames, _ links: LinkCommands, to script: inout ScriptText
  ) {
    for node in world.topology.nodes { script.comment("\(names[.node(node.name)]) is node \(node.name)") }
    for pod in world.topology.pods.keys.sorted() { script.comment("\(names[.pod(pod)]) is pod \(pod)") }
    for host in world.topology.externals { script.comment("\(names[.external(host.name)]) is outside: \(host.name)") }
    script.add(
      "for machine in \(links.machines.map(\.name).joined(separator: " ")); do ip netns add \"$machine\"; done")
    script.add("")
    script.add(
      """
      # Sets kernel parameters of a machine.
      set_in() {
        local machine=$1
        shift
        # shellcheck disable=SC2016
        ip netns exec "$machine" "$BASH" -c 'for pair; do echo "${pair#*=}" >"/proc/sys/${pair%%=*}" || exit 1; done' - "$@"
      }
      """)
    let families = [world.flow.family]
    let settings = { (list: [(name: String, value: String)]) in
      list.map { "\($0.name)=\($0.value)" }.joined(separator: " \\\n  ")
    }
    for node in world.topology.nodes {
      let list = NodeSysctls.ofNode(families: families, bridgeNetfilter: world.bridgeNetfilter)
      script.add("set_in \(names[.node(node.name)]) \\\n  \(settings(list))")
    }
    for host in world.topology.externals where families == [.v6] && !host.networks.isEmpty {
      script.add("set_in \(names[.external(host.name)]) net/ipv6/ip_nonlocal_bind=1")
    }
    script.add("")
    script.comment("Links between machines. Then each machine's addresses, routes and neighbours.")
    script.add("ip -batch -", input: links.links.joined(separator: "\n"))
    for machine in links.machines {
      script.add("ip -n \(machine.name) -batch -", input: machine.commands.joined(separator: "\n"))
      if !machine.forwarding.isEmpty {
        script.add("bridge -n \(machine.name) -batch -", input: machine.forwarding.joined(separator: "\n"))
      }
    }
    for pod in world.topology.forwarders.sorted() where world.topology.pods[pod] != nil {
      script.add("set_in \(names[.pod(pod)]) \\\n  \(settings(NodeSysctls.ofForwarder(families: families)))")
    }
    script.add("")
  }

  private static func machines(_ world: SmallestWorld) -> [Endpoint] {
    world.topology.nodes.map { .node($0.name) }
      + world.topology.forwarders.sorted().filter { world.topology.pods[$0] != nil }.map { .pod($0) }
  }

  private static func addRules(
    _ world: SmallestWorld, _ names: MachineNames, to script: inout ScriptText
  ) throws {
    guard let first = world.moments.first else { return }
    script.comment("Rules, without anything that the packet can't meet. Those of policies only with $1 = policies.")
    try script.block("load() {", "}") { script in
      for machine in machines(world) {
        let backend = if case .node = machine { world.style.backend } else { Ruleset.Backend.nftables }
        try RuleCommands(names[machine], backend).load(first.rulesets[machine] ?? [], into: &script)
      }
      script.add(":")
    }
    script.add("")
    guard world.moments.count == 2, let pod = world.newPod else { return }
    script.comment("The next sync of each node, which brings \(pod).")
    try script.block("sync_nodes() {", "}") { script in
      for machine in machines(world) {
        try RuleCommands(names[machine], world.style.backend).change(
          first.rulesets[machine] ?? [], to: world.moments[1].rulesets[machine] ?? [], into: &script)
      }
      script.add(":")
    }
    script.add("")
  }

  /// Adds a function for each moment that prints the rules that decide, with what they have counted.
  private static func addCounters(_ world: SmallestWorld, _ names: MachineNames, to script: inout ScriptText) {
    for (number, moment) in world.moments.enumerated() {
      script.block("show_rules_\(number + 1)() {", "}") { script in
        var shown: Set<DecidingRule> = []
        for hook in moment.record.hooks {
          let position = hook.position
          let machine = names[position.pod.map(Endpoint.pod) ?? .node(position.node)]
          for met in hook.rules where met.decides && shown.insert(met.rule).inserted {
            let what = "\(machine), table \(met.table), chain \(met.rule.chain), rule \(met.rule.number):"
            script.add("printf '%s\\n' \(what.remark.shellQuoted)")
            script.add(
              met.isIptables
                ? "ip netns exec \(machine) \(world.flow.family == .v4 ? "iptables" : "ip6tables") -t \(met.table) "
                  + "-L \(met.rule.chain.shellQuoted) \(met.rule.number) -v -n"
                : "ip netns exec \(machine) nft list chain \(world.flow.family == .v4 ? "ip" : "ip6") \(met.table) "
                  + met.rule.chain.shellQuoted)
          }
        }
        script.add(":")
      }
    }
    script.add("")
  }

  private static func addEnd(_ world: SmallestWorld, _ receiver: String?, to script: inout ScriptText) {
    script.add(
      """
      # Prints the verdict, and remembers whether it is the expected one.
      result=0
      tell() {
        local verdict=DENIED
        [ -z "$answer" ] || verdict=ALLOWED
        printf '%s\\n' "$verdict"
        [ -z "$answer" ] || printf 'answered by %s\\n' "$answer"
        if [ "$verdict" != "$1" ]; then
          printf 'netpol-lab says %s\\n' "$1"
          result=1
        fi
      }

      """)
    if world.arrivesWithoutPolicies {
      script.comment("Without the policies' rules the packet arrives. So if it doesn't with them, they are the reason.")
      script.add(
        """
        load none
        for _ in {1..5}; do
          ask
          [ -z "$answer" ] || break
        done
        [ -n "$answer" ] || cannot 'without any policy the packet does not arrive either'
        """)
    } else {
      script.add("sleep 1")
    }
    script.add("load policies")
    for (number, moment) in world.moments.enumerated() {
      if number > 0 { script.add("sync_nodes") }
      if world.moments.count > 1 {
        script.add("echo '\(number == 0 ? "before the sync" : "after the sync")'")
      }
      script.add("ask")
      script.add("tell \(word(moment.verdict))")
      script.add("show_rules_\(number + 1)")
    }
    if let receiver {
      script.add("[ \"$answer\" = \(receiver) ] || result=1")
    }
    script.add("exit \"$result\"")
  }
}
