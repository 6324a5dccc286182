// Not covered: terminals. Whether a shell gets the keys of one, and gives it back, was tried by hand.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("shell", .serialized) struct ShellProgramTests {
  private static let world = """
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    nodes:
    - {name: n1, addresses: [192.168.20.11], podCIDRs: [10.42.0.0/24]}
    - {name: n2, addresses: [192.168.20.12], podCIDRs: [10.42.1.0/24]}
    externalHosts: [{name: lan, addresses: [192.168.20.50]}]
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: kube-system}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: web, labels: {app: web}}
    spec: {nodeName: n1, containers: [{name: c, ports: [{containerPort: 80}]}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: db-0, labels: {app: db}}
    spec: {nodeName: n2, containers: [{name: c, ports: [{containerPort: 5432}, {containerPort: 53, protocol: UDP}]}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: shut, labels: {app: shut}}
    spec: {nodeName: n2, containers: [{name: c, ports: [{containerPort: 80}]}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: shop, name: db}
    spec: {clusterIP: 10.43.0.80, selector: {app: db}, ports: [{port: 5432}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: kube-system, name: kube-dns}
    spec: {clusterIP: 10.43.0.10, ports: [{name: dns, port: 53, protocol: UDP}]}
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {namespace: kube-system, name: kube-dns-a, labels: {kubernetes.io/service-name: kube-dns}}
    addressType: IPv4
    endpoints: [{addresses: [10.42.1.2]}]
    ports: [{name: dns, port: 53, protocol: UDP}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: shop, name: shut}
    spec:
      podSelector: {matchLabels: {app: shut}}
      policyTypes: [Ingress]
    """

  private static func shell(
    _ arguments: [String], world: String = world, input: String = ""
  ) async throws -> Program.Result {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
    try Data(world.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await Program.run(["shell", "-f", file.path] + arguments, input: input)
  }

  private static func bash(_ script: String, at endpoint: String = "shop/web") async throws -> Program.Result {
    try await shell([endpoint, "--", "bash", "-c", script])
  }

  @Test(
    "a command sees its machine's addresses", .needsNamespaces,
    arguments: [
      ("shop/web", "10.42.0.2"), ("node/n2", "192.168.20.12"), ("external/lan", "192.168.20.50"),
    ])
  func address(endpoint: String, expected: String) async throws {
    let result = try await Self.bash("ip -o -4 address show dev eth0; hostname", at: endpoint)
    #expect(result.status == .exited(0) && result.output.contains(" \(expected)/"), "\(result)")
    #expect(result.output.hasSuffix("\n\(endpoint.split(separator: "/")[1])\n"), "\(result)")
    #expect(result.errors.contains("note: this is \(endpoint) (\(expected)"), "\(result)")
  }

  @Test("names of pods and Services are known, and nothing else is printed", .needsNamespaces) func names() async throws
  {
    let result = try await Self.bash(
      "for name in db.shop db db.shop.svc.cluster.local shut.shop n2 lan web; do getent ahostsv4 $name | head -1; done")
    let addresses = result.output.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
    #expect(
      addresses == [
        "10.43.0.80", "10.43.0.80", "10.43.0.80", "10.42.1.3", "192.168.20.12", "192.168.20.50", "10.42.0.2",
      ], "\(result)")
    #expect(result.errors.contains("note: the lab stands: 2 nodes, 3 pods, 1 host outside, rules of"), "\(result)")
  }

  @Test("an unknown name is unknown at once", .needsNamespaces) func unknownName() async throws {
    let result = try await Self.bash("time -p getent hosts nobody.example; exit $?")
    #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
  }

  @Test("allowed packets get an answer that names the pod, and denied ones get none", .needsNamespaces)
  func packets() async throws {
    let result = try await Self.bash(
      """
      exec 3<>/dev/tcp/db/5432 && cat <&3
      exec 4<>/dev/udp/db-0.shop/53 && echo hello >&4 && timeout 2 head -1 <&4
      timeout 2 bash -c 'exec 5<>/dev/tcp/shut/80 && cat <&5' 2>/dev/null || echo shut: $?
      """)
    #expect(result.output.hasPrefix("HTTP/1.0 200 OK\r\n"), "\(result)")
    #expect(result.output.contains("\r\n\r\nshop/db-0 TCP/5432\nshop/db-0 UDP/53: hello\nshut: "), "\(result)")
  }

  @Test("the cluster's name server answers", .needsNamespaces) func nameServer() async throws {
    let query = #"\1\2\1\0\0\1\0\0\0\0\0\0\2db\4shop\3svc\7cluster\5local\0\0\1\0\1"#
    let result = try await Self.bash(
      "exec 3<>/dev/udp/10.43.0.10/53; printf '\(query)' >&3; timeout 2 dd bs=512 count=1 <&3 2>/dev/null | "
        + "od -An -v -tu1 | tr -s ' \\n' ' '")
    #expect(result.output.hasPrefix(" 1 2 133 0 0 1 0 1 ") && result.output.hasSuffix(" 10 43 0 80 "), "\(result)")
  }

  @Test("the exit code is the command's", .needsNamespaces) func exitCode() async throws {
    #expect(try await Self.bash("exit 7").status == .exited(7))
    #expect(try await Self.bash("kill -TERM $$").status == .exited(143))
    #expect(try await Self.bash("kill -KILL $$").status == .exited(137))
  }

  @Test("standard input and output are the command's alone", .needsNamespaces) func streams() async throws {
    let result = try await Self.shell(["shop/web", "--", "cat"], input: "a\nb")
    #expect(result.status == .exited(0) && result.output == "a\nb", "\(result)")
  }

  @Test("what a command leaves in the background ends with it", .needsNamespaces) func background() async throws {
    let mark = "86400.\(Int.random(in: 100_000...999_999))"
    let result = try await Self.bash("(setsid sleep \(mark) >/dev/null 2>&1 </dev/null &); sleep 0.2")
    #expect(result.status == .exited(0), "\(result)")
    #expect(try await Self.isGone(mark))
  }

  @Test("a killed lab leaves no process, no mount and no changed file", .needsNamespaces) func killed() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
    try Data(Self.world.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let mark = "86400.\(Int.random(in: 100_000...999_999))"
    let hosts = FileManager.default.contents(atPath: "/etc/hosts")
    let ready = file.path + ".ready"
    defer { try? FileManager.default.removeItem(atPath: ready) }
    // It is killed as soon as its command has started.
    let result = try await Program.start([
      "bash", "-c",
      """
      "$1" shell -f "$2" shop/web -- bash -c \
        'grep -c db.shop /etc/hosts; sleep "$1" & setsid sleep "$1" & touch "$0"; wait' "$3" "$4" 2>/dev/null &
      for _ in {1..600}; do [ -e "$3" ] || sleep 0.1; done
      kill -KILL $!
      wait $!
      echo "$?"
      """, "kill", Program.path, file.path, ready, mark,
    ])
    #expect(result.text == "1\n137\n", "\(result)")
    #expect(try await Self.isGone(mark))
    #expect(FileManager.default.contents(atPath: "/etc/hosts") == hosts)
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    #expect(!mounts.split(separator: "\n").contains { $0.contains(" /etc/hosts ") && $0.contains(" tmpfs ") })
  }

  /// Whether no process has the mark among its arguments, or soon none has.
  private static func isGone(_ mark: String) async throws -> Bool {
    for _ in 0..<40 {
      let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
      let found = processes.contains { process in
        (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))).map {
          String(decoding: $0, as: UTF8.self).split(separator: "\0").contains { $0 == mark }
        } ?? false
      }
      if !found { return true }
      try await Task.sleep(for: .milliseconds(50))
    }
    return false
  }

  @Test("where nothing can run, and what is no program, is bad input") func badInput() async throws {
    for (arguments, part) in [
      (["shop/nobody", "--", "true"], "matches no pod"),
      (["service/shop/db", "--", "true"], "nothing runs in a Service"),
      (["10.9.9.9", "--", "true"], "nobody has this address"),
      (["shop/web", "--", "no-such-program"], "no such program"),
      (["shop/web", "--", "/tmp"], "no such program"), (["nobody", "--", "true"], "is not a flow endpoint"),
    ] {
      let result = try await Self.shell(arguments)
      #expect(result.status == .exited(2) && result.output.isEmpty && result.errors.contains(part), "\(result)")
    }
  }

  @Test("a name that means something to a shell is text in its prompt", .needsNamespaces) func hostileName()
    async throws
  {
    let mark = FileManager.default.temporaryDirectory.appendingPathComponent("mark-\(UUID().uuidString)").path
    let name = "a$(touch \(mark))`touch \(mark)`"
    let world = Self.world.replacingOccurrences(of: "name: web,", with: "name: \"\(name)\",")
    let result = try await Self.shell(
      ["--as-stored", "10.42.0.2"], world: world, input: "echo \"${PS1@P}\"\nexit 3\n")
    #expect(result.status == .exited(3) && result.output.hasPrefix("(shop/a$(touch "), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: mark))
  }
}
