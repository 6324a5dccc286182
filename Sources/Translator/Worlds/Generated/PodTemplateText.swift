internal import NetpolModel

/// The `spec` of a workload's pods in two halves. The line with the node's name belongs between them.
struct PodTemplateText {
  private let workload: PlannedWorkload
  private let tokenVolume: String

  init(_ workload: PlannedWorkload) {
    self.workload = workload
    tokenVolume = "kube-api-access-\(workload.template.suffix(5))"
  }

  var head: String {
    (["spec:", "  containers:", container.asItem.indented(2)] + network).lines
  }

  private var network: [String] {
    let policy = workload.hostNetwork ? "ClusterFirstWithHostNet" : "ClusterFirst"
    return ["  dnsPolicy: \(policy)", "  enableServiceLinks: true"]
      + (workload.hostNetwork ? ["  hostNetwork: true"] : [])
  }

  private var container: String {
    let image = ["image: \(workload.image)", "imagePullPolicy: IfNotPresent"]
    let ports = workload.ports.isEmpty ? [] : ["ports:"] + workload.ports.map { portText($0).asItem }
    return
      (["env:", environment] + image + probe("livenessProbe", "/healthz", failures: 3)
      + ["name: \(workload.containerName)"] + ports + probe("readinessProbe", "/ready", failures: 1)
      + ["resources:", resources, rest]).lines
  }

  private var environment: String {
    """
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          apiVersion: v1
          fieldPath: metadata.namespace
    - name: LOG_LEVEL
      value: info
    - name: OTEL_SERVICE_NAME
      value: \(workload.namespace).\(workload.name)
    - name: DATABASE_PASSWORD
      valueFrom:
        secretKeyRef:
          key: password
          name: \(workload.name)-credentials
    """
  }

  private func portText(_ port: PlannedPort) -> String {
    let hostPort = workload.hostNetwork ? "\nhostPort: \(port.number)" : ""
    return """
      containerPort: \(port.number)\(hostPort)
      name: \(port.name)
      protocol: \(port.transport.rawValue)
      """
  }

  /// Empty for a container without ports.
  private func probe(_ name: String, _ path: String, failures: Int) -> [String] {
    guard let port = workload.ports.first(where: { $0.transport == .tcp }) else { return [] }
    let speaksHTTP = ["http", "https", "web", "metrics"].contains(port.name)
    let action =
      speaksHTTP
      ? "httpGet:\n    path: \(path)\n    port: \(port.name)\n    scheme: HTTP" : "tcpSocket:\n    port: \(port.name)"
    return [
      """
      \(name):
        failureThreshold: \(failures)
        \(action)
        periodSeconds: 10
        successThreshold: 1
        timeoutSeconds: 2
      """
    ]
  }

  private var resources: String {
    """
      limits:
        memory: \(workload.requests.limit)
      requests:
        cpu: \(workload.requests.cpu)
        memory: \(workload.requests.memory)
    """
  }

  private var rest: String {
    """
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop:
        - ALL
      readOnlyRootFilesystem: true
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
    volumeMounts:
    - mountPath: /etc/\(workload.containerName)
      name: config
      readOnly: true
    - mountPath: /tmp
      name: tmp
    - mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      name: \(tokenVolume)
      readOnly: true
    """
  }

  var tail: String {
    """
      preemptionPolicy: PreemptLowerPriority
      priority: 0
      restartPolicy: \(workload.kind == .cronJob ? "Never" : "Always")
      schedulerName: default-scheduler
      securityContext:
        fsGroup: 1000
        runAsNonRoot: true
        runAsUser: 1000
        seccompProfile:
          type: RuntimeDefault
      serviceAccount: \(workload.name)
      serviceAccountName: \(workload.name)
      terminationGracePeriodSeconds: 30
      tolerations:
    \(tolerations)
      volumes:
      - configMap:
          defaultMode: 420
          name: \(workload.name)-config
        name: config
      - emptyDir: {}
        name: tmp
      - name: \(tokenVolume)
        projected:
          defaultMode: 420
          sources:
          - serviceAccountToken:
              expirationSeconds: 3607
              path: token
          - configMap:
              items:
              - key: ca.crt
                path: ca.crt
              name: kube-root-ca.crt
          - downwardAPI:
              items:
              - fieldRef:
                  apiVersion: v1
                  fieldPath: metadata.namespace
                path: namespace
    """
  }

  private var tolerations: String {
    if workload.kind == .daemonSet { return "  - operator: Exists" }
    return ["not-ready", "unreachable"].map { reason in
      """
        - effect: NoExecute
          key: node.kubernetes.io/\(reason)
          operator: Exists
          tolerationSeconds: 300
      """
    }.lines
  }
}
