extension APISchema {
  /// The values that some text fields may have, by type and field. The API server refuses any other, and takes an empty
  /// text for the default. Left out are fields that a reader checks, and those whose set depends on the release.
  ///
  /// Source: the constants of `k8s.io/api` (core/v1, apps/v1, batch/v1).
  static let values: [String: [String]] = [
    "PodSpec.restartPolicy": ["Always", "OnFailure", "Never"],
    "PodSpec.dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    "PodSpec.preemptionPolicy": ["PreemptLowerPriority", "Never"],
    "Container.imagePullPolicy": ["Always", "IfNotPresent", "Never"],
    "Container.restartPolicy": ["Always", "OnFailure", "Never"],
    "Container.terminationMessagePolicy": ["File", "FallbackToLogsOnError"],
    "CronJobSpec.concurrencyPolicy": ["Allow", "Forbid", "Replace"],
    "DaemonSetUpdateStrategy.type": ["RollingUpdate", "OnDelete"],
    "DeploymentStrategy.type": ["Recreate", "RollingUpdate"],
    "HTTPGetAction.scheme": ["HTTP", "HTTPS"],
    "HostPathVolumeSource.type": [
      "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice",
    ],
    "JobSpec.completionMode": ["NonIndexed", "Indexed"],
    "LabelSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist"],
    "NodeSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
    "SeccompProfile.type": ["RuntimeDefault", "Unconfined", "Localhost"],
    "StatefulSetSpec.podManagementPolicy": ["OrderedReady", "Parallel"],
    "StatefulSetUpdateStrategy.type": ["RollingUpdate", "OnDelete"],
    "Taint.effect": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    "Toleration.operator": ["Exists", "Equal", "Lt", "Gt"],
    "Toleration.effect": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    "TopologySpreadConstraint.whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
    "VolumeMount.mountPropagation": ["None", "HostToContainer", "Bidirectional"],
  ]

  /// Further fields that validation requires, although the API's types can lack them, by type.
  ///
  /// Source: `pkg/apis/core/validation`.
  static let requiredByValidation: [String: [String]] = [
    "ConfigMapKeySelector": ["key"], "GRPCAction": ["port"], "HTTPGetAction": ["port"],
    "HostPathVolumeSource": ["path"],
    "KeyToPath": ["key", "path"], "NodeSelectorRequirement": ["key", "operator"], "ObjectFieldSelector": ["fieldPath"],
    "PersistentVolumeClaimVolumeSource": ["claimName"], "PodAffinityTerm": ["topologyKey"],
    "SecretKeySelector": ["key"], "TCPSocketAction": ["port"], "Taint": ["key", "effect"],
    "TopologySpreadConstraint": ["maxSkew", "topologyKey", "whenUnsatisfiable"],
    "VolumeDevice": ["devicePath", "name"], "WeightedPodAffinityTerm": ["podAffinityTerm"],
  ]
}
