/// Which lists are merged, from the tags in the API's types (`types.go` of `k8s.io/api` and `k8s.io/apimachinery`, as of
/// July 2026): `Type.field=KEY` for a list whose entries are told apart by the value of a field, in a strategic merge
/// (`patchMergeKey`) and in a server-side apply (`listMapKey`). `KEY/KEYS` where the two differ, `*` for a set of values
/// (`patchStrategy` without a key, `listType=set`), `-` for a list that is replaced. So are all others.
let listTags = """
  Container.env=name Container.ports=containerPort/containerPort,protocol Container.volumeDevices=devicePath
  Container.volumeMounts=mountPath ContainerStatus.allocatedResourcesStatus=name ContainerStatus.volumeMounts=mountPath
  DaemonSetStatus.conditions=type DeploymentStatus.conditions=type EphemeralContainer.env=name
  EphemeralContainer.ports=containerPort/containerPort,protocol EphemeralContainer.volumeDevices=devicePath
  EphemeralContainer.volumeMounts=mountPath Endpoint.addresses=-/* ContainerRestartRuleOnExitCodes.values=-/*
  JobSchedulingConfiguration.resourceClaims=name JobStatus.conditions=type/- NamespaceStatus.conditions=type
  NodeAllocatableResourceClaimStatus.containers=-/* NodeAllocatableResourceClaimStatus.mapping=name
  NodeAllocatableResourceClaimStatus.overhead=name NodePodPreemptionPolicy.disableResizePreemption=-/*
  NodeSpec.podCIDRs=* NodeStatus.addresses=type NodeStatus.conditions=type ObjectMeta.finalizers=*
  ObjectMeta.ownerReferences=uid PersistentVolumeClaimStatus.conditions=type
  PodFailurePolicyOnExitCodesRequirement.values=-/* PodSpec.containers=name PodSpec.ephemeralContainers=name
  PodSpec.evictionResponders=name PodSpec.hostAliases=ip PodSpec.imagePullSecrets=name PodSpec.initContainers=name
  PodSpec.resourceClaims=name PodSpec.schedulingGates=name
  PodSpec.topologySpreadConstraints=topologyKey/topologyKey,whenUnsatisfiable PodSpec.volumes=name
  PodStatus.conditions=type PodStatus.hostIPs=ip/- PodStatus.nodeAllocatableResourceClaimStatuses=resourceClaimName
  PodStatus.podIPs=ip PodStatus.resourceClaimStatuses=name PodStatus.volumeHealth=-/name
  PodVolumeHealth.healthConditions=status/status,reason ReplicaSetStatus.conditions=type
  ReplicationControllerStatus.conditions=type ResourceRequirements.claims=-/name ResourceStatus.resources=-/resourceID
  ServiceCIDRStatus.conditions=type ServiceSpec.ports=port/port,protocol ServiceStatus.conditions=type
  StatefulSetStatus.conditions=type UncountedTerminatedPods.failed=-/* UncountedTerminatedPods.succeeded=-/*
  VolumeHealthStatus.healthConditions=status/status,reason VolumeMount.bindMountOptions=-/*
  """

/// The types whose objects have one owner in a server-side apply (`structType=atomic`), and the maps that do
/// (`mapType=atomic`, as `Type.field`).
let atomicTags: Set<String> = [
  "ConfigMapKeySelector", "CoreV1EndpointPort", "DiscoveryV1EndpointPort", "EndpointAddress", "EvictionResponder",
  "FileKeySelector", "LabelSelector", "LocalObjectReference", "NodeSelector", "NodeSelectorTerm", "ObjectFieldSelector",
  "ObjectReference", "OwnerReference", "PodSpec.nodeSelector", "ReplicationControllerSpec.selector",
  "ResourceFieldSelector", "SecretKeySelector", "ServiceSpec.selector", "TypedLocalObjectReference",
]
