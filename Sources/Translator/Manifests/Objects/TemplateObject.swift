internal import NetpolModel

/// How an object of another project says which pods it creates.
enum PodSource: Hashable {
  /// `spec.template`, as in a Deployment.
  case template
  /// `spec.workloadRef` of an Argo Rollout: the template of another workload.
  case reference
  /// A KubeVirt VirtualMachine: one pod with the labels of `spec.template`, which describes the machine.
  case machine
  /// A KubeVirt VirtualMachineInstance: one pod with the instance's own labels.
  case instance

  /// `nil` if the object says nothing about pods that the reader understands.
  init?(_ object: ManifestObject) {
    guard object.isOfOtherProject, let spec = try? object.root["spec"]?.fields() else { return nil }
    let template = try? spec["template"]?.fields()
    if object.group == "kubevirt.io" {
      switch object.kind {
      case "VirtualMachine", "VirtualMachineInstanceReplicaSet": self = .machine
      case "VirtualMachineInstance": self = .instance
      default: return nil
      }
    } else if let containers = (try? template?["spec"]?.fields())?["containers"], containers.isList {
      self = .template
    } else if object.group == "argoproj.io", spec["workloadRef"] != nil {
      self = .reference
    } else {
      return nil
    }
  }
}

extension Workload {
  /// kubectl's short name for Knative's Service, which must not be taken for the API's own.
  static let knativeService = "ksvc"

  /// The labels of Knative's pods that name what they belong to, and its kind.
  static let knativeLabels = [
    ("serving.knative.dev/service", knativeService), ("serving.knative.dev/configuration", "Configuration"),
  ]

  /// The kind under which users ask for the workload.
  static func kind(of object: ManifestObject) -> String {
    object.group == "serving.knative.dev" && object.kind == "Service" ? knativeService : object.kind
  }

  /// Labels that the controllers add and that a policy author can predict. Hashes that other controllers add are
  /// unpredictable.
  ///
  /// Sources: virt-launcher pods of KubeVirt 0.59, `MakeDeployment` of OpenShift's deployment controller, Knative's
  /// `resources.makeLabels`.
  func controllerLabels(of pod: PodID, index: Int) -> Labels {
    switch (kind, group) {
    case ("StatefulSet", _):
      ["statefulset.kubernetes.io/pod-name": pod.name, "apps.kubernetes.io/pod-index": "\(index)"]
    case ("Job", ""): ["job-name": id.name, "batch.kubernetes.io/job-name": id.name]
    case ("DeploymentConfig", "apps.openshift.io"): ["deploymentconfig": id.name]
    case (Self.knativeService, _):
      Dictionary(Self.knativeLabels.map { ($0.0, id.name) }, uniquingKeysWith: { first, _ in first })
    case ("VirtualMachine", "kubevirt.io"), ("VirtualMachineInstance", "kubevirt.io"):
      ["kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": id.name]
    case (_, "kubevirt.io"): ["kubevirt.io": "virt-launcher"]
    default: [:]
    }
  }
}

extension PodSpec {
  /// The ports that a virtual machine's interfaces list. KubeVirt makes them ports of the pod's container.
  init(machine spec: Fields?, _ validation: Validation) throws(ManifestError) {
    try self.init(nil, validation)
    let devices = try spec?["domain"]?.fields()["devices"]?.fields()
    for interface in try devices?["interfaces"]?.list() ?? [] {
      for entry in try interface.fields()["ports"]?.list() ?? [] {
        let port = try entry.fields()
        guard let number = try port["port"]?.port() else { continue }
        let name = try port["name"]?.string()
        let transport = try port["protocol"]?.transport() ?? .tcp
        ports.append(ContainerPort(name: name?.isEmpty == true ? nil : name, number: number, transport: transport))
      }
    }
    hostname = try spec?["nodeSelector"]?.fields()["kubernetes.io/hostname"]?.string()
  }
}
