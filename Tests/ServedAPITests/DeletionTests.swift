// Not covered: foreground deletion, which the API turns into one of these.
import NetpolModel
import Testing
import Text

@testable import ServedAPI

@Suite("Deletion") struct DeletionTests {
  @Test("what belongs to a deleted object goes with it, down to the pods") func cascade() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 2))
    it.run(2000)
    let last = it.delete(.deployments, "web")
    #expect(last?.name == "web" && it.get(.deployments, "web") == nil)
    it.run(100)
    #expect(it.names(.replicaSets) == [] && it.all(.pods).allSatisfy(\.isMarked))
    it.run(1000)
    #expect(it.names(.pods) == [])
  }

  @Test("what is orphaned stays") func orphans() {
    var it = SimulatedCluster()
    it.create(.replicaSets, "web", .workload("web", replicas: 2))
    it.run(2000)
    it.delete(.replicaSets, "web", orphaning: true)
    it.run(2000)
    #expect(it.all(.pods).map(\.ownerReferences) == [[], []])
  }

  @Test("an object with two owners goes with the last one") func twoOwners() {
    var it = SimulatedCluster()
    for name in ["a", "b"] { it.create(.services, name, ["spec": [:]]) }
    let references = ["a", "b"].compactMap { name in
      it.get(.services, name).map { owner in
        ["apiVersion": "v1", "kind": "Service", "name": .string(name), "uid": .string(owner.uid)] as JSON
      }
    }
    it.create(.pods, "p", ["metadata": ["ownerReferences": .array(references)], "spec": .containers()])
    it.delete(.services, "a")
    it.run(1000)
    #expect(it.get(.pods, "p")?.ownerReferences == [references[1]])
    it.delete(.services, "b")
    it.run(1000)
    #expect(it.get(.pods, "p") == nil)
  }

  @Test("an object with finalizers waits until they are gone") func finalizers() {
    var it = SimulatedCluster()
    for type in [ResourceType.networkPolicies, .pods] {
      it.create(type, "x", ["metadata": ["finalizers": ["example.org/wait"]], "spec": .containers()])
      it.run(1000)
      let marked = it.delete(type, "x")
      #expect(marked?.isMarked == true)
      it.run(1000)
      #expect(it.get(type, "x")?.isMarked == true)
      it.update(type, "x") { $0[["metadata", "finalizers"]] = nil }
      #expect(it.get(type, "x") == nil)
    }
  }

  @Test(
    "a pod is gone at once without a node or a grace period, or else when its kubelet has stopped it",
    arguments: [(true, 0, true), (true, nil, false), (true, 5, false), (false, nil, true)])
  func pods(isBound: Bool, grace: Int?, isAtOnce: Bool) {
    var it = SimulatedCluster(nodes: isBound ? 1 : 0)
    it.create(.pods, "a", .pod())
    it.run(1000)
    let answer = it.delete(.pods, "a", gracePeriod: grace)
    #expect(answer?.name == "a" && (it.get(.pods, "a") == nil) == isAtOnce)
    if !isAtOnce {
      #expect(answer?.at("metadata", "deletionGracePeriodSeconds") == .integer(grace ?? 30))
      #expect(answer?.at("metadata", "deletionTimestamp")?.string == (it.now + (grace ?? 30) * 1000).text)
      it.delete(.pods, "a", gracePeriod: 0)
      #expect(it.get(.pods, "a") == nil)
    }
  }

  @Test("a deleted namespace goes when all in it is gone") func namespace() {
    var it = SimulatedCluster(namespaces: ["shop", "other"])
    for namespace in ["shop", "other"] {
      it.create(.deployments, "web", namespace: namespace, .workload("web", replicas: 2))
      it.create(.services, "web", namespace: namespace, .service("web"))
      it.create(.networkPolicies, "deny", namespace: namespace, ["spec": ["podSelector": [:]]])
    }
    it.create(.networkPolicies, "kept", ["metadata": ["finalizers": ["example.org/wait"]]])
    it.run(2000)
    let marked = it.delete(.namespaces, "shop", namespace: "")
    #expect(marked?.phase == "Terminating" && marked?.isMarked == true)
    it.run(2000)
    for type in ResourceType.builtIn where type.isNamespaced && type != .networkPolicies {
      #expect(it.names(type) == [], "\(type.plural)")
    }
    #expect(it.names(.networkPolicies) == ["kept"] && it.get(.namespaces, "shop", namespace: "") != nil)
    it.update(.networkPolicies, "kept") { $0[["metadata", "finalizers"]] = nil }
    it.run(100)
    #expect(it.get(.namespaces, "shop", namespace: "") == nil)
    #expect(it.all(.pods, namespace: "other").count == 2 && it.cluster.controllers.nextDue == nil)
  }
}
