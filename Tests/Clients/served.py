"""What the client tests share: a served world, plain HTTP, and the report of scenarios. Standard library only."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

WORLD = """\
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: kubernetes}
spec: {cidrs: [10.43.0.0/16]}
""" + "".join(
    f"""---
apiVersion: v1
kind: Node
metadata: {{name: node{number}, labels: {{kubernetes.io/hostname: node{number}}}}}
spec: {{podCIDR: 10.42.{number}.0/24, podCIDRs: [10.42.{number}.0/24]}}
status: {{addresses: [{{type: InternalIP, address: 192.168.20.1{number}}}]}}
"""
    for number in (1, 2, 3)
) + """\
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: quiet}
""" + "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{namespace: shop, name: {name}, labels: {{app: {app}, tier: {tier}}}}}
spec:
  nodeName: {node}
  containers:
  - name: main
    image: registry.example/{app}:1
    ports: [{{name: http, containerPort: {port}}}]
"""
    for name, app, tier, node, port in (
        ("web-0", "web", "front", "node1", 8080),
        ("web-1", "web", "front", "node2", 8080),
        ("api-0", "api", "back", "node2", 9090),
        ("db-0", "db", "back", "node3", 5432),
        ("cache-0", "cache", "back", "node3", 6379),
    )
) + """\
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: shop, name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: api}}}]
    ports: [{port: 5432}]
"""

POD_COUNT = 5


class Skipped(Exception):
    """Why a scenario can't be tried here."""


class Failed(Exception):
    """What a scenario found wrong."""


def require(condition, why):
    if not condition:
        raise Failed(why)


def require_equal(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {shortened(found)} instead of {shortened(wanted)}")


def shortened(value, length=400):
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length] + "…"


def end(process, seconds=5):
    """Ends a process that this program started, if it still runs."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def eventually(condition, what, seconds=10.0, pause=0.02):
    """The first true value of a condition, tried again until the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:g} s: {what}")
        time.sleep(pause)


class Report:
    """Runs scenarios one after another, and says on one line how each ended."""

    def __init__(self, wanted=()):
        self.wanted = list(wanted)
        self.counts = {"ok": 0, "failed": 0, "skipped": 0}

    def run(self, scenario, *arguments, seconds=90):
        """A scenario's name is its function's, its time is bounded."""
        name = scenario.__name__.replace("_", " ")
        if self.wanted and not any(part in name for part in self.wanted):
            return
        outcome = []

        def body():
            try:
                scenario(*arguments)
                outcome.append(("ok", ""))
            except Skipped as why:
                outcome.append(("skipped", str(why)))
            except Failed as why:
                outcome.append(("FAIL", str(why)))
            except Exception as error:  # A client's own exception is a finding like any other.
                last = traceback.extract_tb(error.__traceback__)
                own = [f for f in last if os.path.dirname(f.filename) == os.path.dirname(os.path.abspath(__file__))]
                place = f" (line {own[-1].lineno})" if own else ""
                outcome.append(("FAIL", shortened(f"{type(error).__name__}: {error}{place}")))

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        thread.join(seconds)
        kind, why = outcome[0] if outcome else ("FAIL", f"not done after {seconds} s")
        self.counts["failed" if kind == "FAIL" else kind] += 1
        print(f"{kind} {name}: {shortened(why, 900)}" if why else f"{kind} {name}", flush=True)

    def end(self):
        counts = self.counts
        print(f"{counts['ok']} ok, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
        return 1 if counts["failed"] else 0


class Server:
    """A running `serve-api`, in a temporary folder of its own."""

    def __init__(self, program, *options, world=WORLD, port=0):
        self.folder = tempfile.mkdtemp(prefix="netpol-clients-")
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        self.world = os.path.join(self.folder, "world.yaml")
        self.process = None
        try:
            with open(self.world, "w", encoding="utf-8") as file:
                file.write(world)
            self.errors = open(os.path.join(self.folder, "errors"), "w+", encoding="utf-8")
            self.process = subprocess.Popen(
                [program, "serve-api", "-f", self.world, "--kubeconfig", self.kubeconfig, "--port", str(port),
                 "--bind-delay", "5", "--start-delay", "20", "--stop-delay", "20", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors, cwd=self.folder,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def _wait_until_ready(self):
        def address():
            if self.process.poll() is not None:
                raise Failed(f"the server ended with {self.process.returncode}: {self.told()}")
            with contextlib.suppress(FileNotFoundError):
                with open(self.kubeconfig, encoding="utf-8") as file:
                    return re.search(r'server: "?(http://127\.0\.0\.1:(\d+)(/[^"\s}]+))', file.read())
            return None

        found = eventually(address, "the kubeconfig is there", 30)
        self.url, self.port, self.prefix = found[1], int(found[2]), found[3]

    def told(self):
        """What the server has written on standard error."""
        with open(self.errors.name, encoding="utf-8") as file:
            return shortened(file.read())

    def interrupt(self):
        """Ends the server as Ctrl-C does. Its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise Failed("the server didn't end within 10 s of SIGINT") from None

    def close(self):
        """Ends the server if it still runs, and removes its folder."""
        if self.process is not None:
            end(self.process)
        if getattr(self, "errors", None):
            self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Plain HTTP, for what a scenario needs beside its client.

    def connection(self, seconds=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def ask(self, method, path, body=None, content_type=None, accept="application/json", prefix=None, headers=None):
        """One request on a connection of its own. Code, headers, and the body (decoded if it is JSON)."""
        connection = self.connection()
        try:
            connection.putrequest(method, (self.prefix if prefix is None else prefix) + path)
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            if accept:
                connection.putheader("Accept", accept)
            if content_type:
                connection.putheader("Content-Type", content_type)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            response = connection.getresponse()
            text = response.read()
            try:
                answer = json.loads(text)
            except ValueError:
                answer = text.decode("utf-8", "replace")
            return response.status, response.headers, answer
        finally:
            connection.close()

    def get(self, path):
        code, _, answer = self.ask("GET", path)
        require(code == 200, f"GET {path}: {code} {shortened(answer)}")
        return answer

    def create(self, path, body):
        code, _, answer = self.ask("POST", path, body, "application/json")
        require(code == 201, f"POST {path}: {code} {shortened(answer)}")
        return answer

    def merge(self, path, body):
        code, _, answer = self.ask("PATCH", path, body, "application/merge-patch+json")
        require(code == 200, f"PATCH {path}: {code} {shortened(answer)}")
        return answer

    def delete(self, path):
        code, _, answer = self.ask("DELETE", path)
        require(code in (200, 202), f"DELETE {path}: {code} {shortened(answer)}")
        return answer


def pod(name, namespace="shop", **labels):
    """A small pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/test:1"}]},
    }


def policy(name, namespace="quiet", **labels):
    """A policy that denies what goes in. No controller of the server touches it."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"made": "test"}},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }


WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def widget(name, namespace="shop", size=1):
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"size": size},
    }


def main_arguments(usage, count):
    """The first arguments, and the parts of names that choose scenarios."""
    if len(sys.argv) <= count or sys.argv[1] in ("-h", "--help"):
        print(f"usage: python3 {usage} [PART-OF-A-SCENARIO'S-NAME ...]", file=sys.stderr)
        sys.exit(2)
    return [os.path.abspath(sys.argv[1]), *sys.argv[2:count + 1]], sys.argv[count + 1:]
