#!/usr/bin/env python3
"""kubectl against `serve-api`: python3 kubectl.py PROGRAM KUBECTL

Each command has an empty cache directory of its own, so that it asks the server for everything.
"""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import threading
import time

from served import (POD_COUNT, WIDGETS, Failed, Report, Server, Skipped, end, eventually, main_arguments, pod, policy,
                    require, require_equal, shortened, widget)


class Kubectl:
    def __init__(self, program, server):
        self.program = program
        self.server = server
        self.version = self._version()

    def _version(self):
        text = subprocess.run([self.program, "version", "--client", "-o", "json"], capture_output=True, text=True,
                              timeout=30, check=True).stdout
        found = re.match(r"v(\d+)\.(\d+)", json.loads(text)["clientVersion"]["gitVersion"])
        return int(found[1]), int(found[2])

    @property
    def lacks_its_openapi(self):
        """Before 1.29, kubectl validates with /openapi/v2 alone, which a server may not have."""
        accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
        return self.version < (1, 29) and self.server.ask("GET", "/openapi/v2", accept=accept)[0] != 200

    @property
    def unvalidated(self):
        return ["--validate=false"] if self.lacks_its_openapi else []

    def command(self, cache, arguments):
        return [self.program, "--kubeconfig", self.server.kubeconfig, "--cache-dir", cache, *arguments]

    def __call__(self, *arguments, stdin=None, code=0, seconds=30):
        """Runs a command and checks its exit code. What it printed, on both channels."""
        if isinstance(stdin, (dict, list)):
            stdin = manifest(stdin)
        with tempfile.TemporaryDirectory(prefix="netpol-clients-cache-") as cache:
            try:
                done = subprocess.run(self.command(cache, arguments), input=stdin or "", capture_output=True, text=True,
                                      timeout=seconds, env={**os.environ, "KUBECTL_EXTERNAL_DIFF": "diff -u -N"})
            except subprocess.TimeoutExpired:
                raise Failed(f"kubectl {' '.join(arguments)}: not done after {seconds} s") from None
        said = f"kubectl {' '.join(arguments)}: exit code {done.returncode}: {done.stdout} {done.stderr}"
        if code is not None and done.returncode != code:
            raise Failed(f"{shortened(said)} (wanted {code})")
        return done.stdout if code == 0 else done.stdout + done.stderr

    def get_json(self, *arguments):
        return json.loads(self("get", *arguments, "-o", "json"))


def manifest(objects):
    if isinstance(objects, dict):
        return json.dumps(objects)
    # Begins as YAML: kubectl before 1.30 can't read JSON with separators.
    return "".join(f"---\n{json.dumps(each)}\n" for each in objects)


def require_in(part, text, what="output"):
    require(part in text, f"{what} lacks {part!r}: {shortened(text)}")


