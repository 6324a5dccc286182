// Not covered: whether packets do what the rules say (RunTests).
import Apply
import Enforcement
import EngineComparison
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import TestSupport
import Testing
import Verdicts

@Suite("The kernel as an engine", .serialized, .needsNamespaces) struct KernelEngineTests {
  private static let webs = webAndClient + secondWeb

  @Test("missing rules are noticed: the kernel disagrees on every denied flow")
  func rulesMatter() async throws {
    let cluster = try readWorld(
      Self.webs + policyText("app/silence", "{podSelector: {}, policyTypes: [Ingress, Egress]}"))
    let worker = try NamespaceWorker()
    let topology = Topology(cluster)
    let fabric = try Fabric(topology, families: [.v4], bridgeNetfilter: true, worker: worker)
    let enforced = try EnforcedCluster(cluster, topology, .kubeRouterK3s, versionStamp: "1")
    let comparer = Comparer(cluster, enforced)
    let denied = ProbePlan(cluster, topology).flows.filter { enforced.walk($0).verdict == .deny }
    #expect(!denied.isEmpty)
    let seen = try await blocking { try KernelEngine(fabric).observe(denied) }
    for (flow, observation) in zip(denied, seen) {
      #expect(comparer.compare(flow, observation).finding == .kernelDisagrees)
    }
  }

  @Test("flows that need more listeners than may be open are sent in parts, with the same observations")
  func parts() async throws {
    let cluster = try readWorld(Self.webs)
    let topology = Topology(cluster)
    // By destination, so that no listener is opened twice.
    let flows = ProbePlan(cluster, topology).flows.sorted {
      "\($0.destination) \($0.question)" < "\($1.destination) \($1.question)"
    }
    let (whole, parts, told) = try await blocking {
      var told: [Int] = []
      // Each in namespaces of its own: a program that another test starts may hold copies of listeners until its exec.
      let seen = try [1000, 1].map { limit in
        let worker = try NamespaceWorker()
        let fabric = try Fabric(topology, families: [.v4], bridgeNetfilter: true, worker: worker)
        var conversation = try KernelEngine.Conversation(worker: worker)
        told = []
        return try KernelEngine(fabric).observe(
          flows, listenersAtMost: limit, in: &conversation, backends: { _ in [] }, progress: { told.append($0) })
      }
      return (seen[0], seen[1], told)
    }
    #expect(whole.count == flows.count)
    #expect(parts.map(\.verdict) == whole.map(\.verdict))
    #expect(whole.contains { $0.verdict == .allow })
    #expect(told == told.sorted() && told.last == flows.count)
  }

  @Test("a lab whose bridge hides packets from iptables fails its self-check and gives no verdict")
  func brokenLab() throws {
    let cluster = try readWorld(Self.webs)
    let worker = try NamespaceWorker()
    let fabric = try Fabric(Topology(cluster), families: [.v4], bridgeNetfilter: false, worker: worker)
    #expect(throws: LabError.self) {
      try SelfCheck.run(fabric, families: [.v4], bridged: true, workers: try NamespaceWorkers())
    }
  }
}
