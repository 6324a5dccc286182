public import Text

extension JSON {
  /// The object with the defaults that an API server fills in (`pkg/apis/*/v1/defaults.go`), but for what needs other
  /// objects, such as addresses.
  public func defaulted(_ type: ResourceType) -> JSON {
    var json = self
    json["apiVersion"] = .string(type.apiVersion)
    json["kind"] = .string(type.kind)
    if type.isOpaque { return json }
    switch type {
    case .pods: json.defaultPodSpec(at: ["spec"])
    case .services: json.defaultService()
    case .networkPolicies: json.defaultPolicy()
    case .namespaces: json.defaultNamespace()
    case .endpoints, .endpointSlices: json.defaultPorts(type)
    case .nodes:
      json.fill(["spec"], .empty)
      json.fill(["status"], .empty)
    default: json.defaultWorkload(type)
    }
    return json
  }

  /// Sets a value that isn't there. A parent that isn't there is made.
  mutating func fill(_ path: [String], _ value: JSON) {
    if self[path] == nil { self[path] = value }
  }

  /// Changes each entry of a list, if there is one.
  mutating func eachEntry(of path: [String], _ change: (inout JSON) -> Void) {
    guard case .array(var entries) = self[path] else { return }
    for index in entries.indices { change(&entries[index]) }
    self[path] = .array(entries)
  }
}

extension JSON {
  /// `SetDefaults_Pod`, `SetDefaults_PodSpec`, `SetDefaults_Container`, probes and volumes.
  fileprivate mutating func defaultPodSpec(at path: [String]) {
    var spec = self[path] ?? .empty
    spec.fill(["restartPolicy"], "Always")
    spec.fill(["dnsPolicy"], "ClusterFirst")
    spec.fill(["schedulerName"], "default-scheduler")
    spec.fill(["terminationGracePeriodSeconds"], 30)
    spec.fill(["securityContext"], .empty)
    spec.fill(["enableServiceLinks"], true)
    let isHostNetwork = spec["hostNetwork"]?.bool == true
    for list in ["containers", "initContainers", "ephemeralContainers"] {
      spec.eachEntry(of: [list]) { container in
        container.fill(["terminationMessagePath"], "/dev/termination-log")
        container.fill(["terminationMessagePolicy"], "File")
        let image = container["image"]?.string ?? ""
        let tag = image.split(separator: "/").last.flatMap {
          $0.contains("@") ? "" : $0.split(separator: ":").dropFirst().last
        }
        container.fill(["imagePullPolicy"], tag == nil || tag == "latest" ? "Always" : "IfNotPresent")
        if list != "ephemeralContainers" { container.fill(["resources"], .empty) }
        container.eachEntry(of: ["ports"]) { port in
          port.fill(["protocol"], "TCP")
          if isHostNetwork, let number = port["containerPort"] { port.fill(["hostPort"], number) }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] where container[probe] != nil {
          let values: [(String, JSON)] = [
            ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
          ]
          for (name, value) in values { container.fill([probe, name], value) }
          if container[probe]?["httpGet"] != nil {
            container.fill([probe, "httpGet", "path"], "/")
            container.fill([probe, "httpGet", "scheme"], "HTTP")
          }
        }
        container.eachEntry(of: ["env"]) { entry in
          if entry["valueFrom"]?["fieldRef"] != nil { entry.fill(["valueFrom", "fieldRef", "apiVersion"], "v1") }
        }
      }
    }
    spec.eachEntry(of: ["volumes"]) { volume in
      if volume.fields.count == 1 { volume["emptyDir"] = .empty }
      for source in ["secret", "configMap", "projected", "downwardAPI"] where volume[source] != nil {
        volume.fill([source, "defaultMode"], 420)
      }
    }
    self[path] = spec
  }

