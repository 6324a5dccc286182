"""Reads Kubernetes manifests: the objects that the certificate's claims depend on."""
import functools
import os

import yaml

from addresses import Unreadable, address, network

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod",
         "Namespace", "Node", "NetworkPolicy", "Cluster")
# Labels that controllers add to those of a pod template.
ADDED_LABELS = {
    "pod-template-hash", "controller-revision-hash", "pod-template-generation", "apps.kubernetes.io/pod-index",
    "statefulset.kubernetes.io/pod-name", "controller-uid", "job-name", *(
        "batch.kubernetes.io/" + name for name in ("job-name", "controller-uid", "job-completion-index"))}

class TextLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Takes every scalar as text, but null."""

TextLoader.yaml_implicit_resolvers = {
    start: [(tag, test) for tag, test in tests if tag.endswith((":null", ":merge"))]
    for start, tests in yaml.SafeLoader.yaml_implicit_resolvers.items()}

def files_of(paths):
    """All manifest files of files and directories."""
    result = []
    for path in paths:
        walked = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        result += sorted(p for p in walked if p.endswith((".yaml", ".yml", ".json"))) if os.path.isdir(path) else [path]
    return result

@functools.lru_cache(maxsize=None)
def documents(data):
    """The documents in the bytes of a file."""
    try:
        return [item for item in yaml.load_all(data, TextLoader) if isinstance(item, dict)]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Unreadable(f"YAML: {error}") from error

def objects_of(data):
    """The objects in the bytes of a file, also those within lists."""
    found, result = list(documents(data)), []
    while found:
        item = found.pop(0)
        if str(item.get("kind") or "").endswith("List") and "items" in item:
            found = [{"kind": item["kind"][:-4], **part} for part in item["items"] or []] + found
        elif item.get("kind") in KINDS:
            result.append(item)
    return result

def variant_files(files):
    """The files that Expectations add to variants of the cluster. They are not part of the cluster itself."""
    result = set()
    for path, data in files.items():
        for group in (group for item in documents(data) if item.get("kind") == "Expectations"
                      for group in get(item, "groups") or []):
            result |= {os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in get(group, "add") or []}
    return {path for path in files if os.path.normpath(path) in result}

def get(item, *path):
    """A nested field, or None."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item

def labels_of(item):
    return {key: value or "" for key, value in (get(item, "metadata", "labels") or {}).items()}

def ports_of(spec):
    """The ports of containers, and of init containers that keep running: (name, protocol, number)."""
    containers = (get(spec, "containers") or []) + [
        container for container in get(spec, "initContainers") or [] if container.get("restartPolicy") == "Always"]
    return sorted((port.get("name") or "", port.get("protocol") or "TCP", int(port["containerPort"]))
                  for container in containers for port in container.get("ports") or [])

def is_finished(pod):
    return get(pod, "status", "phase") in ("Succeeded", "Failed")

class World:
    """The objects of all manifests."""

    def __init__(self, objects):
        self.objects, self.cluster = {}, {}
        for item in objects:
            if item["kind"] == "Cluster":
                self.cluster.update(item)
            else:
                space = get(item, "metadata", "namespace") or "default"
                if item["kind"] in ("Namespace", "Node"):
                    space = ""
                self.objects[item["kind"], space, item["metadata"]["name"]] = item
        self.bridge_netfilter = self.cluster.get("bridgeNetfilter", "true") == "true"
        self.settings = {node["name"]: node for node in self.cluster.get("nodes") or []}

    def all(self, kind):
        return [(key[1], key[2], item) for key, item in self.objects.items() if key[0] == kind]

    def namespace_labels(self, name):
        return {**labels_of(self.objects.get(("Namespace", "", name))), "kubernetes.io/metadata.name": name}

    def node_names(self):
        pods = [get(pod, "spec", "nodeName") for _, _, pod in self.all("Pod") if not is_finished(pod)]
        return {name for _, name, _ in self.all("Node")} | set(self.settings) | set(filter(None, pods))

    def node_addresses(self, name):
        """The addresses that are stated for a node."""
        listed = get(self.objects.get(("Node", "", name)), "status", "addresses") or []
        return get(self.settings.get(name), "addresses") or [
            entry["address"] for entry in listed if entry["type"] in ("InternalIP", "ExternalIP")]

    def share_bridge(self, node, one, other):
        """Whether two pod addresses (as text) of a node are in one of its pod CIDRs."""
        spec = get(self.objects.get(("Node", "", node)), "spec") or {}
        stated = get(self.settings.get(node), "podCIDRs") or spec.get("podCIDRs") or [spec.get("podCIDR")]
        stated = [text for text in stated if text and (":" in text) == (":" in one)]
        ends = address(one), address(other)
        # Without any, the block around an address is assumed.
        return any(all(first <= end <= last for end in ends) for first, last in map(
            network, stated or [one + ("/64" if ":" in one else "/24")]))

    def pod_faults(self, pods):
        """Yields what is wrong with the certificate's list of pods."""
        listed = {(pod["namespace"], pod["name"]): pod for pod in pods}
        if len(listed) != len(pods):
            yield "a pod is listed twice"
        for namespace, name, item in self.all("Pod"):
            if not is_finished(item) and (namespace, name) not in listed:
                yield f"{namespace}/{name} is missing"
        for (namespace, name), pod in listed.items():
            item, owner, added = self.objects.get(("Pod", namespace, name)), pod.get("workload"), set()
            if not item and owner:
                spec = get(self.objects.get((owner["kind"], namespace, owner["name"])), "spec")
                item, added = get(get(spec, "jobTemplate", "spec") or spec, "template"), ADDED_LABELS
            if item:
                yield from (f"{namespace}/{name}: its {what} differ" for what in _differences(pod, item, added))
            elif not owner or not owner["name"].startswith("svclb-"):
                # The pods of k3s's servicelb have no manifest.
                yield f"{namespace}/{name} is not in the manifests"
        for kind in ("Deployment", "StatefulSet"):
            for namespace, name, item in self.all(kind):
                labels = labels_of(get(item, "spec", "template")).items()
                exist = any(pod["namespace"] == namespace and labels <= pod["labels"].items() for pod in pods)
                if not exist and get(item, "spec", "replicas") != "0":
                    yield f"{namespace}/{name}: the {kind} has no pod"

def _differences(pod, item, added):
    """What differs between a listed pod and its object or template."""
    labels, spec, status = labels_of(item), get(item, "spec") or {}, get(item, "status") or {}
    if any(key not in added or key in labels for key, _ in set(pod["labels"].items()) ^ set(labels.items())):
        yield "labels"
    if sorted((port.get("name") or "", port["protocol"], port["port"]) for port in pod["ports"]) != ports_of(spec):
        yield "ports"
    if pod["hostNetwork"] != (spec.get("hostNetwork") == "true"):
        yield "networks"
    stated = [entry["ip"] for entry in status.get("podIPs") or []] or [status.get("podIP")]
    if stated[0] and not pod["hostNetwork"] and set(map(address, stated)) != set(map(address, pod["ips"])):
        yield "addresses"
    if spec.get("nodeName") not in (None, pod.get("node")):
        yield "nodes"
