// Not covered: what the notes say (see ServiceNetworkTests and PodNetworkTests).
import Foundation
import Kernel
import Lowering
import NetpolModel
import TestSupport
import Testing

@Suite("Field cases about networks", .serialized, .needsNamespaces) struct FieldNetworkTests {
  private func path(_ file: String) -> String { repository.appendingPathComponent("Tests/Fixtures/field/\(file)").path }

  @Test(
    "a cluster whose networks nothing states runs in every style",
    arguments: ["rw-01-service-cidr/kubeadm.yaml", "rw-02-pods-above-128/calico.yaml"], EnforcementStyle.all.map(\.name)
  )
  func runs(file: String, style: String) async throws {
    let result = try await Program.run(["run", "-f", path(file), "--style", style])
    #expect(result.status == .exited(0), "\(result.errors)\(result.output)")
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains(": 0 disagreements."))
  }

  @Test("the networks are those that the objects show")
  func networks() throws {
    let cluster = { (file: String) in try readWorld(try String(contentsOfFile: path(file), encoding: .utf8)) }
    let kubeadm = try cluster("rw-01-service-cidr/kubeadm.yaml")
    #expect(kubeadm.settings.serviceCIDRs.map(\.description) == ["10.96.0.0/18"])
    let calico = try cluster("rw-02-pods-above-128/calico.yaml")
    #expect(calico.node("cp")?.podCIDRs.map(\.description) == ["192.168.191.0/24"])
    #expect(calico.clusterCIDR(.v4)?.description == "192.168.190.0/23")
  }

  @Test(
    "a ClusterIP's block never matches, with and without a stated service CIDR",
    arguments: [[], ["37-kubeadm-cidr/cidr.yaml"]])
  func clusterIP(more: [String]) async throws {
    let files = (["37-kubeadm-cidr/world.yaml"] + more).flatMap { ["-f", path($0)] }
    let result = try await Program.run(
      ["run"] + files + ["--from", "a/c", "--to", "service/kube-system/kube-dns", "--port", "UDP/53"])
    #expect(result.status == .exited(0), "\(result.errors)\(result.output)")
    #expect(result.output.contains("UDP/53: DENIED"), "\(result.output)")
  }
}
