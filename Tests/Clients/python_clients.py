#!/usr/bin/env python3
"""The Python clients of Kubernetes against `serve-api`: VENV/bin/python python_clients.py PROGRAM

The packages are those of requirements.txt.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from served import (POD_COUNT, WIDGETS, Failed, Report, Server, Skipped, end, eventually, main_arguments, pod, policy, require,
                    require_equal, shortened, widget)

QUIET = "/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies"


def require_package(name):
    try:
        __import__(name)
    except ImportError as error:
        raise Skipped(f"no package {name} ({error})") from None


def require_error(call, error, code, status=lambda e: e.status):
    """A call fails with a client's own exception and this code."""
    try:
        call()
    except error as failure:
        require_equal(status(failure), code, "code")
        return failure
    raise Failed(f"no error, instead of {code}")


# kubernetes, typed

def typed_client(server):
    require_package("kubernetes")
    from kubernetes import client, config
    return client, config.new_client_from_config(server.kubeconfig)


def kubernetes_lists_and_gets(server):
    client, api = typed_client(server)
    core = client.CoreV1Api(api)
    require_equal(len(core.list_pod_for_all_namespaces().items), POD_COUNT, "pods")
    made = core.read_namespaced_pod("web-0", "shop")
    require_equal((made.spec.node_name, made.status.phase), ("node1", "Running"), "pod")
    require_equal([item.metadata.name for item in core.list_namespaced_pod(
        "shop", label_selector="app in (api,db)", field_selector="spec.nodeName=node3").items], ["db-0"], "selected")
    require_error(lambda: core.read_namespaced_pod("none", "shop"), client.ApiException, 404)
    require(client.VersionApi(api).get_code().git_version, "no version")
    require("v1" in client.CoreApi(api).get_api_versions().versions, "no v1")
    require(len(client.NetworkingV1Api(api).list_network_policy_for_all_namespaces().items) == 1, "policies")
    require(len(client.DiscoveryV1Api(api).list_endpoint_slice_for_all_namespaces().items) >= 1, "slices")


