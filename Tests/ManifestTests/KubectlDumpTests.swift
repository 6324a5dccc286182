// Not covered: whether every kubectl release prints like this. The text follows `kubectl get -o yaml` of 1.30.
import Manifests
import NetpolModel
import Testing

@Suite struct KubectlDumpTests {
  static func pod(_ index: Int) -> String {
    """
    - apiVersion: v1
      kind: Pod
      metadata:
        annotations:
          example.com/script: |
            kind: NetworkPolicy
            managedFields: [

            status: {{ }}
        creationTimestamp: "2024-05-01T10:00:00Z"
        generateName: web-5d4f8b7c9-
        labels:
          app: web
          pod-template-hash: 5d4f8b7c9
        managedFields:
        - apiVersion: v1
          fieldsType: FieldsV1
          fieldsV1:
            f:metadata:
              f:labels:
                .: {}
                f:app: {}
              f:ownerReferences:
                .: {}
                k:{"uid":"5e0c6f0e-0000-0000-0000-000000000000"}: {}
            f:spec:
              f:containers:
                k:{"name":"web"}:
                  .: {}
                  f:ports:
                    k:{"containerPort":8080,"protocol":"TCP"}:
                      .: {}
                      f:containerPort: {}
                      f:name: {}
          manager: kube-controller-manager
          operation: Update
          time: "2024-05-01T10:00:00Z"
        name: web-5d4f8b7c9-\(index)
        namespace: shop
        ownerReferences:
        - apiVersion: apps/v1
          blockOwnerDeletion: true
          controller: true
          kind: ReplicaSet
          name: web-5d4f8b7c9
          uid: 5e0c6f0e-0000-0000-0000-000000000000
        resourceVersion: "1234"
        uid: 8c8b4567-0000-0000-0000-000000000000
      spec:
        containers:
        - args:
          - --verbose
          image: web:1
          imagePullPolicy: IfNotPresent
          name: web
          ports:
          - containerPort: 8080
            name: http
            protocol: TCP
          resources: {}
        initContainers:
        - image: busybox
          name: init
          ports:
          - containerPort: 9999
            name: init-port
            protocol: TCP
        nodeName: node\(1 + index % 2)
        tolerations:
        - effect: NoExecute
          key: node.kubernetes.io/not-ready
          operator: Exists
          tolerationSeconds: 300
      status:
        conditions:
        - lastProbeTime: null
          lastTransitionTime: "2024-05-01T10:00:01Z"
          status: "True"
          type: Ready
        hostIP: 192.168.20.\(11 + index % 2)
        phase: Running
        podIP: 10.\(42 + index / 60000).\(index % 2 + 2 * (index / 500)).\(2 + index / 2 % 250)
        podIPs:
        - ip: 10.\(42 + index / 60000).\(index % 2 + 2 * (index / 500)).\(2 + index / 2 % 250)
        qosClass: BestEffort

    """
  }

  @Test("reads a dump with managedFields, status and owners, and expands no workload twice")
  func dump() throws {
    let reading = try read(
      """
      apiVersion: v1
      items:
      - apiVersion: v1
        kind: Namespace
        metadata:
          labels: {kubernetes.io/metadata.name: shop, team: a}
          name: shop
        spec: {finalizers: [kubernetes]}
        status: {phase: Active}
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web}]}}
      - apiVersion: apps/v1
        kind: ReplicaSet
        metadata:
          name: web-5d4f8b7c9
          namespace: shop
          ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: x}]
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web}]}}
      \(Self.pod(0))\(Self.pod(1))
      kind: List
      metadata:
        resourceVersion: ""
      """)
    #expect(reading.objectCount == 5)
    #expect(reading.cluster.pods.map(\.id.name) == ["web-5d4f8b7c9-0", "web-5d4f8b7c9-1"])
    let pod = try #require(reading.pod("shop/web-5d4f8b7c9-0"))
    #expect(pod.labels == ["app": "web", "pod-template-hash": "5d4f8b7c9"])
    #expect(pod.ports == [ContainerPort(name: "http", number: 8080)])
    #expect(pod.podIPs == [try address("10.42.0.2")])
    #expect(pod.hostIP == (try address("192.168.20.11")))
    #expect(pod.phase == .running)
    #expect(reading.cluster.labels(ofNamespace: "shop")["team"] == "a")
    #expect(reading.cluster.nodes.map(\.addresses) == [[try address("192.168.20.11")], [try address("192.168.20.12")]])
    #expect(reading.cluster.nodes.map(\.podCIDRs) == [[try cidr("10.42.0.0/24")], [try cidr("10.42.1.0/24")]])
    #expect(reading.notes.isEmpty)
  }

  @Test("reads 5,000 objects with managedFields and block scalars")
  func many() throws {
    let text = "apiVersion: v1\nkind: List\nitems:\n" + (0..<5000).map(Self.pod).joined()
    let clock = ContinuousClock()
    var reading: ManifestReading?
    let time = try clock.measure { reading = try read(text) }
    print("5,000 objects, \(text.utf8.count / 1_000_000) MB: \(time)")
    #expect(reading?.objectCount == 5000)
    #expect(reading?.cluster.pods.count == 5000)
  }
}