  /// `SetDefaults_Service`. The fields of dual-stack and addresses come with the allocation.
  fileprivate mutating func defaultService() {
    fill(["spec"], .empty)
    fill(["spec", "type"], "ClusterIP")
    fill(["spec", "sessionAffinity"], "None")
    let type = self["spec"]?["type"]?.string
    if self["spec"]?["sessionAffinity"] == "ClientIP" {
      fill(["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], 10800)
    }
    eachEntry(of: ["spec", "ports"]) { port in
      port.fill(["protocol"], "TCP")
      if port["targetPort"] == nil || port["targetPort"] == 0 || port["targetPort"] == "" {
        port["targetPort"] = port["port"]
      }
    }
    if type != "ExternalName" { fill(["spec", "internalTrafficPolicy"], "Cluster") }
    if type == "NodePort" || type == "LoadBalancer" { fill(["spec", "externalTrafficPolicy"], "Cluster") }
    if type == "LoadBalancer" { fill(["spec", "allocateLoadBalancerNodePorts"], true) }
    fill(["status"], ["loadBalancer": [:]])
  }

  /// `SetDefaults_NetworkPolicy`: "Ingress will always be set and Egress will be set if the NetworkPolicy has any egress
  /// rules".
  fileprivate mutating func defaultPolicy() {
    fill(["spec", "podSelector"], .empty)
    if self["spec"]?["policyTypes"]?.array.isEmpty ?? true {
      let hasEgress = self["spec"]?["egress"]?.array.isEmpty == false
      self[["spec", "policyTypes"]] = hasEgress ? ["Ingress", "Egress"] : ["Ingress"]
    }
    for direction in ["ingress", "egress"] {
      if self["spec"]?[direction] == [] { self["spec"]?[direction] = nil }
      eachEntry(of: ["spec", direction]) { rule in
        rule.eachEntry(of: ["ports"]) { $0.fill(["protocol"], "TCP") }
      }
    }
  }

  fileprivate mutating func defaultNamespace() {
    if let name = self["metadata"]?["name"] { self[["metadata", "labels", "kubernetes.io/metadata.name"]] = name }
    fill(["spec", "finalizers"], ["kubernetes"])
    fill(["status", "phase"], "Active")
  }

  fileprivate mutating func defaultPorts(_ type: ResourceType) {
    if type == .endpointSlices {
      fill(["endpoints"], [])
      fill(["ports"], [])
      eachEntry(of: ["ports"]) { port in
        port.fill(["name"], "")
        port.fill(["protocol"], "TCP")
      }
    } else {
      eachEntry(of: ["subsets"]) { subset in
        subset.eachEntry(of: ["ports"]) { $0.fill(["protocol"], "TCP") }
      }
    }
  }

  /// `pkg/apis/apps/v1/defaults.go`, `pkg/apis/batch/v1/defaults.go` and that of ReplicationControllers.
  fileprivate mutating func defaultWorkload(_ type: ResourceType) {
    switch type {
    case .deployments:
      fill(["spec", "replicas"], 1)
      fill(["spec", "strategy", "type"], "RollingUpdate")
      if self["spec"]?["strategy"]?["type"] == "RollingUpdate" {
        fill(["spec", "strategy", "rollingUpdate", "maxSurge"], "25%")
        fill(["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%")
      }
      fill(["spec", "revisionHistoryLimit"], 10)
      fill(["spec", "progressDeadlineSeconds"], 600)
    case .replicaSets: fill(["spec", "replicas"], 1)
    case .replicationControllers:
      fill(["spec", "replicas"], 1)
      if let labels = self["spec"]?["template"]?["metadata"]?["labels"] { fill(["spec", "selector"], labels) }
    case .statefulSets:
      fill(["spec", "replicas"], 1)
      fill(["spec", "podManagementPolicy"], "OrderedReady")
      fill(["spec", "updateStrategy", "type"], "RollingUpdate")
      if self["spec"]?["updateStrategy"]?["type"] == "RollingUpdate" {
        fill(["spec", "updateStrategy", "rollingUpdate", "partition"], 0)
      }
      fill(["spec", "revisionHistoryLimit"], 10)
      fill(["spec", "persistentVolumeClaimRetentionPolicy"], ["whenDeleted": "Retain", "whenScaled": "Retain"])
    case .daemonSets:
      fill(["spec", "updateStrategy", "type"], "RollingUpdate")
      if self["spec"]?["updateStrategy"]?["type"] == "RollingUpdate" {
        fill(["spec", "updateStrategy", "rollingUpdate", "maxSurge"], 0)
        fill(["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], 1)
      }
      fill(["spec", "revisionHistoryLimit"], 10)
    case .jobs: defaultJob(at: ["spec"])
    case .cronJobs:
      fill(["spec", "concurrencyPolicy"], "Allow")
      fill(["spec", "suspend"], false)
      fill(["spec", "successfulJobsHistoryLimit"], 3)
      fill(["spec", "failedJobsHistoryLimit"], 1)
      defaultJob(at: ["spec", "jobTemplate", "spec"])
      fill(["status"], .empty)
      return
    default: return
    }
    if type != .jobs { defaultPodSpec(at: ["spec", "template", "spec"]) }
    fill(["status"], .empty)
  }

  fileprivate mutating func defaultJob(at path: [String]) {
    fill(path + ["completionMode"], "NonIndexed")
    if self[path + ["completions"]] == nil, self[path + ["parallelism"]] == nil { fill(path + ["completions"], 1) }
    fill(path + ["parallelism"], 1)
    fill(path + ["backoffLimit"], 6)
    fill(path + ["suspend"], false)
    defaultPodSpec(at: path + ["template", "spec"])
  }
}