def kubernetes_reads_pages(server):
    client, api = typed_client(server)
    core = client.CoreV1Api(api)
    names, token = [], None
    for _ in range(5):
        page = core.list_namespaced_pod("shop", limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    require_equal(names, ["api-0", "cache-0", "db-0", "web-0", "web-1"], "names")


def kubernetes_creates_patches_and_deletes(server):
    client, api = typed_client(server)
    core = client.CoreV1Api(api)
    made = core.create_namespaced_pod("quiet", pod("typed", "quiet"))
    require(made.metadata.uid and made.metadata.resource_version, "no uid")
    failure = require_error(lambda: core.create_namespaced_pod("quiet", pod("typed", "quiet")), client.ApiException, 409)
    require_equal(json.loads(failure.body)["reason"], "AlreadyExists", "reason")
    patched = core.patch_namespaced_pod("typed", "quiet", {"metadata": {"labels": {"more": "yes"}}})
    require_equal(patched.metadata.labels, {"app": "typed", "more": "yes"}, "labels")
    eventually(lambda: core.read_namespaced_pod("typed", "quiet").status.phase == "Running", "the pod runs")
    body = core.read_namespaced_pod("typed", "quiet")
    stale = core.read_namespaced_pod("typed", "quiet")
    body.metadata.labels["more"] = "no"
    core.replace_namespaced_pod("typed", "quiet", body)
    stale.metadata.labels["more"] = "stale"
    failure = require_error(lambda: core.replace_namespaced_pod("typed", "quiet", stale), client.ApiException, 409)
    require_equal(json.loads(failure.body)["reason"], "Conflict", "reason")
    core.delete_namespaced_pod("typed", "quiet")
    eventually(lambda: not core.list_namespaced_pod("quiet").items, "the pod is gone")
    require_error(lambda: core.delete_namespaced_pod("typed", "quiet"), client.ApiException, 404)
    wrong = policy("Wrong_Name")
    failure = require_error(lambda: client.NetworkingV1Api(api).create_namespaced_network_policy("quiet", wrong),
                            client.ApiException, 422)
    require_equal(json.loads(failure.body)["reason"], "Invalid", "reason")


def kubernetes_deletes_a_collection(server):
    client, api = typed_client(server)
    networking = client.NetworkingV1Api(api)
    for name in ("a", "b", "c"):
        networking.create_namespaced_network_policy("quiet", policy(name, keep=str(name == "b").lower()))
    networking.delete_collection_namespaced_network_policy("quiet", label_selector="keep=false")
    left = [item.metadata.name for item in networking.list_namespaced_network_policy("quiet").items]
    networking.delete_collection_namespaced_network_policy("quiet")
    require_equal(left, ["b"], "left")


def kubernetes_watches_from_nothing_and_resumes(server):
    client, api = typed_client(server)
    from kubernetes import watch
    networking = client.NetworkingV1Api(api)
    server.create(QUIET, policy("old"))
    watcher, seen = watch.Watch(), []
    threading.Timer(0.5, lambda: server.create(QUIET, policy("new"))).start()
    for event in watcher.stream(networking.list_namespaced_network_policy, "quiet", timeout_seconds=10):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 2:
            watcher.stop()
    require_equal(seen, [("ADDED", "old"), ("ADDED", "new")], "from nothing")
    version = networking.list_namespaced_network_policy("quiet").metadata.resource_version
    server.merge(f"{QUIET}/old", {"metadata": {"labels": {"made": "again"}}})
    server.delete(f"{QUIET}/new")
    server.delete(f"{QUIET}/old")
    seen = []
    for event in watch.Watch().stream(networking.list_namespaced_network_policy, "quiet", resource_version=version,
                                      timeout_seconds=2):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 3:
            break
    require_equal(seen, [("MODIFIED", "old"), ("DELETED", "new"), ("DELETED", "old")], "resumed")
    begin = time.monotonic()
    list(watch.Watch().stream(networking.list_namespaced_network_policy, "quiet", timeout_seconds=1))
    require(time.monotonic() - begin < 5, "the watch didn't end at its timeout")
    require_error(lambda: list(watch.Watch().stream(networking.list_namespaced_network_policy, "quiet",
                                                    resource_version="1", timeout_seconds=3)),
                  client.ApiException, 410)


def kubernetes_scales_and_patches_the_status(server):
    client, api = typed_client(server)
    apps = client.AppsV1Api(api)
    labels = {"app": "scaled"}
    apps.create_namespaced_deployment("quiet", {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "scaled"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "registry.example/a:1"}]}}}})
    eventually(lambda: apps.read_namespaced_deployment("scaled", "quiet").status.available_replicas == 1, "one pod")
    apps.patch_namespaced_deployment_scale("scaled", "quiet", {"spec": {"replicas": 3}})
    eventually(lambda: apps.read_namespaced_deployment("scaled", "quiet").status.available_replicas == 3, "three pods")
    require_equal(apps.read_namespaced_deployment_scale("scaled", "quiet").spec.replicas, 3, "scale")
    core = client.CoreV1Api(api)
    core.patch_node_status("node1", {"status": {"conditions": [{"type": "Test", "status": "True"}]}})
    conditions = {each.type for each in core.read_node("node1").status.conditions}
    require({"Ready", "Test"} <= conditions, f"conditions {conditions}")
    apps.delete_namespaced_deployment("scaled", "quiet", propagation_policy="Foreground")
    eventually(lambda: not core.list_namespaced_pod("quiet").items, "its pods are gone")
    require_error(lambda: apps.read_namespaced_deployment("scaled", "quiet"), client.ApiException, 404)


# kubernetes, dynamic

