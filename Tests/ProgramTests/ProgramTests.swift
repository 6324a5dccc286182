// Not covered: verdicts. ThreeEnginesTests cover them.
import Foundation
import Kernel
import NetpolModel
import TestSupport
import Testing

@Suite("Arguments, streams and exit codes of the program") struct ProgramTests {
  static let pod = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, labels: {app: web}}
    spec: {containers: [{name: c}]}
    ---

    """

  static let service = """
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80}]}

    """

  static let deployment = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
    """

  @Test(
    "bad input gives one line and exit code 2",
    arguments: [
      (["run", "-f", "/nowhere.yaml"], "", "/nowhere.yaml: no such file or directory"),
      (
        ["run", "-f", "-"], "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
        "-: no pods and no workloads; add at least one Pod"
      ),
      (
        ["run", "-f", "-"], "apiVersion: v1\nkind: Pod\nmetadata: {name: db, label: {app: db}}\n",
        "-:3: Pod default/db: metadata.label: unknown field; did you mean labels?"
      ),
      (
        ["render", "-f", "-", "--style", "calico"], pod,
        "The value 'calico' is invalid for '--style <style>'. Please provide one of "
          + "'kube-router-2.6-k3s', 'kube-router-2.11', 'kube-router-2.11-nft' or 'compiled'."
      ),
      (["render", "-f", "-", "--node", "n9"], pod, "--node n9: no such node; known: node1"),
      (
        ["render", "-f", "-", "--service-cidr", "10.43.0.0"], pod,
        "The value '10.43.0.0' is invalid for '--service-cidr <10.43.0.0/16>'"
      ),
      (
        ["render", "-f", "-", "--node-port-range", "40000-30000"], pod,
        "The value '40000-30000' is invalid for '--node-port-range <30000-32767>'"
      ),
      (["compare", "-f", "-"], pod, "give --iptables-save and --ipset-save (--ip6tables-save for IPv6), or --nft"),
      (
        ["compare", "-f", "-", "--nft", "/nowhere"], pod, "/nowhere: can't be read; check the path and its permissions"
      ),
      (
        ["compare", "-f", "-", "--nft", "/dev/null", "--ipset-save", "x"], pod,
        "--nft can't be combined with --iptables-save, --ip6tables-save or --ipset-save"
      ),
      (
        ["compare", "-f", "-", "--nft", "/dev/null"], pod,
        "the dump holds no chain of kube-router; give --style to compare anyway"
      ),
      (
        ["compare", "-f", "-", "--nft", "/dev/null", "--style", "kube-router-2.11"], pod,
        "--style kube-router-2.11: it writes iptables, but the dump is of nftables"
      ),
      (
        ["compare", "--golden", "/nowhere"], "",
        "--golden /nowhere: can't be listed; check the path and its permissions"
      ),
      (
        ["run", "-f", "-", "--from", "default/web", "--to", "127.0.0.1"], pod,
        "--to 127.0.0.1: a loopback address is the sender's own machine; let a node send, or ask in an Expectations document"
      ),
      (
        ["run", "-f", "-", "--to", "node/default/web"], pod,
        "The value 'node/default/web' is invalid for '--to <endpoint>': is not a flow endpoint; "
          + "write node/NAME; for an object in a namespace called node, write its address"
      ),
      (
        ["lag", "-f", "-", "--newcomer", "default/deployment/web"], deployment,
        "--newcomer default/Deployment/web: has 2 pods; name one of default/web-0, default/web-1"
      ),
      (
        ["run", "-f", "-", "--to", "service/default/web"], pod,
        "--to service/default/web: matches no Service; there are none in default"
      ),
      (
        ["run", "-f", "-", "--from", "default/web", "--to", "node/node1", "--group", "10.0.0.1", "--port", "UDP/5353"],
        pod, "The value '10.0.0.1' is invalid for '--group <IPv4 group such as 224.0.0.251>'"
      ),
      (
        ["run", "-f", "-", "--group", "224.0.0.251"], pod,
        "--group needs --from, --to and a UDP --port"
      ),
      (["run", "-f", "-", "--from", "default/api"], pod, "--from default/api: matches no pod; known in default: web"),
      (
        ["lag", "--pods", "9223372036854775807"], "",
        "The value '9223372036854775807' is invalid for '--pods <1-20000>'"
      ),
      (
        ["lag", "--pods=-9223372036854775808"], "",
        "The value '-9223372036854775808' is invalid for '--pods <1-20000>'"
      ),
      (
        ["fuzz", "--mutants", "1", "--cases", "1000000000"], "",
        "--cases 1000000000: with --mutants, write 100000 or fewer"
      ),
      (
        ["run", "-f", "-", "--from", "service/default/web"], pod + service,
        "--from service/default/web: a Service sends no packets; name the pods or the workload behind it"
      ),
      (
        ["run", "-f", "-", "--port", "http"], pod,
        "--port http: no port in the cluster has this name; none has a name, so write a number"
      ),
      (
        ["run", "-f", "-", "--to", "service/default/saas"],
        pod + "apiVersion: v1\nkind: Service\nmetadata: {name: saas}\n"
          + "spec: {type: ExternalName, externalName: api.example.com}\n",
        "--to service/default/saas: is of type ExternalName: only a DNS alias for api.example.com; "
          + "name an address of api.example.com instead"
      ),
      (
        ["run", "-f", "-", "--to", "service/default/web", "--port", "8080"], pod + service,
        "--port TCP/8080: service/default/web has no such port; known: TCP/80"
      ),
      (["render", "-f", "-", "-o", "ipset"], "# nothing\n", "-: no objects; give at least one"),
      (["lag", "--spacing", "0s"], "", "The value '0s' is invalid for '--spacing <20us-10ms>'"),
      (
        ["run", "-f", "-", "--port", "TCP/99999"], pod,
        "The value 'TCP/99999' is invalid for '--port <80, UDP/53, http or ICMP>': a port is a number from 1 to 65535"
      ),
    ]) func badInput(arguments: [String], input: String, line: String) async throws
  {
    let result = try await Program.run(arguments, input: input)
    #expect(result.status == .exited(2))
    let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("note: ") }
    #expect(lines == [Substring(line)])
    #expect(result.output.isEmpty)
  }

  @Test("for a policy that the API server would refuse, the message has file, line, object, field and remedy")
  func refusedPolicy() async throws {
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: p}
      spec:
        podSelector: {}
        ingress:
        - from:
          - ipBlock: {cidr: 10.0.0.0/33}
      """
    let result = try await Program.run(["render", "-f", "-"], input: Self.pod + policy)
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("-:13: NetworkPolicy default/p: spec.ingress[0].from[0].ipBlock.cidr:"))
  }

  @Test("usage errors give exit code 2, help and version give 0")
  func usage() async throws {
    #expect(try await Program.run(["run"]).status == .exited(2))
    #expect(try await Program.run(["frobnicate"]).status == .exited(2))
    #expect(try await Program.run(["--help"]).status == .exited(0))
    let version = try await Program.run(["--version"])
    #expect(version.status == .exited(0) && version.output == "0.1.0\n")
  }

  @Test("output that can't be written is a failure", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDisk() async throws {
    let shell = "printf '%s' \"$0\" | \(Program.path) render -f - > /dev/full"
    let result = try await Program.start(["sh", "-c", shell, Self.pod])
    #expect(result.ending == .exited(3))
    #expect(String(decoding: result.stderr, as: UTF8.self).contains("standard output can't be written"))
  }

  @Test("help that can't be written is a failure", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func helpOnFullDisk() async throws {
    #expect(try await Program.start(["sh", "-c", "\(Program.path) --help > /dev/full"]).ending == .exited(3))
  }

  @Test(
    "if standard error can't be written, the program does the same and has the same exit code",
    arguments: ["2>/dev/full", "2>&-", "2>&3"])
  func unwritableErrors(redirection: String) async throws {
    // Descriptor 3 is a pipe that is no longer read.
    let shell = """
      coproc reader { read -r; }
      eval "exec 3>&${reader[1]}"
      echo >&3
      wait $reader_PID
      printf '%s' "$0" | "$1" render -f - \(redirection); good=$?
      "$1" render -f /nowhere \(redirection); echo "$good $?"
      """
    let result = try await Program.start(["bash", "-c", shell, Self.pod, Program.path])
    #expect(result.text.hasSuffix("\n0 2\n") && result.text.hasPrefix("*filter\n"), "\(result)")
  }

  @Test("output for a closed standard stream does not end up in another file")
  func closedStreams() async throws {
    let shell = "printf '%s' \"$0\" | \(Program.path) render -f -"
    #expect(try await Program.start(["sh", "-c", "\(shell) >&-", Self.pod]).ending == .exited(3))
    #expect(try await Program.start(["sh", "-c", "\(Program.path) render -f - <&-"]).ending == .exited(2))
  }

  @Test("if standard error is a pipe, there are only notes and no progress lines", .needsNamespaces)
  func noProgress() async throws {
    let result = try await Program.run(["run", "-f", "-"], input: Self.pod)
    #expect(result.status == .exited(0))
    let lines = result.errors.split(separator: "\n")
    #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("note: ") }, "\(result.errors)")
  }

  @Test("a selection without any flow is bad input, not an empty success", .needsNamespaces)
  func nothingToAsk() async throws {
    let result = try await Program.run(
      ["run", "-f", "-", "--from", "default/web", "--to", "default/web"], input: Self.pod)
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("both ends are default/web; name two different ends [NPL-705]\n"))
  }

  @Test("render prints input for iptables-restore and for ipset restore")
  func render() async throws {
    let iptables = try await Program.run(["render", "-f", "-", "--version-stamp", "7"], input: Self.pod)
    #expect(iptables.status == .exited(0))
    #expect(iptables.output.hasPrefix("*filter\n:INPUT ACCEPT [0:0]\n") && iptables.output.hasSuffix("COMMIT\n"))
    let other = try await Program.run(["render", "-f", "-", "--version-stamp", "8"], input: Self.pod)
    #expect(other.output != iptables.output, "the stamp is part of the chains' names")
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
    let sets = try await Program.run(["render", "-f", "-", "-o", "ipset"], input: Self.pod + policy)
    #expect(sets.output.contains("add KUBE-DST-") && sets.output.contains(" 10.42.0.2 timeout 0\n"))
  }

  @Test(
    "a run leaves its host unchanged after success, Ctrl-C and kill -9, while building, probing and measuring lag",
    .needsNamespaces) func hostUntouched() async throws
  {
    let script = repository.appendingPathComponent("netns-scripts/host-untouched.sh").path
    // Without the example's expectations, which take long.
    let parts = ["cluster.yaml", "namespaces.yaml", "nodes.yaml", "policies", "services.yaml", "workloads"]
    let world = parts.map { repository.appendingPathComponent("examples/homelab/\($0)").path }
    let result = try await Program.start([script, Program.path] + world)
    #expect(result.succeeded, "\(result.text)")
    #expect(result.text.hasSuffix("10 passed, 0 failed\n"), "\(result.text)")
  }

  @Test(
    "the plain shell version shows packets lost under a podSelector until the sync, and none under an ipBlock",
    .needsNamespaces) func shellLag() async throws
  {
    let script = repository.appendingPathComponent("netns-scripts/lag.sh").path
    let result = try await Program.start([script, "0.3"])
    #expect(result.succeeded, "\(result.text)")
    let lost = { (line: String) -> Int? in
      let words = result.text.split(separator: "\n").first { $0.hasPrefix(line) }?.split(separator: " ") ?? []
      return words.firstIndex(of: "lost").flatMap { Int(words[$0 + 1]) }
    }
    #expect(try #require(lost("podSelector")) > 0)
    // Zero, except on a loaded machine, where a separate program sends each datagram.
    #expect(try #require(lost("ipBlock")) < (try #require(lost("podSelector"))))
    // The last ten are sent when the pod's own rules are in place.
    #expect(try #require(lost("newcomer's")) >= 10)
    #expect(try await Program.start([script, "soon"]).ending == .exited(2))
  }

  private func expecting(_ flows: String, _ arguments: [String] = []) async throws -> Program.Result {
    let groups = "- name: g\n  claim: C1\n  flows: [\(flows)]\n"
    return try await Program.run(
      ["run", "-f", "-", "--expectations-only"] + arguments, input: ExpectationsWorld.text(groups))
  }

  @Test("a missed expectation gives exit code 1, a refuted document gives 0", .needsNamespaces)
  func expectations() async throws {
    let flow = "from: app/other, to: app/web-0, port: 8080"
    let refuted = try await expecting("{\(flow), expect: denied, document: allowed}")
    #expect(refuted.status == .exited(0) && refuted.output.contains("C1  refuted  1 of 1 met"), "\(refuted)")
    let missed = try await expecting("{\(flow), expect: allowed}", ["--claim", "C1"])
    #expect(missed.status == .exited(1) && missed.output.contains("MISSED") && missed.output.contains("KUBE-POD-FW-"))
    let json = try await expecting("{\(flow), expect: allowed}", ["-o", "json"])
    #expect(json.status == .exited(1) && json.output.contains("\"asExpected\":false"))
  }

  @Test("single flows are asked without checking expectations", .needsNamespaces)
  func selection() async throws {
    let groups = "- name: g\n  flows: [{from: app/other, to: app/web-0, port: 8080, expect: allowed}]\n"
    let result = try await Program.run(
      ["run", "-f", "-", "--from", "app/other", "--to", "app/web-0"], input: ExpectationsWorld.text(groups))
    #expect(result.status == .exited(0) && !result.output.contains("MISSED"))
  }

  @Test("expectations that can't be checked are bad input")
  func badExpectations() async throws {
    let unknown = try await expecting(
      "{from: app/other, to: app/web-0, port: 80, expect: denied}", ["--claim", "C9"])
    #expect(unknown.status == .exited(2))
    #expect(unknown.errors.contains("--claim C9: no such claim or group; known: C1"))
    let none = try await Program.run(["run", "-f", "-", "--expectations-only"], input: Self.pod)
    #expect(none.status == .exited(2) && none.errors.contains("-: no Expectations document"), "\(none.errors)")
    let text = ExpectationsWorld.text("- name: g\n  add: [/nowhere/third.yaml]\n")
    let missing = try await Program.run(["run", "-f", "-", "--allow-outside"], input: text)
    #expect(missing.status == .exited(2))
    #expect(missing.errors.contains("/nowhere/third.yaml can't be read: no such file"), "\(missing.errors)")
    let mixed = try await expecting(
      "{from: app/other, to: app/web-0, port: 80, expect: denied}", ["--from", "app/other"])
    #expect(mixed.status == .exited(2))
  }
}
