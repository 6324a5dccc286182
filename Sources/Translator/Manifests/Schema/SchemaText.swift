// Made from Tests/Fixtures/schema/fields.json by SchemaTests, which fails if the two differ.

/// The kinds of `APISchema`: `group/version/Kind`, or `version/Kind` in the core group. A kind is also a type.
let schemaKinds = """
  apps/v1/DaemonSet apps/v1/Deployment apps/v1/ReplicaSet apps/v1/StatefulSet batch/v1/CronJob batch/v1/Job
  discovery.k8s.io/v1/EndpointSlice networking.k8s.io/v1/IPAddress networking.k8s.io/v1/NetworkPolicy
  networking.k8s.io/v1/ServiceCIDR v1/Endpoints v1/Namespace v1/Node v1/Pod v1/ReplicationController v1/Service
  """

/// The types of `APISchema`: `Type:` and then its fields, each as `name` or `name=type`. Without a type the field is a
/// string. `!` marks a field that the API server requires. `[T]` is a list, `{T}` a map with string keys.
let schemaTypes = """
  AWSElasticBlockStoreVolumeSource: fsType partition=int readOnly=bool volumeID Affinity: nodeAffinity=NodeAffinity
  podAffinity=PodAffinity podAntiAffinity=PodAntiAffinity AppArmorProfile: localhostProfile type AttachedVolume:
  devicePath name AzureDiskVolumeSource: cachingMode diskName diskURI fsType kind readOnly=bool AzureFileVolumeSource:
  readOnly=bool secretName shareName CSIVolumeSource: driver fsType nodePublishSecretRef=LocalObjectReference
  readOnly=bool volumeAttributes={string} Capabilities: add=[string] drop=[string] CephFSVolumeSource: monitors=[string]
  path readOnly=bool secretFile secretRef=LocalObjectReference user CinderVolumeSource: fsType readOnly=bool
  secretRef=LocalObjectReference volumeID ClientIPConfig: timeoutSeconds=int ClusterTrustBundleProjection:
  labelSelector=LabelSelector name optional=bool path signerName user=int Condition: lastTransitionTime=time message
  observedGeneration=int reason status type ConfigMapEnvSource: name optional=bool ConfigMapKeySelector: key name
  optional=bool ConfigMapNodeConfigSource: kubeletConfigKey name namespace resourceVersion uid ConfigMapProjection:
  items=[KeyToPath] name optional=bool ConfigMapVolumeSource: defaultMode=int defaultUser=int items=[KeyToPath] name
  optional=bool Container: args=[string] command=[string] env=[EnvVar] envFrom=[EnvFromSource] image imagePullPolicy
  lifecycle=Lifecycle livenessProbe=Probe name! ports=[ContainerPort] readinessProbe=Probe
  resizePolicy=[ContainerResizePolicy] resources=ResourceRequirements restartPolicy
  restartPolicyRules=[ContainerRestartRule] securityContext=SecurityContext startupProbe=Probe stdin=bool stdinOnce=bool
  terminationMessagePath terminationMessagePolicy tty=bool volumeDevices=[VolumeDevice] volumeMounts=[VolumeMount]
  workingDir ContainerExtendedResourceRequest: containerName requestName resourceName ContainerImage: names=[string]
  sizeBytes=int ContainerPort: containerPort!=int hostIP hostPort=int name protocol ContainerResizePolicy: resourceName
  restartPolicy ContainerRestartRule: action exitCodes=ContainerRestartRuleOnExitCodes ContainerRestartRuleOnExitCodes:
  operator values=[int] ContainerState: running=ContainerStateRunning terminated=ContainerStateTerminated
  waiting=ContainerStateWaiting ContainerStateRunning: startedAt=time ContainerStateTerminated: containerID exitCode=int
  finishedAt=time message reason signal=int startedAt=time ContainerStateWaiting: message reason ContainerStatus:
  allocatedResources={quantity} allocatedResourcesStatus=[ResourceStatus] containerID image imageID
  lastState=ContainerState name ready=bool resources=ResourceRequirements restartCount=int started=bool
  state=ContainerState stopSignal user=ContainerUser volumeMounts=[VolumeMountStatus] ContainerUser:
  linux=LinuxContainerUser CoreV1EndpointPort: appProtocol name port!=int protocol CoreV1ResourceClaim: name request
  CronJob: apiVersion kind metadata=ObjectMeta spec=CronJobSpec status=CronJobStatus CronJobSpec: concurrencyPolicy
  failedJobsHistoryLimit=int jobTemplate!=JobTemplateSpec schedule! startingDeadlineSeconds=int
  successfulJobsHistoryLimit=int suspend=bool timeZone CronJobStatus: active=[ObjectReference] lastScheduleTime=time
  lastSuccessfulTime=time DaemonEndpoint: Port=int DaemonSet: apiVersion kind metadata=ObjectMeta spec=DaemonSetSpec
  status=DaemonSetStatus DaemonSetCondition: lastTransitionTime=time message reason status type DaemonSetSpec:
  minReadySeconds=int revisionHistoryLimit=int selector!=LabelSelector template!=PodTemplateSpec
  updateStrategy=DaemonSetUpdateStrategy DaemonSetStatus: collisionCount=int conditions=[DaemonSetCondition]
  currentNumberScheduled=int desiredNumberScheduled=int numberAvailable=int numberMisscheduled=int numberReady=int
  numberUnavailable=int observedGeneration=int updatedNumberScheduled=int DaemonSetUpdateStrategy:
  rollingUpdate=RollingUpdateDaemonSet type Deployment: apiVersion kind metadata=ObjectMeta spec=DeploymentSpec
  status=DeploymentStatus DeploymentCondition: lastTransitionTime=time lastUpdateTime=time message reason status type
  DeploymentSpec: minReadySeconds=int paused=bool progressDeadlineSeconds=int replicas=int revisionHistoryLimit=int
  selector!=LabelSelector strategy=DeploymentStrategy template!=PodTemplateSpec DeploymentStatus: availableReplicas=int
  collisionCount=int conditions=[DeploymentCondition] observedGeneration=int readyReplicas=int replicas=int
  terminatingReplicas=int unavailableReplicas=int updatedReplicas=int DeploymentStrategy:
  rollingUpdate=RollingUpdateDeployment type DiscoveryV1EndpointPort: appProtocol name port=int protocol
  DownwardAPIProjection: items=[DownwardAPIVolumeFile] DownwardAPIVolumeFile: fieldRef=ObjectFieldSelector mode=int path
  resourceFieldRef=ResourceFieldSelector user=int DownwardAPIVolumeSource: defaultMode=int defaultUser=int
  items=[DownwardAPIVolumeFile] EmptyDirVolumeSource: medium mode=int sizeLimit=quantity Endpoint: addresses!=[string]
  conditions=EndpointConditions deprecatedTopology={string} hints=EndpointHints hostname nodeName
  targetRef=ObjectReference zone EndpointAddress: hostname ip! nodeName targetRef=ObjectReference EndpointConditions:
  ready=bool serving=bool terminating=bool EndpointHints: forNodes=[ForNode] forZones=[ForZone] EndpointSlice:
  addressType! apiVersion endpoints=[Endpoint] kind metadata=ObjectMeta ports=[DiscoveryV1EndpointPort] EndpointSubset:
  addresses=[EndpointAddress] notReadyAddresses=[EndpointAddress] ports=[CoreV1EndpointPort] Endpoints: apiVersion kind
  metadata=ObjectMeta subsets=[EndpointSubset] EnvFromSource: configMapRef=ConfigMapEnvSource prefix
  secretRef=SecretEnvSource EnvVar: name! value valueFrom=EnvVarSource EnvVarSource:
  configMapKeyRef=ConfigMapKeySelector fieldRef=ObjectFieldSelector fileKeyRef=FileKeySelector
  resourceFieldRef=ResourceFieldSelector secretKeyRef=SecretKeySelector EphemeralContainer: args=[string]
  command=[string] env=[EnvVar] envFrom=[EnvFromSource] image imagePullPolicy lifecycle=Lifecycle livenessProbe=Probe
  name! ports=[ContainerPort] readinessProbe=Probe resizePolicy=[ContainerResizePolicy] resources=ResourceRequirements
  restartPolicy restartPolicyRules=[ContainerRestartRule] securityContext=SecurityContext startupProbe=Probe stdin=bool
  stdinOnce=bool targetContainerName terminationMessagePath terminationMessagePolicy tty=bool
  volumeDevices=[VolumeDevice] volumeMounts=[VolumeMount] workingDir EphemeralVolumeSource:
  volumeClaimTemplate=PersistentVolumeClaimTemplate EvictionResponder: name priority=int ExecAction: command=[string]
  FCVolumeSource: fsType lun=int readOnly=bool targetWWNs=[string] wwids=[string] FileKeySelector: key optional=bool
  path volumeName FlexVolumeSource: driver fsType options={string} readOnly=bool secretRef=LocalObjectReference
  FlockerVolumeSource: datasetName datasetUUID ForNode: name ForZone: name GCEPersistentDiskVolumeSource: fsType
  partition=int pdName readOnly=bool GRPCAction: mode port=int service GitRepoVolumeSource: directory repository
  revision GlusterfsVolumeSource: endpoints path readOnly=bool HTTPGetAction: host httpHeaders=[HTTPHeader] path
  port=any protocol scheme HTTPHeader: name value HostAlias: hostnames=[string] ip HostIP: ip HostPathVolumeSource: path
  type IPAddress: apiVersion kind metadata=ObjectMeta spec=IPAddressSpec IPAddressSpec: parentRef!=ParentReference
  IPBlock: cidr! except=[string] ISCSIVolumeSource: chapAuthDiscovery=bool chapAuthSession=bool fsType initiatorName iqn
  iscsiInterface lun=int portals=[string] readOnly=bool secretRef=LocalObjectReference targetPortal ImageVolumeSource:
  pullPolicy reference ImageVolumeStatus: imageRef Job: apiVersion kind metadata=ObjectMeta spec=JobSpec
  status=JobStatus JobCondition: lastProbeTime=time lastTransitionTime=time message reason status type
  JobSchedulingConfiguration: disruptionMode=alpha3WorkloadPodGroupDisruptionMode
  resourceClaims=[alpha3WorkloadPodGroupResourceClaim] schedulingConstraints=alpha3WorkloadPodGroupSchedulingConstraints
  schedulingPolicy=alpha3WorkloadPodGroupSchedulingPolicy JobSpec: activeDeadlineSeconds=int backoffLimit=int
  backoffLimitPerIndex=int completionMode completions=int managedBy manualSelector=bool maxFailedIndexes=int
  parallelism=int podFailurePolicy=PodFailurePolicy podReplacementPolicy scheduling=JobSchedulingConfiguration
  selector=LabelSelector successPolicy=SuccessPolicy suspend=bool template!=PodTemplateSpec ttlSecondsAfterFinished=int
  JobStatus: active=int completedIndexes completionTime=time conditions=[JobCondition] failed=int failedIndexes
  ready=int startTime=time succeeded=int terminating=int uncountedTerminatedPods=UncountedTerminatedPods
  JobTemplateSpec: metadata=ObjectMeta spec=JobSpec KeyToPath: key mode=int path user=int LabelSelector:
  matchExpressions=[LabelSelectorRequirement] matchLabels={string} LabelSelectorRequirement: key! operator!
  values=[string] Lifecycle: postStart=LifecycleHandler preStop=LifecycleHandler stopSignal LifecycleHandler:
  exec=ExecAction httpGet=HTTPGetAction sleep=SleepAction tcpSocket=TCPSocketAction LinuxContainerUser: gid=int
  supplementalGroups=[int] uid=int LoadBalancerIngress: hostname ip ipMode ports=[PortStatus] LoadBalancerStatus:
  ingress=[LoadBalancerIngress] LocalObjectReference: name ManagedFieldsEntry: apiVersion fieldsType fieldsV1=any
  manager operation subresource time=time ModifyVolumeStatus: status targetVolumeAttributesClassName NFSVolumeSource:
  path readOnly=bool server Namespace: apiVersion kind metadata=ObjectMeta spec=NamespaceSpec status=NamespaceStatus
  NamespaceCondition: lastTransitionTime=time message reason status type NamespaceSpec: finalizers=[string]
  NamespaceStatus: conditions=[NamespaceCondition] phase NetworkPolicy: apiVersion kind metadata=ObjectMeta
  spec=NetworkPolicySpec NetworkPolicyEgressRule: ports=[NetworkPolicyPort] to=[NetworkPolicyPeer]
  NetworkPolicyIngressRule: from=[NetworkPolicyPeer] ports=[NetworkPolicyPort] NetworkPolicyPeer: ipBlock=IPBlock
  namespaceSelector=LabelSelector podSelector=LabelSelector NetworkPolicyPort: endPort=int port=any protocol
  NetworkPolicySpec: egress=[NetworkPolicyEgressRule] ingress=[NetworkPolicyIngressRule] podSelector=LabelSelector
  policyTypes=[string] Node: apiVersion kind metadata=ObjectMeta spec=NodeSpec status=NodeStatus NodeAddress: address
  type NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution=[PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution=NodeSelector NodeAllocatableMappedResources: name quantity
  NodeAllocatableOverheadResources: name perContainer perPod NodeAllocatableResourceClaimStatus: containers=[string]
  mapping=[NodeAllocatableMappedResources] overhead=[NodeAllocatableOverheadResources] resourceClaimName NodeCondition:
  lastHeartbeatTime=time lastTransitionTime=time message reason status type NodeConfigSource:
  configMap=ConfigMapNodeConfigSource NodeConfigStatus: active=NodeConfigSource assigned=NodeConfigSource error
  lastKnownGood=NodeConfigSource NodeDaemonEndpoints: kubeletEndpoint=DaemonEndpoint NodeFeatures:
  supplementalGroupsPolicy=bool NodePodPreemptionPolicy: disableResizePreemption=[string] NodeRuntimeHandler:
  features=NodeRuntimeHandlerFeatures name NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts=bool userNamespaces=bool
  NodeSelector: nodeSelectorTerms=[NodeSelectorTerm] NodeSelectorRequirement: key operator values=[string]
  NodeSelectorTerm: matchExpressions=[NodeSelectorRequirement] matchFields=[NodeSelectorRequirement] NodeSpec:
  configSource=NodeConfigSource externalID podCIDR podCIDRs=[string] podPreemptionPolicy=NodePodPreemptionPolicy
  providerID taints=[Taint] unschedulable=bool NodeStatus: addresses=[NodeAddress] allocatable={quantity}
  capacity={quantity} conditions=[NodeCondition] config=NodeConfigStatus daemonEndpoints=NodeDaemonEndpoints
  declaredFeatures=[string] features=NodeFeatures images=[ContainerImage] nodeInfo=NodeSystemInfo phase
  runtimeHandlers=[NodeRuntimeHandler] volumesAttached=[AttachedVolume] volumesInUse=[string] NodeSwapStatus:
  capacity=int NodeSystemInfo: architecture bootID containerRuntimeVersion kernelVersion kubeProxyVersion kubeletVersion
  machineID operatingSystem osImage runningInUserNamespace=bool swap=NodeSwapStatus systemUUID ObjectFieldSelector:
  apiVersion fieldPath ObjectMeta: annotations={string} creationTimestamp=time deletionGracePeriodSeconds=int
  deletionTimestamp=time finalizers=[string] generateName generation=int labels={string}
  managedFields=[ManagedFieldsEntry] name namespace ownerReferences=[OwnerReference] resourceVersion selfLink uid
  ObjectReference: apiVersion fieldPath kind name namespace resourceVersion uid OwnerReference: apiVersion!
  blockOwnerDeletion=bool controller=bool kind! name! uid! ParentReference: group name namespace resource
  PersistentVolumeClaim: apiVersion kind metadata=ObjectMeta spec=PersistentVolumeClaimSpec
  status=PersistentVolumeClaimStatus PersistentVolumeClaimCondition: lastProbeTime=time lastTransitionTime=time message
  reason status type PersistentVolumeClaimSpec: accessModes=[string] dataSource=TypedLocalObjectReference
  dataSourceRef=TypedObjectReference resources=VolumeResourceRequirements selector=LabelSelector storageClassName
  volumeAttributesClassName volumeMode volumeName PersistentVolumeClaimStatus: accessModes=[string]
  allocatedResourceStatuses={string} allocatedResources={quantity} capacity={quantity}
  conditions=[PersistentVolumeClaimCondition] currentVolumeAttributesClassName healthStatus=VolumeHealthStatus
  modifyVolumeStatus=ModifyVolumeStatus phase PersistentVolumeClaimTemplate: metadata=ObjectMeta
  spec=PersistentVolumeClaimSpec PersistentVolumeClaimVolumeSource: claimName readOnly=bool
  PhotonPersistentDiskVolumeSource: fsType pdID Pod: apiVersion kind metadata=ObjectMeta spec=PodSpec status=PodStatus
  PodAffinity: preferredDuringSchedulingIgnoredDuringExecution=[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution=[PodAffinityTerm] PodAffinityTerm: labelSelector=LabelSelector
  matchLabelKeys=[string] mismatchLabelKeys=[string] namespaceSelector=LabelSelector namespaces=[string] topologyKey
  PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution=[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution=[PodAffinityTerm] PodCertificateProjection: certificateChainPath
  credentialBundlePath keyPath keyType maxExpirationSeconds=int signerName user=int userAnnotations={string}
  PodCondition: lastProbeTime=time lastTransitionTime=time message observedGeneration=int reason status type
  PodDNSConfig: nameservers=[string] options=[PodDNSConfigOption] searches=[string] PodDNSConfigOption: name value
  PodExtendedResourceClaimStatus: requestMappings=[ContainerExtendedResourceRequest] resourceClaimName PodFailurePolicy:
  rules=[PodFailurePolicyRule] PodFailurePolicyOnExitCodesRequirement: containerName operator values=[int]
  PodFailurePolicyOnPodConditionsPattern: status type PodFailurePolicyRule: action
  onExitCodes=PodFailurePolicyOnExitCodesRequirement onPodConditions=[PodFailurePolicyOnPodConditionsPattern] PodIP: ip
  PodOS: name PodReadinessGate: conditionType PodResourceClaim: name resourceClaimName resourceClaimTemplateName
  PodResourceClaimStatus: name resourceClaimName PodSchedulingGate: name PodSchedulingGroup: podGroupName
  PodSecurityContext: appArmorProfile=AppArmorProfile fsGroup=int fsGroupChangePolicy runAsGroup=int runAsNonRoot=bool
  runAsUser=int seLinuxChangePolicy seLinuxOptions=SELinuxOptions seccompProfile=SeccompProfile supplementalGroups=[int]
  supplementalGroupsPolicy sysctls=[Sysctl] windowsOptions=WindowsSecurityContextOptions PodSpec:
  activeDeadlineSeconds=int affinity=Affinity automountServiceAccountToken=bool containers!=[Container]
  dnsConfig=PodDNSConfig dnsPolicy enableServiceLinks=bool ephemeralContainers=[EphemeralContainer]
  evictionResponders=[EvictionResponder] hostAliases=[HostAlias] hostIPC=bool hostNetwork=bool hostPID=bool
  hostUsers=bool hostname hostnameOverride imagePullSecrets=[LocalObjectReference] initContainers=[Container] nodeName
  nodeSelector={string} os=PodOS overhead={quantity} preemptionPolicy priority=int priorityClassName
  readinessGates=[PodReadinessGate] resourceClaims=[PodResourceClaim] resources=ResourceRequirements restartPolicy
  runtimeClassName schedulerName schedulingGates=[PodSchedulingGate] schedulingGroup=PodSchedulingGroup
  securityContext=PodSecurityContext serviceAccount serviceAccountName setHostnameAsFQDN=bool shareProcessNamespace=bool
  subdomain terminationGracePeriodSeconds=int tolerations=[Toleration]
  topologySpreadConstraints=[TopologySpreadConstraint] volumes=[Volume] PodStatus: allocatedResources={quantity}
  conditions=[PodCondition] containerStatuses=[ContainerStatus] ephemeralContainerStatuses=[ContainerStatus]
  extendedResourceClaimStatus=PodExtendedResourceClaimStatus hostIP hostIPs=[HostIP]
  initContainerStatuses=[ContainerStatus] message
  nodeAllocatableResourceClaimStatuses=[NodeAllocatableResourceClaimStatus] nominatedNodeName observedGeneration=int
  phase podIP podIPs=[PodIP] qosClass reason resize resourceClaimStatuses=[PodResourceClaimStatus]
  resources=ResourceRequirements startTime=time volumeHealth=[PodVolumeHealth] PodTemplateSpec: metadata=ObjectMeta
  spec=PodSpec PodVolumeHealth: healthConditions=[VolumeHealthCondition] lastTransitionTime=time name PortStatus: error
  port=int protocol PortworxVolumeSource: fsType readOnly=bool volumeID PreferredSchedulingTerm:
  preference=NodeSelectorTerm weight=int Probe: exec=ExecAction failureThreshold=int grpc=GRPCAction
  httpGet=HTTPGetAction initialDelaySeconds=int periodSeconds=int successThreshold=int tcpSocket=TCPSocketAction
  terminationGracePeriodSeconds=int timeoutSeconds=int ProjectedVolumeSource: defaultMode=int defaultUser=int
  sources=[VolumeProjection] QuobyteVolumeSource: group readOnly=bool registry tenant user volume RBDVolumeSource:
  fsType image keyring monitors=[string] pool readOnly=bool secretRef=LocalObjectReference user ReplicaSet: apiVersion
  kind metadata=ObjectMeta spec=ReplicaSetSpec status=ReplicaSetStatus ReplicaSetCondition: lastTransitionTime=time
  message reason status type ReplicaSetSpec: minReadySeconds=int replicas=int selector!=LabelSelector
  template!=PodTemplateSpec ReplicaSetStatus: availableReplicas=int conditions=[ReplicaSetCondition]
  fullyLabeledReplicas=int observedGeneration=int readyReplicas=int replicas=int terminatingReplicas=int
  ReplicationController: apiVersion kind metadata=ObjectMeta spec=ReplicationControllerSpec
  status=ReplicationControllerStatus ReplicationControllerCondition: lastTransitionTime=time message reason status type
  ReplicationControllerSpec: minReadySeconds=int replicas=int selector={string} template=PodTemplateSpec
  ReplicationControllerStatus: availableReplicas=int conditions=[ReplicationControllerCondition]
  fullyLabeledReplicas=int observedGeneration=int readyReplicas=int replicas=int ResourceFieldSelector: containerName
  divisor=quantity resource ResourceHealth: health message resourceID ResourceRequirements: claims=[CoreV1ResourceClaim]
  limits={quantity} requests={quantity} ResourceStatus: name resources=[ResourceHealth] RollingUpdateDaemonSet:
  maxSurge=any maxUnavailable=any RollingUpdateDeployment: maxSurge=any maxUnavailable=any
  RollingUpdateStatefulSetStrategy: maxUnavailable=any partition=int SELinuxOptions: level role type user
  ScaleIOVolumeSource: fsType gateway protectionDomain readOnly=bool secretRef=LocalObjectReference sslEnabled=bool
  storageMode storagePool system volumeName SeccompProfile: localhostProfile type SecretEnvSource: name optional=bool
  SecretKeySelector: key name optional=bool SecretProjection: items=[KeyToPath] name optional=bool SecretVolumeSource:
  defaultMode=int defaultUser=int items=[KeyToPath] optional=bool secretName SecurityContext:
  allowPrivilegeEscalation=bool appArmorProfile=AppArmorProfile capabilities=Capabilities privileged=bool procMount
  readOnlyRootFilesystem=bool runAsGroup=int runAsNonRoot=bool runAsUser=int seLinuxOptions=SELinuxOptions
  seccompProfile=SeccompProfile windowsOptions=WindowsSecurityContextOptions Service: apiVersion kind
  metadata=ObjectMeta spec=ServiceSpec status=ServiceStatus ServiceAccountTokenProjection: audience
  expirationSeconds=int path user=int ServiceCIDR: apiVersion kind metadata=ObjectMeta spec=ServiceCIDRSpec
  status=ServiceCIDRStatus ServiceCIDRSpec: cidrs!=[string] ServiceCIDRStatus: conditions=[Condition] ServicePort:
  appProtocol name nodePort=int port!=int protocol targetPort=any ServiceSpec: allocateLoadBalancerNodePorts=bool
  clusterIP clusterIPs=[string] externalIPs=[string] externalName externalTrafficPolicy healthCheckNodePort=int
  internalTrafficPolicy ipFamilies=[string] ipFamilyPolicy loadBalancerClass loadBalancerIP
  loadBalancerSourceRanges=[string] ports=[ServicePort] publishNotReadyAddresses=bool selector={string} sessionAffinity
  sessionAffinityConfig=SessionAffinityConfig trafficDistribution type ServiceStatus: conditions=[Condition]
  loadBalancer=LoadBalancerStatus SessionAffinityConfig: clientIP=ClientIPConfig SleepAction: seconds=int StatefulSet:
  apiVersion kind metadata=ObjectMeta spec=StatefulSetSpec status=StatefulSetStatus StatefulSetCondition:
  lastTransitionTime=time message reason status type StatefulSetOrdinals: start=int
  StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted whenScaled StatefulSetSpec: minReadySeconds=int
  ordinals=StatefulSetOrdinals persistentVolumeClaimRetentionPolicy=StatefulSetPersistentVolumeClaimRetentionPolicy
  podManagementPolicy replicas=int revisionHistoryLimit=int selector!=LabelSelector serviceName
  template!=PodTemplateSpec updateStrategy=StatefulSetUpdateStrategy volumeClaimTemplates=[PersistentVolumeClaim]
  StatefulSetStatus: availableReplicas=int collisionCount=int conditions=[StatefulSetCondition] currentReplicas=int
  currentRevision observedGeneration=int readyReplicas=int replicas=int updateRevision updatedReplicas=int
  StatefulSetUpdateStrategy: rollingUpdate=RollingUpdateStatefulSetStrategy type StorageOSVolumeSource: fsType
  readOnly=bool secretRef=LocalObjectReference volumeName volumeNamespace SuccessPolicy: rules=[SuccessPolicyRule]
  SuccessPolicyRule: succeededCount=int succeededIndexes Sysctl: name value TCPSocketAction: host port=any Taint: effect
  key timeAdded=time value Toleration: effect key operator tolerationSeconds=int value TopologySpreadConstraint:
  labelSelector=LabelSelector matchLabelKeys=[string] maxSkew=int minDomains=int nodeAffinityPolicy nodeTaintsPolicy
  topologyKey whenUnsatisfiable TypedLocalObjectReference: apiGroup kind name TypedObjectReference: apiGroup kind name
  namespace UncountedTerminatedPods: failed=[string] succeeded=[string] Volume:
  awsElasticBlockStore=AWSElasticBlockStoreVolumeSource azureDisk=AzureDiskVolumeSource azureFile=AzureFileVolumeSource
  cephfs=CephFSVolumeSource cinder=CinderVolumeSource configMap=ConfigMapVolumeSource csi=CSIVolumeSource
  downwardAPI=DownwardAPIVolumeSource emptyDir=EmptyDirVolumeSource ephemeral=EphemeralVolumeSource fc=FCVolumeSource
  flexVolume=FlexVolumeSource flocker=FlockerVolumeSource gcePersistentDisk=GCEPersistentDiskVolumeSource
  gitRepo=GitRepoVolumeSource glusterfs=GlusterfsVolumeSource hostPath=HostPathVolumeSource image=ImageVolumeSource
  iscsi=ISCSIVolumeSource name! nfs=NFSVolumeSource persistentVolumeClaim=PersistentVolumeClaimVolumeSource
  photonPersistentDisk=PhotonPersistentDiskVolumeSource portworxVolume=PortworxVolumeSource
  projected=ProjectedVolumeSource quobyte=QuobyteVolumeSource rbd=RBDVolumeSource scaleIO=ScaleIOVolumeSource
  secret=SecretVolumeSource storageos=StorageOSVolumeSource vsphereVolume=VsphereVirtualDiskVolumeSource VolumeDevice:
  devicePath name VolumeHealthCondition: message reason status VolumeHealthStatus:
  healthConditions=[VolumeHealthCondition] lastTransitionTime=time VolumeMount: bindMountOptions=[string] mountPath!
  mountPropagation name! readOnly=bool recursiveReadOnly subPath subPathExpr VolumeMountStatus: mountPath name
  readOnly=bool recursiveReadOnly volumeStatus=VolumeStatus VolumeProjection:
  clusterTrustBundle=ClusterTrustBundleProjection configMap=ConfigMapProjection downwardAPI=DownwardAPIProjection
  podCertificate=PodCertificateProjection secret=SecretProjection serviceAccountToken=ServiceAccountTokenProjection
  VolumeResourceRequirements: limits={quantity} requests={quantity} VolumeStatus: image=ImageVolumeStatus
  VsphereVirtualDiskVolumeSource: fsType storagePolicyID storagePolicyName volumePath WeightedPodAffinityTerm:
  podAffinityTerm=PodAffinityTerm weight=int WindowsSecurityContextOptions: gmsaCredentialSpec gmsaCredentialSpecName
  hostProcess=bool runAsUserName alpha3TopologyConstraint: key alpha3WorkloadPodGroupDisruptionMode: all=any single=any
  alpha3WorkloadPodGroupGangSchedulingPolicy: minCount=int alpha3WorkloadPodGroupResourceClaim: name resourceClaimName
  resourceClaimTemplateName alpha3WorkloadPodGroupSchedulingConstraints: topology=[alpha3TopologyConstraint]
  alpha3WorkloadPodGroupSchedulingPolicy: basic=any gang=alpha3WorkloadPodGroupGangSchedulingPolicy
  """