def kubernetes_dynamic_client(server):
    require_package("kubernetes")
    from kubernetes import config, dynamic
    with tempfile.TemporaryDirectory(prefix="netpol-clients-cache-") as folder:
        client = dynamic.DynamicClient(config.new_client_from_config(server.kubeconfig),
                                       cache_file=os.path.join(folder, "discovery"))
        policies = client.resources.get(api_version="networking.k8s.io/v1", kind="NetworkPolicy")
        pods = client.resources.get(api_version="v1", kind="Pod")
        require_equal(len(pods.get().items), POD_COUNT, "pods")
        require_equal(pods.get(name="db-0", namespace="shop").spec.nodeName, "node3", "node")
        made = policies.create(body=policy("dynamic"), namespace="quiet")
        require_equal(made.metadata.name, "dynamic", "name")
        patched = policies.patch(name="dynamic", namespace="quiet", body={"metadata": {"labels": {"a": "b"}}},
                                 content_type="application/merge-patch+json")
        require_equal(patched.metadata.labels.a, "b", "label")
        applied = policies.server_side_apply(name="applied", namespace="quiet", body=policy("applied"),
                                             field_manager="test")
        require(applied.metadata.uid, "no uid")
        other = policy("applied", made="other")
        require_error(lambda: policies.server_side_apply(name="applied", namespace="quiet", body=other,
                                                         field_manager="another"),
                      dynamic.exceptions.ConflictError, 409)
        forced = policies.server_side_apply(name="applied", namespace="quiet", body=other, field_manager="another",
                                            force_conflicts=True)
        require_equal(forced.metadata.labels.made, "other", "label")
        seen = []
        for event in policies.watch(namespace="quiet", timeout=5):
            seen.append((event["type"], event["object"].metadata.name))
            if len(seen) == 2:
                break
        require_equal(sorted(seen), [("ADDED", "applied"), ("ADDED", "dynamic")], "watch")
        for name in ("dynamic", "applied"):
            policies.delete(name=name, namespace="quiet")
        require_error(lambda: policies.get(name="dynamic", namespace="quiet"), dynamic.exceptions.NotFoundError, 404)


def kubernetes_dynamic_client_finds_a_new_type(server):
    require_package("kubernetes")
    from kubernetes import config, dynamic
    with tempfile.TemporaryDirectory(prefix="netpol-clients-cache-") as folder:
        client = dynamic.DynamicClient(config.new_client_from_config(server.kubeconfig),
                                       cache_file=os.path.join(folder, "discovery"))
        client.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(body=WIDGETS)
        widgets = client.resources.get(api_version="example.com/v1", kind="Widget")
        widgets.create(body=widget("one"), namespace="shop")
        require_equal(widgets.get(name="one", namespace="shop").spec.size, 1, "size")
    server.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")


# lightkube

def light_client(server):
    require_package("lightkube")
    from lightkube import Client, KubeConfig
    return Client(config=KubeConfig.from_file(server.kubeconfig), namespace="quiet", field_manager="light")


def lightkube_lists_in_pages(server):
    client = light_client(server)
    from lightkube.resources.core_v1 import Node, Pod
    require_equal(len(list(client.list(Pod, namespace="*", chunk_size=2))), POD_COUNT, "pods")
    require_equal([item.metadata.name for item in client.list(Node)], ["node1", "node2", "node3"], "nodes")
    require_equal([item.metadata.name for item in client.list(Pod, namespace="shop", labels={"app": "db"})], ["db-0"],
                  "selected")


