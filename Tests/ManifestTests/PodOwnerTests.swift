// Not covered: owners that the input doesn't name. The Deployment of a ReplicaSet is guessed from the pod's label
// alone.
import Manifests
import NetpolModel
import Testing

@Suite struct PodOwnerTests {
  private func owners(_ text: String) throws -> [String] {
    try read(text).cluster.pods.map { pod in
      "\(pod.id.name) \(pod.owner.map { "\($0.kind)/\($0.name)" } ?? "-")"
    }
  }
  private let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}"
  private func pod(_ references: String, hash: String = "") -> String {
    // The API server requires an owner's apiVersion and uid too.
    let stated = references.replacing("{kind:", with: "{apiVersion: v1, uid: u, kind:")
    return
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {pod-template-hash: \"\(hash)\"}, ownerReferences: [\(stated)]}\nspec: {containers: [{name: c}]}\n---\n"
  }

  @Test(
    "a pod belongs to its controller, or to the controller's owner if the input shows it",
    arguments: [
      ("", "", "-"), ("{kind: StatefulSet, name: db, controller: true}", "", "StatefulSet/db"),
      ("{kind: Node, name: n1, controller: false}, {kind: DaemonSet, name: d, controller: true}", "", "DaemonSet/d"),
      ("{kind: DaemonSet, name: d}", "", "DaemonSet/d"), ("{kind: X, name: x, controller: false}", "", "-"),
      ("{kind: ReplicaSet, name: web-5d4f}", "5d4f", "Deployment/web"),
      ("{kind: ReplicaSet, name: web-5d4f}", "", "ReplicaSet/web-5d4f"),
      ("{kind: ReplicaSet, name: web-5d4f}", "ffff", "ReplicaSet/web-5d4f"),
      ("{kind: ReplicaSet, name: \"-5d4f\"}", "5d4f", "ReplicaSet/-5d4f"),
      ("{kind: ReplicaSet, name: made}", "", "Deployment/shop"),
      ("{kind: Job, name: backup-281}", "", "CronJob/backup"), ("{kind: Job, name: once}", "", "Job/once"),
    ])
  func given(references: String, hash: String, owner: String) throws {
    let replicaSet =
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: made, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: shop, uid: u, controller: true}]}\nspec: {replicas: 0, selector: {matchLabels: {a: b}}, \(template)}\n---\n"
    let job =
      "apiVersion: batch/v1\nkind: Job\nmetadata: {name: backup-281, ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: backup, uid: u, controller: true}]}\nspec: {\(template.replacing("spec: {", with: "spec: {restartPolicy: Never, "))}\nstatus: {completionTime: \"2024-05-01T10:00:00Z\"}\n---\n"
    #expect(try owners(pod(references, hash: hash) + replicaSet + job) == ["p \(owner)"])
  }

  @Test("an expanded pod belongs to its workload", arguments: ["Deployment", "StatefulSet", "ReplicaSet"])
  func expanded(kind: String) throws {
    let text =
      "apiVersion: apps/v1\nkind: \(kind)\nmetadata: {name: web}\nspec: {replicas: 2, selector: {matchLabels: {a: b}}, \(template)}"
    #expect(try owners(text) == ["web-0 \(kind)/web", "web-1 \(kind)/web"])
  }
}