def rows(text):
    """The cells of a table, with the header."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]


def deployment(name, replicas=2, image="registry.example/app:1"):
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": image}]}},
        },
    }


def config_of(name, **annotations):
    """An object that no controller touches."""
    made = policy(name)
    made["metadata"]["annotations"] = annotations or {"text": "one"}
    return made


# What the server is

def the_kubeconfig_is_for_its_owner_alone(k):
    require_equal(stat.S_IMODE(os.stat(k.server.kubeconfig).st_mode), 0o600, "mode")


def version_names_the_server(k):
    answer = json.loads(k("version", "-o", "json"))
    require("gitVersion" in answer.get("serverVersion", {}), f"no serverVersion: {answer}")


def api_resources_come_from_the_aggregated_list(k):
    lines = k("api-resources", "-v=6", code=None)
    for name in ("pods", "networkpolicies", "endpointslices", "deployments"):
        require(re.search(rf"^{name} ", lines, re.M), f"no {name}: {shortened(lines)}")
    require("/api/v1?" not in lines and "/apis/apps/v1" not in lines, f"asked each group: {shortened(lines, 900)}")


def api_versions_names_every_group(k):
    lines = k("api-versions").split()
    for name in ("v1", "apps/v1", "networking.k8s.io/v1", "discovery.k8s.io/v1"):
        require(name in lines, f"no {name}: {lines}")


def api_resources_can_be_chosen(k):
    names = k("api-resources", "--namespaced=false", "--verbs=list", "-o", "name").split()
    require("nodes" in names and "namespaces" in names and "pods" not in names, f"{names}")


def explain_is_refused(k):
    # Before 1.29, it asks for /openapi/v2.
    text = k("explain", "pods", code=1)
    require("not found in OpenAPI schema" in text or "could not find the requested resource" in text, text)


def cluster_info_names_the_address(k):
    require_in(str(k.server.port), k("cluster-info"))


# Reading

def get_pods_of_all_namespaces(k):
    table = rows(k("get", "pods", "-A"))
    require_equal(table[0][:3], ["NAMESPACE", "NAME", "READY"], "header")
    require_equal(len(table) - 1, POD_COUNT, "pods")
    require_equal(table[1][:4], ["shop", "api-0", "1/1", "Running"], "first row")


def get_two_types_at_once(k):
    text = k("get", "po,netpol", "-n", "shop")
    require_in("pod/web-0", text)
    require_in("networkpolicy.networking.k8s.io/db", text)


def get_all_of_a_namespace(k):
    text = k("get", "all", "-n", "shop")
    require_in("pod/web-0", text)
    require_in("service/web", text)


def get_of_an_empty_namespace(k):
    text = k("get", "pods", "-n", "quiet", code=None)
    require_in("No resources found in quiet namespace.", text or k("get", "pods", "-n", "quiet", code=None))


def get_wide(k):
    table = rows(k("get", "pods", "-n", "shop", "-o", "wide"))
    require("NODE" in table[0] and "IP" in table[0], f"header {table[0]}")
    require("node2" in table[1] and any(cell.startswith("10.42.") for cell in table[1]), f"row {table[1]}")
    require_in("192.168.20.11", k("get", "nodes", "-o", "wide"))
    require_in("10.43.", k("get", "services", "-A", "-o", "wide"))


def get_with_labels_shown(k):
    require_in("app=db,tier=back", k("get", "pods", "-n", "shop", "--show-labels"))
    require("front" in rows(k("get", "pods", "-n", "shop", "-L", "tier"))[-1], "column of a label")


def get_yaml(k):
    text = k("get", "pods", "-n", "shop", "-o", "yaml")
    require_in("kind: List", text)
    require_in("name: cache-0", text)


def get_json(k):
    answer = k.get_json("pod", "db-0", "-n", "shop")
    require_equal((answer["kind"], answer["apiVersion"], answer["metadata"]["name"]), ("Pod", "v1", "db-0"), "pod")
    require(answer["status"]["podIP"].startswith("10.42.3."), f"podIP {answer['status']['podIP']}")


def get_names(k):
    require_equal(k("get", "pods", "-n", "shop", "-o", "name").split()[:2], ["pod/api-0", "pod/cache-0"], "names")


def get_custom_columns(k):
    text = k("get", "pods", "-n", "shop", "-o", "custom-columns=N:.metadata.name,P:.status.phase")
    require_equal(rows(text)[:2], [["N", "P"], ["api-0", "Running"]], "table")


def get_jsonpath(k):
    require_equal(k("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"), "node1 node2 node3", "names")


def get_sorted(k):
    names = k("get", "pods", "-n", "shop", "--sort-by=.spec.nodeName", "-o", "name").split()
    require_equal(names[0], "pod/web-0", "first of node1")


def get_in_pages(k):
    text = k("get", "pods", "-n", "shop", "--chunk-size=2", "-v=8", code=None)
    require(text.count("continue=") >= 2, f"no pages: {shortened(text)}")
    require_equal(len(k("get", "pods", "-n", "shop", "--chunk-size=2", "-o", "name").split()), POD_COUNT, "names")
    require_equal(len(rows(k("get", "pods", "-n", "shop", "--chunk-size=2"))) - 1, POD_COUNT, "rows")


def get_by_name(k):
    require_equal(rows(k("get", "pod", "web-0", "-n", "shop"))[1][0], "web-0", "name")


def get_of_a_missing_one_fails(k):
    require_in('Error from server (NotFound): pods "none" not found', k("get", "pod", "none", "-n", "shop", code=1))
    require_equal(k("get", "pod", "none", "-n", "shop", "--ignore-not-found"), "", "output")


def get_of_an_unknown_type_fails(k):
    require_in("the server doesn't have a resource type", k("get", "things", code=1))


def get_with_label_selectors(k):
    def names(selector):
        return sorted(k("get", "pods", "-n", "shop", "-l", selector, "-o", "name").split())

    require_equal(names("app=web"), ["pod/web-0", "pod/web-1"], "app=web")
    require_equal(names("app in (db,api),tier!=front"), ["pod/api-0", "pod/db-0"], "app in (db,api),tier!=front")
    require_equal(len(names("!none")), POD_COUNT, "!none")
    require_equal(names("tier,app notin (web,api,cache)"), ["pod/db-0"], "tier,app notin (…)")


def get_with_field_selectors(k):
    def names(*arguments):
        return sorted(k("get", "pods", *arguments, "-o", "name").split())

    require_equal(names("-A", "--field-selector", "spec.nodeName=node1"), ["pod/web-0"], "spec.nodeName")
    require_equal(len(names("-A", "--field-selector", "status.phase=Running")), POD_COUNT, "status.phase")
    require_equal(names("-A", "--field-selector", "status.phase!=Running"), [], "status.phase!=")
    require_equal(names("-n", "shop", "--field-selector", "metadata.name=db-0"), ["pod/db-0"], "metadata.name")
    require_equal(len(names("-A", "--field-selector", "metadata.namespace=shop")), POD_COUNT, "metadata.namespace")
    require_in("field label not supported", k("get", "pods", "-A", "--field-selector", "spec.none=1", code=1))


def get_raw(k):
    # With --raw, kubectl leaves out the path of the server's address.
    path = f"{k.server.prefix}/api/v1/namespaces/shop"
    require_equal(json.loads(k("get", "--raw", path))["kind"], "Namespace", "kind")


def get_events(k):
    uid = k.get_json("pod", "db-0", "-n", "shop")["metadata"]["uid"]
    k.server.create("/api/v1/namespaces/shop/events", {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "db-0.1", "namespace": "shop"},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "db-0", "namespace": "shop", "uid": uid},
        "reason": "Tested", "message": "said by a test", "type": "Normal", "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "test"},
    })
    text = k("get", "events", "-n", "shop")
    for part in ("Tested", "said by a test", "pod/db-0"):
        require_in(part, text)
    require_in("said by a test", k("events", "-n", "shop", "--for", "pod/db-0"))
    require_in("said by a test", k("describe", "pod", "db-0", "-n", "shop"))
    require("Tested" not in k("describe", "pod", "web-0", "-n", "shop"), "an event of another pod")


class Watching:
    """kubectl with `--watch`, and the lines it has printed."""

    def __init__(self, k, *arguments):
        self.cache = tempfile.TemporaryDirectory(prefix="netpol-clients-cache-")
        self.process = subprocess.Popen(k.command(self.cache.name, arguments), stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    @property
    def text(self):
        return "".join(line for _, line in self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self.cache.cleanup()


def get_watch_prints_a_change(k):
    with Watching(k, "get", "netpol", "-n", "quiet", "--watch") as watching:
        k.server.create("/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies", policy("first"))
        eventually(lambda: "first" in watching.text, f"the list: {watching.text}", 15)
        # An age is counted from each event on, not from the watch's begin.
        time.sleep(3)
        begin = time.monotonic()
        k.server.create("/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies", policy("watched"))
        eventually(lambda: "watched" in watching.text, f"a row of the new object: {watching.text}", 10)
        seconds = next(at for at, line in watching.lines if "watched" in line) - begin
        require(watching.text.count("NAME") == 1, f"more than one header: {watching.text}")
    require(seconds < 1, f"the change came after {seconds:.2f} s")
    require("<invalid>" not in watching.text, f"the age of the new object: {watching.text}")
    for name in ("first", "watched"):
        k.server.delete(f"/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies/{name}")


def get_watch_of_objects_prints_what_changes(k):
    with Watching(k, "get", "pods", "-n", "quiet", "-l", "app=seen", "--watch-only", "--output-watch-events",
                  "-o", "custom-columns=T:.type,N:.object.metadata.name,P:.object.status.phase") as watching:
        time.sleep(2)
        k.server.create("/api/v1/namespaces/quiet/pods", pod("unseen", "quiet"))
        k.server.create("/api/v1/namespaces/quiet/pods", pod("seen", "quiet"))
        eventually(lambda: re.search(r"MODIFIED +seen +Running", watching.text), "the pod runs", 10)
        k.server.delete("/api/v1/namespaces/quiet/pods/seen")
        eventually(lambda: re.search(r"DELETED +seen", watching.text), f"the pod is gone: {watching.text}", 10)
        require("ADDED" in watching.text and "unseen" not in watching.text, f"events: {watching.text}")
    k.server.delete("/api/v1/namespaces/quiet/pods/unseen")


# Writing

def apply_creates_then_does_nothing_then_changes(k):
    apply = ("apply", *k.unvalidated, "-f", "-")
    require_in("applied created", k(*apply, stdin=config_of("applied")))
    require_in("applied unchanged", k(*apply, stdin=config_of("applied")))
    require_in("applied configured", k(*apply, stdin=config_of("applied", other="two")))
    annotations = k.get_json("netpol", "applied", "-n", "quiet")["metadata"]["annotations"]
    require("text" not in annotations and annotations.get("other") == "two", f"annotations {annotations}")
    require_in("two", annotations["kubectl.kubernetes.io/last-applied-configuration"])
    k("delete", "netpol", "applied", "-n", "quiet")


def apply_keeps_what_others_wrote(k):
    apply = ("apply", *k.unvalidated, "-f", "-")
    k(*apply, stdin=config_of("shared"))
    k("label", "netpol", "shared", "-n", "quiet", "of=another")
    require_in("configured", k(*apply, stdin=config_of("shared", text="two")))
    labels = k.get_json("netpol", "shared", "-n", "quiet")["metadata"]["labels"]
    require_equal(labels, {"made": "test", "of": "another"}, "labels")
    k("delete", "netpol", "shared", "-n", "quiet")


def apply_of_a_deployment_twice_is_unchanged(k):
    apply = ("apply", *k.unvalidated, "-f", "-")
    require_in("created", k(*apply, stdin=deployment("stable")))
    require_in("unchanged", k(*apply, stdin=deployment("stable")))
    k("delete", "deployment", "stable", "-n", "shop")


def apply_on_the_server_sees_conflicts(k):
    apply = ("apply", "--server-side", *k.unvalidated, "-f", "-")
    require_in("serverside-applied", k(*apply, stdin=config_of("owned")))
    before = k.get_json("netpol", "owned", "-n", "quiet")["metadata"]["resourceVersion"]
    require_in("serverside-applied", k(*apply, stdin=config_of("owned")))
    after = k.get_json("netpol", "owned", "-n", "quiet")["metadata"]["resourceVersion"]
    require_equal(after, before, "resourceVersion after an equal apply")
    other = config_of("owned", text="two")
    text = k(*apply, "--field-manager=other", stdin=other, code=1)
    require_in("conflict", text)
    require_in(".metadata.annotations.text", text)
    k(*apply, "--field-manager=other", "--force-conflicts", stdin=other)
    made = k.get_json("netpol", "owned", "-n", "quiet", "--show-managed-fields")["metadata"]
    require_equal(made["annotations"]["text"], "two", "annotation")
    require("other" in {entry["manager"] for entry in made["managedFields"]}, f"{made['managedFields']}")
    k("delete", "netpol", "owned", "-n", "quiet")


def apply_on_the_server_removes_what_is_no_longer_applied(k):
    apply = ("apply", "--server-side", *k.unvalidated, "-f", "-")
    k(*apply, stdin=config_of("pruned", one="1", two="2"))
    k(*apply, stdin=config_of("pruned", one="1"))
    require_equal(k.get_json("netpol", "pruned", "-n", "quiet")["metadata"]["annotations"], {"one": "1"}, "annotations")
    k("delete", "netpol", "pruned", "-n", "quiet")


def apply_of_many_objects(k):
    text = k("apply", *k.unvalidated, "-f", "-", stdin=[config_of(f"many-{n}") for n in range(5)])
    require_equal(text.count("created"), 5, "created")
    k("delete", "netpol", "-n", "quiet", "-l", "made=test")


def apply_of_a_list(k):
    items = {"apiVersion": "v1", "kind": "List", "items": [config_of("listed-1"), config_of("listed-2")]}
    require_equal(k("apply", *k.unvalidated, "-f", "-", stdin=items).count("created"), 2, "created")
    k("delete", "-f", "-", stdin=items)


def apply_dry_run_stores_nothing(k):
    require_in("created (server dry run)",
               k("apply", *k.unvalidated, "--dry-run=server", "-f", "-", stdin=config_of("dry")))
    k("get", "netpol", "dry", "-n", "quiet", code=1)


def create_fails_if_it_exists(k):
    create = ("create", *k.unvalidated, "-f", "-")
    require_in("created", k(*create, stdin=config_of("made")))
    require_in("(AlreadyExists)", k(*create, stdin=config_of("made"), code=1))
    k("delete", "netpol", "made", "-n", "quiet")


def create_with_a_generated_name(k):
    made = config_of("x")
    del made["metadata"]["name"]
    made["metadata"]["generateName"] = "some-"
    name = k("create", *k.unvalidated, "-f", "-", "-o", "name", stdin=made).strip()
    require(re.fullmatch(r"networkpolicy\.networking\.k8s\.io/some-[a-z0-9]{5}", name), f"name {name}")
    k("delete", name, "-n", "quiet")


def create_in_a_missing_namespace_fails(k):
    made = policy("lost", "none")
    require_in('namespaces "none" not found', k("create", *k.unvalidated, "-f", "-", stdin=made, code=1))


def create_by_name_works_or_is_refused_as_protobuf(k):
    """Later versions of kubectl send protobuf."""
    for arguments in (("namespace", "new"), ("deployment", "new", "--image=registry.example/new:1")):
        text = k("create", *arguments, code=None)
        require("created" in text or "reads JSON and YAML, and no protobuf" in
                text + k("create", *arguments, code=1), f"create {arguments[0]}: {text}")
        k("delete", *arguments[:2], "--ignore-not-found")


def replace_changes_the_object(k):
    k("create", *k.unvalidated, "-f", "-", stdin=config_of("replaced"))
    require_in("replaced", k("replace", *k.unvalidated, "-f", "-", stdin=config_of("replaced", new="1")))
    require_equal(k.get_json("netpol", "replaced", "-n", "quiet")["metadata"]["annotations"], {"new": "1"}, "annotations")
    stale = config_of("replaced", new="2")
    stale["metadata"]["resourceVersion"] = "1"
    require_in("(Conflict)", k("replace", *k.unvalidated, "-f", "-", stdin=stale, code=1))
    k("replace", "--force", *k.unvalidated, "-f", "-", stdin=config_of("replaced", new="3"))
    k("delete", "netpol", "replaced", "-n", "quiet")


def label_and_annotate(k):
    require_in("labeled", k("label", "pod", "db-0", "-n", "shop", "mark=yes"))
    require_in("not labeled", k("label", "pod", "db-0", "-n", "shop", "mark=yes"))
    require_in("--overwrite", k("label", "pod", "db-0", "-n", "shop", "mark=no", code=1))
    require_in("labeled", k("label", "--overwrite", "pod", "db-0", "-n", "shop", "mark=no"))
    require_in("annotate", k("annotate", "pod", "db-0", "-n", "shop", "note=some text"))
    made = k.get_json("pod", "db-0", "-n", "shop")["metadata"]
    require_equal((made["labels"]["mark"], made["annotations"]["note"]), ("no", "some text"), "values")
    require_in("unlabeled", k("label", "pod", "db-0", "-n", "shop", "mark-"))
    k("annotate", "pod", "db-0", "-n", "shop", "note-")
    require("mark" not in k.get_json("pod", "db-0", "-n", "shop")["metadata"]["labels"], "the label is still there")


def patch_in_three_forms(k):
    k("apply", *k.unvalidated, "-f", "-", stdin=deployment("patched"))
    target = ("patch", "deployment", "patched", "-n", "shop")
    k(*target, "--type=merge", "-p", '{"metadata":{"labels":{"by":"merge"}}}')
    k(*target, "--type=json", "-p",
      '[{"op":"test","path":"/metadata/labels/by","value":"merge"},{"op":"add","path":"/metadata/labels/also","value":"json"}]')
    k(*target, "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"registry.example/side:1"}]}}}}')
    made = k.get_json("deployment", "patched", "-n", "shop")
    require_equal(made["metadata"]["labels"], {"by": "merge", "also": "json"}, "labels")
    names = {container["name"] for container in made["spec"]["template"]["spec"]["containers"]}
    require_equal(names, {"app", "side"}, "containers after the strategic merge")
    text = k(*target, "--type=json", "-p", '[{"op":"test","path":"/metadata/labels/by","value":"no"}]', code=1)
    require_in("failed", text)
    require_in("patched (no change)", k(*target, "--type=merge", "-p", '{"metadata":{"labels":{"by":"merge"}}}'))
    k("delete", "deployment", "patched", "-n", "shop")


def patch_of_the_status(k):
    k("patch", "node", "node3", "--subresource=status", "--type=merge", "-p", '{"status":{"nodeInfo":{"osImage":"Test"}}}')
    require_in("Test", k("get", "node", "node3", "-o", "wide"))


def scale_and_roll_out(k):
    k("apply", *k.unvalidated, "-f", "-", stdin=deployment("rolled"))
    require_in("successfully rolled out", k("rollout", "status", "deployment/rolled", "-n", "shop", "--timeout=15s"))
    require_in("scaled", k("scale", "deployment", "rolled", "-n", "shop", "--replicas=4"))
    k("rollout", "status", "deployment/rolled", "-n", "shop", "--timeout=15s")
    require_equal(len(k("get", "pods", "-n", "shop", "-l", "app=rolled", "-o", "name").split()), 4, "pods")
    require_in("4/4", k("get", "deployment", "rolled", "-n", "shop"))
    before = set(k("get", "pods", "-n", "shop", "-l", "app=rolled", "-o", "name").split())
    require_in("restarted", k("rollout", "restart", "deployment/rolled", "-n", "shop"))
    require_in("successfully rolled out", k("rollout", "status", "deployment/rolled", "-n", "shop", "--timeout=20s"))
    eventually(lambda: not before & set(k("get", "pods", "-n", "shop", "-l", "app=rolled", "-o", "name").split()),
               "all pods are new", 10, 0.3)
    require_in("REVISION", k("rollout", "history", "deployment/rolled", "-n", "shop"))
    k("scale", "deployment", "rolled", "-n", "shop", "--replicas=1", "--current-replicas=9", code=1)
    k("delete", "deployment", "rolled", "-n", "shop")
    k("wait", "pods", "-n", "shop", "-l", "app=rolled", "--for=delete", "--timeout=15s")


def set_image_and_undo(k):
    k("apply", *k.unvalidated, "-f", "-", stdin=deployment("undone"))
    require_in("image updated", k("set", "image", "deployment/undone", "app=registry.example/app:2", "-n", "shop"))
    k("rollout", "status", "deployment/undone", "-n", "shop", "--timeout=20s")
    require_in("rolled back", k("rollout", "undo", "deployment/undone", "-n", "shop"))
    k("rollout", "status", "deployment/undone", "-n", "shop", "--timeout=20s")
    require_in("app:1", k("get", "deployment", "undone", "-n", "shop", "-o", "wide"))
    k("delete", "deployment", "undone", "-n", "shop")


def delete_waits_until_it_is_gone(k):
    k("create", *k.unvalidated, "-f", "-", stdin=pod("gone"))
    require_in('pod "gone" deleted', k("delete", "pod", "gone", "-n", "shop"))
    k("get", "pod", "gone", "-n", "shop", code=1)
    require_in("(NotFound)", k("delete", "pod", "gone", "-n", "shop", code=1))
    k("delete", "pod", "gone", "-n", "shop", "--ignore-not-found")


def delete_at_once(k):
    k("create", *k.unvalidated, "-f", "-", stdin=pod("forced"))
    k("delete", "pod", "forced", "-n", "shop", "--force", "--grace-period=0")
    k("get", "pod", "forced", "-n", "shop", code=1)


def delete_all_of_a_type(k):
    k("create", *k.unvalidated, "-f", "-", stdin=[config_of("one"), config_of("two")])
    require_equal(k("delete", "netpol", "--all", "-n", "quiet").count("deleted"), 2, "deleted")
    require_equal(k("get", "netpol", "-n", "quiet", "-o", "name"), "", "what is left")


def delete_of_files(k):
    k("create", *k.unvalidated, "-f", "-", stdin=config_of("filed"))
    require_in("deleted", k("delete", "-f", "-", stdin=config_of("filed")))


def delete_of_a_namespace_takes_all_with_it(k):
    k("create", *k.unvalidated, "-f", "-", stdin={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}})
    k("create", *k.unvalidated, "-f", "-", stdin=[pod("inside", "brief"), policy("inside", "brief")])
    require_in("deleted", k("delete", "namespace", "brief"))
    k("get", "namespace", "brief", code=1)
    require_equal(k("get", "pods,netpol", "-n", "brief", "-o", "name"), "", "what is left")


def wait_for_a_condition(k):
    k("create", *k.unvalidated, "-f", "-", stdin=pod("awaited"))
    require_in("condition met", k("wait", "pod/awaited", "-n", "shop", "--for=condition=Ready", "--timeout=10s"))
    k("wait", "pod/awaited", "-n", "shop", "--for=jsonpath={.status.phase}=Running", "--timeout=10s")
    require_in("timed out", k("wait", "pod/awaited", "-n", "shop", "--for=condition=None", "--timeout=1s", code=1))
    k("delete", "pod", "awaited", "-n", "shop")
    k("wait", "nodes", "--all", "--for=condition=Ready", "--timeout=10s")


def wait_for_a_deletion(k):
    k("create", *k.unvalidated, "-f", "-", stdin=pod("leaving"))
    k("delete", "pod", "leaving", "-n", "shop", "--wait=false")
    k("wait", "pod/leaving", "-n", "shop", "--for=delete", "--timeout=10s")


def describe_every_kind(k):
    for kind, name, parts in (
        ("pod", "web-0", ("Node:", "node1", "Events:")),
        ("service", "web", ("Endpoints:", ":8080", "TargetPort:")),
        ("networkpolicy", "db", ("PodSelector:", "app=db", "To Port: 5432/TCP")),
    ):
        text = k("describe", kind, name, "-n", "shop")
        for part in parts:
            require_in(part, text, f"describe {kind}")
    text = k("describe", "node", "node1")
    for part in ("InternalIP:", "192.168.20.11", "10.42.1.0/24", "web-0"):
        require_in(part, text, "describe node")
    k("describe", "namespace", "shop")
    k("apply", *k.unvalidated, "-f", "-", stdin=deployment("described"))
    k("rollout", "status", "deployment/described", "-n", "shop", "--timeout=15s")
    require_in("2 available", k("describe", "deployment", "described", "-n", "shop"))
    k("delete", "deployment", "described", "-n", "shop")


def diff_tells_of_a_change_by_its_exit_code(k):
    if k.lacks_its_openapi:
        raise Skipped("this kubectl compares with a document that the server doesn't have")
    k("apply", *k.unvalidated, "-f", "-", stdin=config_of("compared"))
    k("diff", "-f", "-", stdin=config_of("compared"))
    require_in("+    text: two", k("diff", "-f", "-", stdin=config_of("compared", text="two"), code=1))
    require_in("compared", k("diff", "--server-side", "--force-conflicts", "-f", "-",
                             stdin=config_of("compared", text="two"), code=1))
    k("delete", "netpol", "compared", "-n", "quiet")
    k("diff", "-f", "-", stdin=config_of("compared"), code=1)


def a_new_type_is_established(k):
    k("apply", *k.unvalidated, "-f", "-", stdin=WIDGETS)
    try:
        k("wait", "crd/widgets.example.com", "--for=condition=Established", "--timeout=3s")
    finally:
        k("delete", "crd", "widgets.example.com")


def custom_resources(k):
    require_in("created", k("apply", *k.unvalidated, "-f", "-", stdin=WIDGETS))
    require_in("widgets", k("api-resources", "--api-group=example.com"))
    apply = ("apply", *k.unvalidated, "-f", "-")
    require_in("widget.example.com/one created", k(*apply, stdin=widget("one")))
    require_in("unchanged", k(*apply, stdin=widget("one")))
    require_in("configured", k(*apply, stdin=widget("one", size=2)))
    require_in("one", k("get", "wd", "-n", "shop"))
    require_equal(k("get", "widget", "one", "-n", "shop", "-o", "jsonpath={.spec.size}"), "2", "size")
    k("apply", "--server-side", *k.unvalidated, "-f", "-", stdin=widget("two"))
    k("patch", "wd", "two", "-n", "shop", "--type=merge", "-p", '{"spec":{"size":7}}')
    require_in("Size:", k("describe", "widget", "two", "-n", "shop"))
    k("delete", "widgets", "--all", "-n", "shop")
    k("apply", *k.unvalidated, "-f", "-", stdin=widget("three"))
    k("delete", "crd", "widgets.example.com")
    require_in("the server doesn't have a resource type", k("get", "widgets", "-n", "shop", code=1))


def cordon_and_uncordon(k):
    require_in("cordoned", k("cordon", "node1"))
    require_in("SchedulingDisabled", k("get", "node", "node1"))
    require_in("uncordoned", k("uncordon", "node1"))
    require("SchedulingDisabled" not in k("get", "node", "node1"), "still cordoned")


def taint_and_untaint(k):
    require_in("tainted", k("taint", "node", "node2", "for=tests:NoSchedule"))
    require_equal(k.get_json("node", "node2")["spec"]["taints"],
                  [{"key": "for", "value": "tests", "effect": "NoSchedule"}], "taints")
    require_in("untainted", k("taint", "node", "node2", "for-"))
    require("taints" not in k.get_json("node", "node2")["spec"], "the taint is still there")


def expose_a_pod(k):
    require_in("exposed", k("expose", "pod", "db-0", "-n", "shop", "--port=5432", "--name=exposed"))
    eventually(lambda: "5432" in k("get", "endpointslices", "-n", "shop", "-l", "kubernetes.io/service-name=exposed"),
               "an EndpointSlice with the port", 5, 0.3)
    k("delete", "service", "exposed", "-n", "shop")


def top_is_refused(k):
    require_in("Metrics API not available", k("top", "pods", "-A", code=1))


def an_unknown_field_is_refused(k):
    if k.lacks_its_openapi:
        raise Skipped("this kubectl validates by itself, with a document that the server doesn't have")
    wrong = policy("mistyped")
    wrong["spec"]["podSelectors"] = {}
    for command in ("apply", "create"):
        require_in('unknown field "spec.podSelectors"', k(command, "-f", "-", stdin=wrong, code=1), command)
    require_in("unknown field", k("apply", "--validate=warn", "-f", "-", stdin=wrong, code=None) +
               k("apply", "--server-side", "-f", "-", stdin=wrong, code=1))
    k("delete", "netpol", "mistyped", "-n", "quiet", "--ignore-not-found")
    require_in("created", k("apply", "--validate=false", "-f", "-", stdin=wrong))
    require("podSelectors" not in k.get_json("netpol", "mistyped", "-n", "quiet")["spec"], "the field was stored")
    k("delete", "netpol", "mistyped", "-n", "quiet")


def a_field_that_is_there_twice_is_refused(k):
    text = """{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"twice","namespace":"quiet"},
      "spec":{"podSelector":{},"policyTypes":["Ingress"],"policyTypes":["Egress"]}}"""
    # In YAML, kubectl refuses it itself. In JSON it keeps one of the two.
    path = "/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies?fieldValidation=Strict"
    code, _, answer = k.server.ask("POST", path, text.encode(), "application/json")
    require(code == 400 and "policyTypes" in answer["message"], f"{code} {shortened(answer)}")


def an_invalid_object_is_refused(k):
    wrong = policy("invalid")
    wrong["spec"]["ingress"] = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}]
    text = k("apply", "--validate=false", "-f", "-", stdin=wrong, code=1)
    require_in("is invalid", text)
    require_in("spec.ingress[0].from[0].ipBlock.cidr", text)


def auth_can_i_is_refused_clearly(k):
    k("auth", "can-i", "get", "pods", code=1)


def many_commands_at_once(k):
    failures = []

    def read():
        try:
            k("get", "pods,svc,netpol,nodes", "-A")
        except Failed as why:
            failures.append(str(why))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    require(not failures, f"{failures[:1]}")


def an_end_by_interrupt_removes_the_kubeconfig(k):
    require_equal(k.server.interrupt(), 0, "exit code")
    require(not os.path.exists(k.server.kubeconfig), "the kubeconfig is still there")


SCENARIOS = [
    the_kubeconfig_is_for_its_owner_alone, version_names_the_server, api_resources_come_from_the_aggregated_list,
    api_versions_names_every_group, api_resources_can_be_chosen, explain_is_refused, cluster_info_names_the_address,
    get_pods_of_all_namespaces, get_two_types_at_once, get_all_of_a_namespace, get_of_an_empty_namespace, get_wide,
    get_with_labels_shown, get_yaml, get_json, get_names, get_custom_columns, get_jsonpath, get_sorted, get_in_pages,
    get_by_name, get_of_a_missing_one_fails, get_of_an_unknown_type_fails, get_with_label_selectors,
    get_with_field_selectors, get_raw, get_events, get_watch_prints_a_change, get_watch_of_objects_prints_what_changes,
    apply_creates_then_does_nothing_then_changes, apply_keeps_what_others_wrote,
    apply_of_a_deployment_twice_is_unchanged, apply_on_the_server_sees_conflicts,
    apply_on_the_server_removes_what_is_no_longer_applied, apply_of_many_objects, apply_of_a_list, apply_dry_run_stores_nothing,
    create_fails_if_it_exists, create_with_a_generated_name, create_in_a_missing_namespace_fails,
    create_by_name_works_or_is_refused_as_protobuf, replace_changes_the_object, label_and_annotate, patch_in_three_forms,
    patch_of_the_status, scale_and_roll_out, set_image_and_undo, delete_waits_until_it_is_gone, delete_at_once,
    delete_all_of_a_type, delete_of_files, delete_of_a_namespace_takes_all_with_it, wait_for_a_condition,
    wait_for_a_deletion, describe_every_kind, diff_tells_of_a_change_by_its_exit_code, a_new_type_is_established,
    custom_resources, cordon_and_uncordon, taint_and_untaint, expose_a_pod, top_is_refused,
    an_unknown_field_is_refused, a_field_that_is_there_twice_is_refused, an_invalid_object_is_refused,
    auth_can_i_is_refused_clearly, many_commands_at_once,
]


def main():
    (program, kubectl), wanted = main_arguments("kubectl.py PROGRAM KUBECTL", 2)
    report = Report(wanted)
    with Server(program) as server:
        k = Kubectl(kubectl, server)
        print(f"kubectl {k.version[0]}.{k.version[1]}", flush=True)
        for scenario in SCENARIOS:
            report.run(scenario, k)
        report.run(an_end_by_interrupt_removes_the_kubeconfig, k)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