def lightkube_creates_applies_patches_and_deletes(server):
    client = light_client(server)
    from lightkube import ApiError
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import Pod
    from lightkube.resources.networking_v1 import NetworkPolicy
    from lightkube.types import PatchType

    def code(error):
        return error.status.code

    made = NetworkPolicy.from_dict(policy("light"))
    require(client.create(made).metadata.uid, "no uid")
    require_error(lambda: client.create(made), ApiError, 409, code)
    applied = client.apply(NetworkPolicy.from_dict(policy("light-applied")))
    require_equal(applied.metadata.labels, {"made": "test"}, "labels")
    client.apply(NetworkPolicy.from_dict(policy("light-applied")))
    require_error(lambda: client.apply(NetworkPolicy.from_dict(policy("light-applied", made="x")), field_manager="b"),
                  ApiError, 409, code)
    client.apply(NetworkPolicy.from_dict(policy("light-applied", made="x")), field_manager="b", force=True)
    for kind, body in ((PatchType.STRATEGIC, {"metadata": {"labels": {"s": "1"}}}),
                       (PatchType.MERGE, {"metadata": {"labels": {"m": "1"}}}),
                       (PatchType.JSON, [{"op": "add", "path": "/metadata/labels/j", "value": "1"}])):
        patched = client.patch(NetworkPolicy, "light", body, patch_type=kind)
    require_equal(patched.metadata.labels, {"made": "test", "s": "1", "m": "1", "j": "1"}, "labels")
    client.replace(NetworkPolicy(metadata=ObjectMeta(name="light", namespace="quiet"), spec=patched.spec))
    for name in ("light", "light-applied"):
        client.delete(NetworkPolicy, name)
    require_error(lambda: client.get(NetworkPolicy, "light"), ApiError, 404, code)
    wrong = Pod.from_dict(pod("wrong", "quiet"))
    wrong.spec.containers = []
    require_error(lambda: client.create(wrong), ApiError, 422, code)


def lightkube_watches_and_resumes(server):
    client = light_client(server)
    from lightkube.resources.networking_v1 import NetworkPolicy
    server.create(QUIET, policy("old"))
    seen = []
    # The watch ends each second, and goes on from the last event.
    threading.Timer(2.5, lambda: server.create(QUIET, policy("new"))).start()
    for kind, item in client.watch(NetworkPolicy, server_timeout=1):
        seen.append((kind, item.metadata.name))
        if len(seen) == 2:
            break
    require_equal(seen, [("ADDED", "old"), ("ADDED", "new")], "events")
    for name in ("old", "new"):
        server.delete(f"{QUIET}/{name}")


def lightkube_waits_for_a_condition(server):
    client = light_client(server)
    from lightkube.resources.core_v1 import Pod
    client.create(Pod.from_dict(pod("awaited", "quiet")))
    client.wait(Pod, "awaited", for_conditions=["Ready"])
    client.delete(Pod, "awaited")


# kr8s

def with_kr8s(server, scenario):
    require_package("kr8s")
    import kr8s.asyncio

    async def run():
        api = await kr8s.asyncio.api(kubeconfig=server.kubeconfig)
        await asyncio.wait_for(scenario(api), 40)

    asyncio.run(run())


def kr8s_lists_and_gets(server):
    async def scenario(api):
        require((await api.version())["gitVersion"], "no version")
        require_equal(len([item async for item in api.get("pods", namespace="all")]), POD_COUNT, "pods")
        kinds = {each["kind"] for each in await api.api_resources()}
        require({"Pod", "NetworkPolicy", "EndpointSlice"} <= kinds, f"kinds {kinds}")
        items = [item async for item in api.get("netpol", namespace="shop")]
        require_equal([item.name for item in items], ["db"], "policies")
        items = [item async for item in api.get("pods", namespace="shop", label_selector={"app": "web"})]
        require_equal(sorted(item.name for item in items), ["web-0", "web-1"], "selected")

    with_kr8s(server, scenario)


