import Documents
// Not covered: what real packets did. The kernel's answers are made by hand.
import Foundation
import Lowering
import NetpolModel
import Report
import Run
import TestSupport
import Testing

@Suite("A run as text") struct TextReportTests {
  /// Many pods with long names that are all treated differently by policies, and a machine outside the cluster.
  static let wide: String = {
    let pods = (0..<26).map { index in
      podText(
        "a-namespace-\(index % 3)/an-application-with-a-long-name-\(index)", on: "node\(index % 2 + 1)",
        labels: "number: '\(index)'")
    }
    let policies = (0..<26).map { index in
      let from = (0..<index).map { "{namespaceSelector: {}, podSelector: {matchLabels: {number: '\($0)'}}}" }
      return """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {namespace: a-namespace-\(index % 3), name: only-some-may-come-in-\(index)}
        spec:
          podSelector: {matchLabels: {number: '\(index)'}}
          policyTypes: [Ingress, Egress]
          ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}, \(from.joined(separator: ", "))], ports: [{port: 80}]}]
          egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
        ---

        """
    }
    return pods.joined() + policies.joined() + """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      externalHosts:
      - {name: a-machine-of-the-local-network, addresses: [192.168.1.9], routesToPods: true}

      """
  }()

  /// Whether the line is a rule's text, which begins after the margin with a match or jump of iptables.
  private func isRule(_ line: Substring) -> Bool {
    let margin = String(repeating: " ", count: 13)
    return line.hasPrefix(margin + "! -") || line.hasPrefix(margin + "-") && !line.hasPrefix(margin + "->")
  }

  @Test("only rules are longer than the width, not grids, deviations or failures", arguments: GridReportTests.widths)
  func width(width: Int) throws {
    let report = try HandMadeReport.make(Self.wide, strict: true) { flow, verdict in
      switch flow.source {
      case .node("node1"):
        .unusable("the request was delivered, but its answer was lost on the way back to the one who asked")
      case .node("node2"): verdict == .allow ? .silent(after: .seconds(1)) : .delivered
      default: verdict == .allow ? .delivered : .refused(.icmp(type: 3, code: 3))
      }
    }
    let text = report.document.text(width: width)
    for part in ["DISAGREEMENTS", "Known deviation D8", "! disagreement", "? undecided", "  rule       node"] {
      #expect(text.contains(part), "\(part)")
    }
    for line in text.split(separator: "\n") where !isRule(line) { #expect(line.count <= width, "\(line)") }
    #expect(text.split(separator: "\n").contains { isRule($0) && $0.contains(" -j ") })
  }

  @Test("D8 has its own cell symbols, and the legend explains them")
  func deviation() throws {
    let text = (try HandMadeReport.make(HandMadeReport.pods + HandMadeReport.policy)).document.text()
    #expect(text.contains("o allowed by a deviation") && !text.contains("! disagreement"))
    #expect(text.contains("\nTCP 30000\n"))
    #expect(text.contains("2 nodes, 0 external hosts, 1 policy\n"))
    #expect(text.contains("not in the lab: app/done, since its phase is Succeeded"))
  }

  @Test("pods that are not in the lab take one line for each reason, and at most eleven lines")
  func notInLab() throws {
    let twins = (0..<15).flatMap { index in
      ["a", "b"].map { name in
        podText("app/\(name)\(index)", on: "node1", status: "phase: Running, podIP: 10.42.0.\(50 + index)")
      }
    }
    let ended = (0..<9).map { podText("app/c\($0)", on: "node1", status: "phase: Failed") }
    let text = (try HandMadeReport.make((twins + ended).joined())).document.text(width: 200)
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("not in the lab: ") }
    #expect(lines.count == 11, "\(lines)")
    #expect(lines.first == "not in the lab: app/b0, since its address 10.42.0.50 belongs to app/a0 [NPL-704]")
    #expect(lines.last == "not in the lab: 14 other pods")
  }

  @Test("a single flow is shown once, also with --strict", arguments: [false, true])
  func once(strict: Bool) throws {
    let world = HandMadeReport.pods + HandMadeReport.policy
    let report = try HandMadeReport.make(world, HandMadeReport.toNodePort, strict: strict)
    #expect(report.failures.count == (strict ? 1 : 0))
    let text = report.document.text(width: 80)
    #expect(text.components(separatedBy: "ALLOWED, a known").count == 2)
    #expect(!text.contains("DISAGREEMENTS") && !text.contains("Known deviation "))
    for line in text.split(separator: "\n") where !isRule(line) { #expect(line.count <= 80, "\(line)") }
  }

  @Test("an nft style's rules are shown in nft syntax")
  func nft() throws {
    let world = HandMadeReport.pods + HandMadeReport.policy
    let report = try HandMadeReport.make(world, HandMadeReport.toNodePort, style: .kubeRouterNftables)
    let text = report.document.text()
    #expect(text.contains(" dport 30000-32767 ") && !text.contains(" --dport"), "\(text)")
  }

  @Test("unexpected behaviour of a style is a warning, and not a finding")
  func warnings() throws {
    let policy = HandMadeReport.policy.replacingOccurrences(
      of: "name: silence", with: "name: silence, annotations: {kube-router.io/netpol-nflog-limit: 100000/second}")
    let report = try HandMadeReport.make(HandMadeReport.pods + policy)
    #expect(!report.styleWarnings.isEmpty)
    let text = report.document.text(width: 60)
    #expect(text.contains("\nWarning from the style: ") && !text.contains("Finding"))
    for line in text.split(separator: "\n") { #expect(line.count <= 60, "\(line)") }
  }
}
