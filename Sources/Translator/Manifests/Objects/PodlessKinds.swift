extension ManifestObject {
  /// Whether the kind is a setting of a well-known project, for which no controller creates pods.
  var neverHasPods: Bool {
    if podlessGroups.contains(group) || podlessGroups.contains(where: { group.hasSuffix(".\($0)") }) { return true }
    return podlessKinds[group]?.contains(kind) ?? false
  }
}

/// API groups, and the ends of API groups, whose kinds have no pods.
private let podlessGroups: Set<String> = [
  "cert-manager.io", "external-secrets.io", "kyverno.io", "traefik.io",
  "traefik.containo.us", "projectcontour.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io",
  "config.openshift.io", "security.openshift.io", "user.openshift.io", "authorization.openshift.io",
  "notification.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "image.toolkit.fluxcd.io", "templates.gatekeeper.sh",
  "constraints.gatekeeper.sh", "secrets-store.csi.x-k8s.io", "karpenter.sh", "karpenter.k8s.aws",
]

/// The kinds without pods of groups that have others too.
private let podlessKinds: [String: Set<String>] = [
  "monitoring.coreos.com": [
    "ServiceMonitor", "PodMonitor", "PrometheusRule", "Probe", "AlertmanagerConfig", "ScrapeConfig",
  ],
  "metallb.io": ["IPAddressPool", "L2Advertisement", "BGPAdvertisement", "BGPPeer", "BFDProfile", "Community"],
  "projectcalico.org": ["FelixConfiguration", "IPPool", "BGPConfiguration", "BGPPeer", "ClusterInformation"],
  "crd.projectcalico.org": ["FelixConfiguration", "IPPool", "BGPConfiguration", "BGPPeer", "ClusterInformation"],
  "keda.sh": ["ScaledObject", "TriggerAuthentication", "ClusterTriggerAuthentication"],
  "argoproj.io": ["AppProject", "WorkflowTemplate", "ClusterWorkflowTemplate", "AnalysisTemplate"],
  "bitnami.com": ["SealedSecret"],
  "helm.cattle.io": ["HelmChartConfig"],
  "k3s.cattle.io": ["Addon", "ETCDSnapshotFile"],
  "image.openshift.io": ["Image", "ImageStream", "ImageStreamTag"],
  "project.openshift.io": ["Project"],
]