def kr8s_creates_patches_and_deletes(server):
    async def scenario(api):
        import kr8s
        from kr8s.asyncio.objects import NetworkPolicy, Pod
        made = await Pod(pod("kr8s", "quiet"), api=api)
        require(not await made.exists(), "it is there before")
        await made.create()
        require(await made.exists(), "it isn't there")
        await made.wait("condition=Ready", timeout=10)
        await made.label({"more": "yes"})
        await made.annotate({"note": "text"})
        await made.patch({"metadata": {"labels": {"again": "yes"}}})
        await made.refresh()
        require_equal(made.labels, {"app": "kr8s", "more": "yes", "again": "yes"}, "labels")
        try:
            await (await Pod(pod("kr8s", "quiet"), api=api)).create()
            raise Failed("created twice")
        except kr8s.ServerError as error:
            require_equal(error.response.status_code, 409, "code")
        await made.delete()
        await made.wait("delete", timeout=10)
        try:
            await NetworkPolicy.get("none", namespace="quiet", api=api, timeout=1)
            raise Failed("found what isn't there")
        except kr8s.NotFoundError:
            pass

    with_kr8s(server, scenario)


def kr8s_watches(server):
    async def scenario(api):
        server.create(QUIET, policy("old"))
        seen = []
        asyncio.get_running_loop().call_later(
            0.5, lambda: threading.Thread(target=lambda: server.create(QUIET, policy("new"))).start())
        events = api.watch("networkpolicies", namespace="quiet")
        async for kind, item in events:
            seen.append((kind, item.name))
            if len(seen) == 2:
                break
        await events.aclose()
        require_equal(seen, [("ADDED", "old"), ("ADDED", "new")], "events")
        for name in ("old", "new"):
            server.delete(f"{QUIET}/{name}")

    with_kr8s(server, scenario)


def kr8s_scales(server):
    async def scenario(api):
        from kr8s.asyncio.objects import Deployment
        labels = {"app": "scaled"}
        made = await Deployment({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "scaled", "namespace": "quiet"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "registry.example/a:1"}]}}}}, api=api)
        await made.create()
        await made.scale(3)
        # kr8s waits for the number that is asked for, not for the pods.
        for _ in range(100):
            if len(await made.pods()) == 3:
                break
            await asyncio.sleep(0.05)
        require_equal(len(await made.pods()), 3, "pods")
        await made.delete()

    with_kr8s(server, scenario)


# kopf

OPERATOR = """
import kopf

@kopf.on.startup()
def begin(settings, **_):
    settings.posting.enabled = True
    settings.posting.loggers = True
    settings.peering.standalone = True

@kopf.on.create("pods", labels={"operated": "yes"})
def pod_created(name, patch, **_):
    patch.metadata.labels["handled"] = "create"

@kopf.on.update("pods", labels={"operated": "yes"}, field="metadata.labels.step")
def pod_updated(name, new, patch, **_):
    patch.metadata.labels["handled"] = f"update-{new}"

@kopf.on.create("example.com", "v1", "widgets")
def widget_created(spec, patch, **_):
    patch.status["doubled"] = spec["size"] * 2
    return {"size": spec["size"]}

@kopf.on.update("example.com", "v1", "widgets", field="spec.size")
def widget_updated(new, patch, **_):
    patch.status["doubled"] = new * 2

@kopf.on.delete("example.com", "v1", "widgets")
def widget_deleted(**_):
    pass
"""


class Operator:
    """A kopf operator as a process of its own."""

    def __init__(self, server, *scope):
        require_package("kopf")
        self.folder = tempfile.TemporaryDirectory(prefix="netpol-clients-kopf-")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        source = os.path.join(self.folder.name, "handlers.py")
        with open(source, "w", encoding="utf-8") as file:
            file.write(OPERATOR)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kopf", "run", "--standalone", "--verbose", *scope, source],
            env={**os.environ, "KUBECONFIG": server.kubeconfig}, cwd=self.folder.name, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)

    @property
    def text(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def wait(self, condition, what, seconds=15):
        try:
            return eventually(condition, what, seconds, 0.1)
        except Failed as why:
            lines = [line for line in self.text.splitlines() if "rror" in line or "fail" in line.lower()]
            raise Failed(f"{why}; the operator said: {shortened(' | '.join(lines[-4:] or self.text.splitlines()[-4:]), 900)}"
                         ) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process, seconds=10)
        self.log.close()
        self.folder.cleanup()


