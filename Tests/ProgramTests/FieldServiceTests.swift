// Not covered: why each verdict is right. The expected.md of each case says that.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("Questions about services of field cases", .serialized, .needsNamespaces) struct FieldServiceTests {
  private struct Case: CustomTestStringConvertible, Sendable {
    let file, from, to, port: String
    /// What the report tells, with spaces for line breaks.
    var style = "kube-router-2.6-k3s"
    let tells: [String]
    var status: Int32 = 0
    var testDescription: String { "\(file): \(from) -> \(to) \(port)" }
  }

  private static let cases = [
    Case(
      file: "01-lb-ip-egress", from: "vpn/tunnel-client", to: "192.168.50.99", port: "443",
      tells: ["TCP/443: DENIED", "path n1 forward: policies see 10.42.0.", ":8443, stopped", "rejected (ICMP 3/3)"]),
    Case(
      file: "02-cni-ip-except", from: "external/visitor", to: "node/solo", port: "30080",
      tells: ["TCP/30080: ALLOWED", "policies see 192.168.60.77 ->", "leaves with source 10.42.0.1"]),
    Case(
      file: "08-metrics-server-other-node", from: "node/cp", to: "service/kube-system/metrics", port: "443",
      tells: ["TCP/443: DENIED", "policies see 10.42.0.0 ->", "stopped"]),
    Case(
      file: "08-metrics-server-other-node", from: "node/w", to: "service/kube-system/metrics", port: "443",
      tells: ["TCP/443: ALLOWED", "a pod's own node can always reach it"]),
    Case(
      file: "17-flannel-ipv6-node", from: "external/lan", to: "192.168.95.99", port: "80",
      tells: ["TCP/80: ALLOWED", "n2 forward: policies see 10.42.0.0 ->"]),
    Case(
      file: "17-flannel-ipv6-node", from: "external/lan", to: "fd12:1::99", port: "80",
      tells: ["TCP/80: DENIED", "n2 forward: policies see fd00:42:: ->", "ICMP 1/4"]),
    Case(
      file: "26-selectorless-external", from: "ext/app", to: "service/ext/db", port: "5432",
      tells: ["TCP/5432: ALLOWED", "policies see 10.42.0.2 -> 203.0.113.20:5432, passed"]),
    Case(
      file: "26-selectorless-external", from: "ext/app", to: "service/ext/saas", port: "443",
      tells: ["is of type ExternalName: only a DNS alias for api.example.com"], status: 2),
    Case(
      file: "27-dns-5353-and-peers", from: "console/ui", to: "service/openshift-dns/dns-default", port: "UDP/53",
      tells: ["UDP/53: DENIED", ":5353, stopped"]),
    Case(
      file: "27-dns-5353-and-peers", from: "console/ui", to: "pay/api", port: "80", tells: ["TCP/80: DENIED"]),
    Case(
      file: "09-ingress-hostnetwork", from: "ing/controller-n1", to: "front/ui", port: "8080",
      tells: ["TCP/8080: ALLOWED", "a pod's own node can always reach it"]),
    Case(
      file: "09-ingress-hostnetwork", from: "ing/controller-n2", to: "front/ui", port: "8080",
      tells: [
        "front/ui (10.42.0.2) TCP/8080: DENIED",
        "ing/controller-n2 is on its node's network, so no selector selects it",
      ]),
    Case(
      file: "11b-hostport-only", from: "external/lan", to: "node/n1", port: "1100",
      tells: [
        "TCP/1100: DENIED", "hostPort TCP/1100 of game/server sends it to game/server port 8080", "rejected (ICMP 3/3)",
      ]),
    Case(
      file: "11b-hostport-only", from: "external/lan", to: "node/n2", port: "1100", tells: ["TCP/1100: ALLOWED"]),
    Case(
      file: "18-headless-port", from: "vec/app", to: "vec/chroma-0", port: "80", tells: ["TCP/80: DENIED"]),
    Case(
      file: "18-headless-port", from: "vec/app", to: "vec/chroma-0", port: "8000", tells: ["TCP/8000: ALLOWED"]),
    Case(
      file: "18-headless-port", from: "vec/app", to: "service/vec/chroma", port: "80",
      tells: ["is a headless Service", "vec/chroma-0 (TCP/8000)"], status: 2),
    Case(
      file: "20-session-affinity/plain.yaml", from: "aff/client", to: "service/aff/s", port: "80",
      tells: ["MIXED: 1 of 2 endpoints refuses: aff/two (10.42.1.2:8080), by aff/close-two"]),
    Case(
      file: "20-session-affinity/first-closed.yaml", from: "aff/client", to: "service/aff/s", port: "80",
      tells: ["MIXED: 1 of 2 endpoints refuses: aff/one"]),
    Case(
      file: "20-session-affinity/world.yaml", from: "aff/client", to: "service/aff/s", port: "80",
      tells: ["MIXED: 1 of 2 endpoints refuses", "a client stays with the endpoint that it got first"]),
    Case(
      file: "28-metallb-local-announcer", from: "external/lan", to: "192.168.101.90", port: "80",
      tells: [
        "TCP/80: ALLOWED", "policies see 192.168.101.200 ->",
        "n2 answers for 192.168.101.90 of Service ha/haproxy (MetalLB, layer 2)",
      ]),
    Case(
      file: "05-nodelocal-dns", from: "app/api", to: "169.254.20.10", port: "UDP/53",
      tells: [
        "UDP/53: DENIED", "NodeLocal DNS on n1 answers at 169.254.20.10",
        "path n1 input: policies see 10.42.0.2 -> 169.254.20.10:53, stopped",
      ]),
    Case(
      file: "05-nodelocal-dns", from: "app/api", to: "10.43.0.10", port: "UDP/53",
      tells: [
        "ALLOWED, a known deviation: D8", "path n1 input: policies see 10.42.0.2 -> 10.43.0.10:53, passed",
        "delivered to node/n1",
      ]),
    Case(
      file: "11-hostport-svclb", from: "node/n1", to: "127.0.0.1", port: "80",
      tells: ["TCP/80: ALLOWED", "svclb-edge-n1 sends it on to", "* nat PREROUTING #1"]),
    Case(
      file: "11-hostport-svclb", from: "external/lan", to: "node/n2", port: "80",
      tells: ["TCP/80: DENIED", "10.42.1.0"]),
    Case(
      file: "11-hostport-svclb", from: "external/lan", to: "192.168.93.11", port: "80",
      tells: ["TCP/80: DENIED", "policies see 192.168.93.200"]),
    Case(
      file: "38-nodeport-egress", from: "reg/builder", to: "node/n1", port: "30500",
      tells: ["TCP/30500: ALLOWED", "path"]),
    Case(
      file: "38-nodeport-egress", from: "reg/builder", to: "node/n2", port: "30500",
      tells: [
        "TCP/30500: DENIED", "denied: the source's policies see 192.168.106.12 port 30500",
        "path n1 forward: policies see 10.42.0.2 -> 192.168.106.12:30500, stopped",
      ]),
    Case(
      file: "pr-03", from: "10.42.0.1", to: "app/web", port: "80",
      tells: ["TCP/80: ALLOWED", "a pod's own node can always reach it"]),
    Case(
      file: "pr-03", from: "app/web", to: "10.42.0.1", port: "30001",
      tells: ["ALLOWED, a known deviation: D8"]),
    // Until the node knows it, a new pod with a finished pod's address is closed, in both directions.
    Case(
      file: "pr-01", from: "10.42.0.6", to: "app/web", port: "80", style: "compiled",
      tells: ["DENIED, a known deviation: D14", "treated as a new pod on n1 that no node and no policy knows yet"]),
    Case(
      file: "pr-01", from: "app/web", to: "10.42.0.6", port: "80", style: "compiled",
      tells: ["DENIED, a known deviation: D14"]),
    Case(
      file: "pr-02", from: "app/web", to: "10.42.0.1", port: "80", style: "kube-router-2.11",
      tells: ["DENIED, a known deviation: D22"]),
    Case(
      file: "pr-02", from: "app/web", to: "10.42.0.0", port: "80", style: "kube-router-2.11-nft",
      tells: ["DENIED, a known deviation: D22"]),
    Case(
      file: "pr-02", from: "app/web", to: "10.42.0.1", port: "30001", style: "kube-router-2.11",
      tells: ["TCP/30001: ALLOWED"]),
  ]

  @Test("packets give the right verdict, with the reason that the packet had", arguments: cases)
  private func verdict(asked: Case) async throws {
    let path = repository.appendingPathComponent("Tests/Fixtures/field/\(asked.file)").path
    let result = try await Program.run(
      ["run", "-f", path, "--from", asked.from, "--to", asked.to, "--port", asked.port, "--style", asked.style])
    #expect(result.status == .exited(asked.status), "\(result)")
    let words = (result.output + result.errors).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for part in asked.tells { #expect(words.contains(part), "\(result.output)") }
  }
}