def kopf_handles_pods(server):
    path = "/api/v1/namespaces/quiet/pods"
    with Operator(server, "--namespace", "quiet") as operator:
        server.create(path, pod("operated", "quiet", operated="yes"))

        def handled():
            return server.get(f"{path}/operated")["metadata"]["labels"].get("handled")

        operator.wait(lambda: handled() == "create", "the handler of the creation")
        server.merge(f"{path}/operated", {"metadata": {"labels": {"step": "2"}}})
        operator.wait(lambda: handled() == "update-2", "the handler of the update")
        require(operator.process.poll() is None, "the operator ended")
    server.delete(f"{path}/operated")


def kopf_handles_a_custom_type_and_finalizers(server):
    server.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", WIDGETS)
    path = "/apis/example.com/v1/namespaces/shop/widgets"
    with Operator(server, "--all-namespaces") as operator:
        server.create(path, widget("one", size=4))

        def doubled():
            return server.get(f"{path}/one").get("status", {}).get("doubled")

        operator.wait(lambda: doubled() == 8, "the handler of the creation")
        require(server.get(f"{path}/one")["metadata"].get("finalizers"), "no finalizer")
        server.merge(f"{path}/one", {"spec": {"size": 5}})
        operator.wait(lambda: doubled() == 10, "the handler of the update")
        server.delete(f"{path}/one")
        operator.wait(lambda: server.ask("GET", f"{path}/one")[0] == 404,
                      "the finalizer is removed, and the object gone")
        operator.wait(lambda: any(event["involvedObject"]["kind"] == "Widget"
                                  for event in server.get("/api/v1/namespaces/shop/events")["items"]),
                      "an event that the operator wrote", 5)
    server.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")


# What they have in common

def a_slash_at_the_end_is_allowed(server):
    for path in ("/version/", "/api/", "/apis/", "/api/v1/", "/apis/apps/v1/", "/api/v1/pods/"):
        code, _, answer = server.ask("GET", path)
        require(code == 200, f"{path}: {code} {shortened(answer)}")


def a_body_without_content_type_is_json(server):
    code, _, answer = server.ask("POST", QUIET, policy("untyped"))
    require(code == 201, f"POST: {code} {shortened(answer)}")
    code, _, answer = server.ask("DELETE", f"{QUIET}/untyped", {"propagationPolicy": "Background"})
    require(code == 200, f"DELETE: {code} {shortened(answer)}")
    code, _, answer = server.ask("PATCH", "/api/v1/nodes/node1", {"metadata": {}})
    require(code == 415, f"PATCH without a type: {code} {shortened(answer)}")


SCENARIOS = [
    kubernetes_lists_and_gets, kubernetes_reads_pages, kubernetes_creates_patches_and_deletes,
    kubernetes_deletes_a_collection, kubernetes_watches_from_nothing_and_resumes,
    kubernetes_scales_and_patches_the_status, kubernetes_dynamic_client, kubernetes_dynamic_client_finds_a_new_type,
    lightkube_lists_in_pages, lightkube_creates_applies_patches_and_deletes, lightkube_watches_and_resumes,
    lightkube_waits_for_a_condition, kr8s_lists_and_gets, kr8s_creates_patches_and_deletes, kr8s_watches, kr8s_scales,
    kopf_handles_pods, kopf_handles_a_custom_type_and_finalizers, a_slash_at_the_end_is_allowed,
    a_body_without_content_type_is_json,
]


def main():
    (program,), wanted = main_arguments("python_clients.py PROGRAM", 1)
    # A proxy for the loopback, or a cluster of the user's, must have no part in this.
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "kubeconfig"):
            del os.environ[name]
    report = Report(wanted)
    with Server(program) as server:
        for scenario in SCENARIOS:
            report.run(scenario, server)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
