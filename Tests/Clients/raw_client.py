#!/usr/bin/env python3
"""`serve-api` over plain sockets, as client-go asks: python3 raw_client.py PROGRAM

Standard library only, so that every byte of a request and the moment of every answer are known.
"""

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from urllib.parse import quote

from served import (POD_COUNT, WORLD, Failed, Report, Server, eventually, main_arguments, pod, policy, require,
                    require_equal, shortened)

GO_HEADERS = (
    "Accept: application/vnd.kubernetes.protobuf,application/json\r\n"
    "Accept-Encoding: gzip\r\nUser-Agent: kube-router/v2.11.1 (linux/amd64) kubernetes/$Format\r\n"
)
WATCHED = {
    "/api/v1/pods": ("Pod", "v1"),
    "/api/v1/nodes": ("Node", "v1"),
    "/api/v1/namespaces": ("Namespace", "v1"),
    "/api/v1/services": ("Service", "v1"),
    "/apis/networking.k8s.io/v1/networkpolicies": ("NetworkPolicy", "networking.k8s.io/v1"),
    "/apis/discovery.k8s.io/v1/endpointslices": ("EndpointSlice", "discovery.k8s.io/v1"),
}
POLICIES = "/apis/networking.k8s.io/v1/namespaces/quiet/networkpolicies"
WATCH_LIST = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"


class Connection:
    """An HTTP/1.1 connection whose answers are read piece by piece."""

    def __init__(self, server, seconds=20, receive_buffer=None):
        self.server = server
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def reset(self):
        """Closes with RST, whatever is on its way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, method, path, body=b"", headers=GO_HEADERS, prefix=None):
        prefix = self.server.prefix if prefix is None else prefix
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.socket.sendall(
            f"{method} {prefix}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{length}\r\n".encode() + body)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        """The code and the headers of the next answer."""
        status = self.line().split(" ", 2)
        require(status[0] == "HTTP/1.1", f"status line {status}")
        headers = {}
        while line := self.line():
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        return int(status[1]), headers

    def chunks(self):
        """The chunks until the last one."""
        while True:
            size = int(self.line().split(";")[0], 16)
            data = self.exactly(size)
            require_equal(self.line(), "", "end of a chunk")
            if size == 0:
                return
            yield data

    def answer(self, has_body=True):
        """A whole answer: code, headers, body (decoded if it is JSON)."""
        code, headers = self.head()
        if not has_body:
            return code, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(self.chunks())
        else:
            body = self.exactly(int(headers["content-length"]))
        with contextlib.suppress(ValueError):
            body = json.loads(body)
        return code, headers, body

    def ask(self, method, path, body=None, headers=GO_HEADERS):
        if body is not None:
            headers += "Content-Type: application/json\r\n"
            body = json.dumps(body).encode()
        self.send(method, path, body or b"", headers)
        return self.answer(has_body=method != "HEAD")


class Watch:
    """A running watch and its events."""

    def __init__(self, server, path, query="watch=true", receive_buffer=None, seconds=20):
        self.connection = Connection(server, seconds, receive_buffer)
        self.connection.send("GET", f"{path}?{query}")
        self.code, self.headers = self.connection.head()
        if self.code != 200:
            body = self.connection.exactly(int(self.headers["content-length"]))
            self.refusal = json.loads(body)
            return
        require_equal(self.headers.get("transfer-encoding"), "chunked", "transfer-encoding of a watch")
        require_equal(self.headers["content-type"].split(";")[0], "application/json", "content-type of a watch")
        self.rest = b""
        self.stream = self.connection.chunks()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.socket.close()

    def __iter__(self):
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                yield json.loads(line)
            chunk = next(self.stream, None)
            if chunk is None:
                require_equal(self.rest, b"", "half an event at the end")
                return
            self.rest += chunk

    def take(self, count):
        events = []
        for event in self:
            events.append(event)
            if len(events) == count:
                return events
        raise Failed(f"the watch ended after {len(events)} of {count} events")

    def until(self, condition):
        """All events up to the first that meets a condition."""
        events = []
        for event in self:
            events.append(event)
            if condition(event):
                return events
        raise Failed(f"the watch ended before what was awaited: {len(events)} events, the last {shortened(events[-1:])}")


def watching(server, path, query, **options):
    watch = Watch(server, path, query, **options)
    if watch.code != 200:
        raise Failed(f"GET {path}?{query}: {watch.code} {shortened(watch.refusal)}")
    return watch


def name_of(event):
    return event["object"]["metadata"]["name"]


def version_of(thing):
    return int(thing["metadata"]["resourceVersion"])


def is_initial_end(event):
    annotations = event["object"]["metadata"].get("annotations") or {}
    return event["type"] == "BOOKMARK" and annotations.get("k8s.io/initial-events-end") == "true"


def newest_version(server):
    return version_of(server.get("/api/v1/nodes"))


def require_status(answer, code, reason, what):
    found, headers, body = answer[0], answer[1], answer[2]
    require(found == code, f"{what}: {found} {shortened(body)} (wanted {code})")
    require(isinstance(body, dict) and body.get("kind") == "Status", f"{what}: no Status: {shortened(body)}")
    require_equal((body.get("code"), body.get("reason"), body.get("status")), (code, reason, "Failure"), what)
    require(body.get("message"), f"{what}: no message")
    del headers


# What the policy controller asks

def six_watches_begin_with_all_objects_and_the_bookmark(server):
    watches = {path: watching(server, path, f"{WATCH_LIST}&timeout=5m20s&timeoutSeconds=320") for path in WATCHED}
    try:
        for path, watch in watches.items():
            kind, api_version = WATCHED[path]
            events = watch.until(is_initial_end)
            require(all(event["type"] == "ADDED" for event in events[:-1]), f"{path}: {[e['type'] for e in events]}")
            for event in events:
                require_equal((event["object"].get("kind"), event["object"].get("apiVersion")), (kind, api_version),
                              f"{path}: kind")
                require(version_of(event["object"]) > 0, f"{path}: no resourceVersion")
            require_equal(set(events[-1]["object"]), {"kind", "apiVersion", "metadata"}, f"{path}: bookmark")
            names = [name_of(event) for event in events[:-1]]
            require_equal(len(names), len(set(names)), f"{path}: names {names}")
            if path.endswith("/pods"):
                require_equal(len(names), POD_COUNT, "pods")
            for event in events[:-1]:
                made = event["object"]["metadata"]
                require(made.get("uid"), f"{path}: no uid")
                newest = version_of(events[-1]["object"])
                require(version_of(event["object"]) <= newest, f"{path}: newer than the bookmark")
        server.create("/api/v1/namespaces/shop/pods", pod("late"))
        events = watches["/api/v1/pods"].until(lambda event: event["object"].get("status", {}).get("podIP"))
        require_equal({name_of(event) for event in events}, {"late"}, "changed pods")
        require_equal(events[0]["type"], "ADDED", "first event")
        code, _, node = server.ask("GET", "/api/v1/nodes/node1")
        require(code == 200 and node["spec"]["podCIDR"] == "10.42.1.0/24", f"node1: {code} {shortened(node)}")
        require_equal(server.ask("GET", "/api/v1/nodes/other")[0], 404, "a node that isn't there")
    finally:
        for watch in watches.values():
            watch.connection.socket.close()
        server.delete("/api/v1/namespaces/shop/pods/late")


def a_type_without_objects_gets_the_bookmark_too(server):
    for path in ("/api/v1/namespaces/quiet/pods", POLICIES, "/apis/batch/v1/cronjobs"):
        with watching(server, path, WATCH_LIST + "&timeoutSeconds=300") as watch:
            event = watch.take(1)[0]
            require(is_initial_end(event), f"{path}: {shortened(event)}")
            require(version_of(event["object"]) > 0, f"{path}: {shortened(event)}")


def headers_come_before_the_first_event(server):
    with Connection(server, 3) as connection:
        connection.send("GET", f"{POLICIES}?watch=true&resourceVersion={newest_version(server)}&timeoutSeconds=300")
        begin = time.monotonic()
        code, headers = connection.head()
        require_equal(code, 200, "code")
        require("content-length" not in headers, f"headers {headers}")
        require(time.monotonic() - begin < 1, "headers came after more than a second")


def fields_that_the_controller_reads_are_there(server):
    made = server.get("/api/v1/namespaces/shop/pods/web-0")
    require_equal(made["spec"]["containers"][0]["ports"][0], {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                  "port of a pod")
    for field in ("phase", "hostIP", "podIP", "podIPs"):
        require(made["status"].get(field), f"no status.{field}")
    rules = server.get("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/db")["spec"]
    require_equal(rules["policyTypes"], ["Ingress"], "policyTypes")
    require_equal(rules["ingress"][0]["ports"], [{"port": 5432, "protocol": "TCP"}], "ports of a policy")
    labels = server.get("/api/v1/namespaces/shop")["metadata"]["labels"]
    require_equal(labels.get("kubernetes.io/metadata.name"), "shop", "label of the namespace")


def a_list_and_a_watch_have_no_gap_between(server):
    """Requests 10 and 11, with changes between the two."""
    with Connection(server) as connection:
        code, _, pods = connection.ask("GET", "/api/v1/pods?limit=500&resourceVersion=0")
        require_equal((code, pods["kind"], pods["apiVersion"]), (200, "PodList", "v1"), "list")
        # One that another scenario deleted may still be there.
        require(len(pods["items"]) >= POD_COUNT, f"{len(pods['items'])} pods")
        empty = connection.ask("GET", f"{POLICIES}?limit=500&resourceVersion=0")[2]
        require(version_of(empty) > 0 and empty["items"] == [], f"empty list: {shortened(empty)}")
        server.create(POLICIES, policy("between"))
        server.merge(f"{POLICIES}/between", {"metadata": {"labels": {"made": "again"}}})
        server.delete(f"{POLICIES}/between")
        query = f"watch=true&allowWatchBookmarks=true&resourceVersion={version_of(empty)}&timeoutSeconds=300"
        with watching(server, POLICIES, query) as watch:
            events = watch.take(3)
        require_equal([event["type"] for event in events], ["ADDED", "MODIFIED", "DELETED"], "events")
        versions = [version_of(event["object"]) for event in events]
        require(version_of(empty) < versions[0] < versions[1] < versions[2], f"versions {versions}")
        require_equal(events[2]["object"]["metadata"]["labels"], {"made": "again"}, "last state")


def a_rewatch_begins_after_its_version(server):
    before = newest_version(server)
    made = [server.create(POLICIES, policy(f"again-{number}")) for number in range(3)]
    query = f"watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={version_of(made[0])}"
    with watching(server, POLICIES, query) as watch:
        require_equal([name_of(event) for event in watch.take(2)], ["again-1", "again-2"], "events")
    with watching(server, POLICIES, f"{WATCH_LIST}&resourceVersion={before}&timeoutSeconds=300") as watch:
        events = watch.until(is_initial_end)
        require_equal(sorted(name_of(event) for event in events[:-1]), ["again-0", "again-1", "again-2"], "re-list")
        require(version_of(events[-1]["object"]) >= version_of(made[2]), "the bookmark is older than an object")
    for query in ("watch=true", "watch=1&resourceVersion=0"):
        with watching(server, POLICIES, query) as watch:
            events = watch.take(3)
            require_equal({event["type"] for event in events}, {"ADDED"}, query)
            require_equal(sorted(name_of(event) for event in events), ["again-0", "again-1", "again-2"], query)
    for each in made:
        server.delete(f"{POLICIES}/{each['metadata']['name']}")


def pages_are_one_snapshot(server):
    for number in range(7):
        server.create(POLICIES, policy(f"page-{number}"))
    try:
        names, token, versions, remaining = [], "", set(), []
        while True:
            code, _, page = server.ask("GET", f"{POLICIES}?limit=3" + (f"&continue={quote(token)}" if token else ""))
            require_equal(code, 200, f"page {shortened(page)}")
            names += [item["metadata"]["name"] for item in page["items"]]
            versions.add(version_of(page))
            remaining.append(page["metadata"].get("remainingItemCount"))
            token = page["metadata"].get("continue")
            if not token:
                break
            if len(names) == 3:
                server.create(POLICIES, policy("page-35"))
                server.delete(f"{POLICIES}/page-5")
        require_equal(names[:3], ["page-0", "page-1", "page-2"], "first page")
        require_equal(names, [f"page-{number}" for number in range(7)], "all pages")
        require_equal(len(versions), 1, "versions of the pages")
        require_equal(remaining, [4, 1, None], "remainingItemCount")
        code, _, answer = server.ask("GET", f"{POLICIES}?limit=3&continue=nonsense")
        require(code in (400, 410), f"a token that isn't one: {code} {shortened(answer)}")
    finally:
        server.ask("DELETE", POLICIES)


def a_refused_watch_list_says_422(program):
    with Server(program, "--watch-list", "refuse") as server:
        for path in WATCHED:
            watch = Watch(server, path, WATCH_LIST + "&timeoutSeconds=300")
            require(watch.code == 422, f"{path}: {watch.code}")
            require_equal((watch.refusal["kind"], watch.refusal["reason"], watch.refusal["code"]),
                          ("Status", "Invalid", 422), path)
            watch.connection.socket.close()
        version = newest_version(server)
        with watching(server, POLICIES, f"watch=true&allowWatchBookmarks=true&resourceVersion={version}") as watch:
            server.create(POLICIES, policy("seen"))
            require_equal(name_of(watch.take(1)[0]), "seen", "event")


# How a watch ends

def a_watch_ends_at_its_timeout_and_the_connection_goes_on(server):
    version = newest_version(server)
    begin = time.monotonic()
    with watching(server, POLICIES, f"watch=true&resourceVersion={version}&timeoutSeconds=1") as watch:
        require_equal(list(watch), [], "events")
        seconds = time.monotonic() - begin
        require(0.9 < seconds < 3, f"ended after {seconds:.2f} s")
        code, _, answer = watch.connection.ask("GET", "/api/v1/nodes")
        require(code == 200 and len(answer["items"]) == 3, f"next request: {code}")
        watch.connection.send("GET", f"{POLICIES}?watch=true&resourceVersion={version}&timeoutSeconds=1")
        require_equal(watch.connection.head()[0], 200, "second watch")
        require_equal(b"".join(watch.connection.chunks()), b"", "second watch")


def watches_in_a_row_lose_nothing(server):
    """Short watches one after another, while another client changes something 100 times a second."""
    count = 150
    stop = threading.Event()

    def change():
        with Connection(server) as connection:
            for number in range(count):
                if stop.is_set():
                    return
                connection.ask("POST", POLICIES, policy(f"row-{number}"))
                time.sleep(0.01)

    version = newest_version(server)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        seen, watches, end = [], 0, time.monotonic() + 30
        while len(seen) < count and time.monotonic() < end:
            watches += 1
            with watching(server, POLICIES, f"watch=true&resourceVersion={version}&timeoutSeconds=1") as watch:
                for event in watch:
                    seen.append(name_of(event))
                    version = version_of(event["object"])
                    if len(seen) == count:
                        break
        require_equal(seen, [f"row-{number}" for number in range(count)], f"events of {watches} watches")
        require(watches > 1, "one watch was enough")
    finally:
        stop.set()
        thread.join(20)
        server.ask("DELETE", POLICIES)


def a_reset_in_the_middle_of_an_event_loses_nothing(server):
    version = newest_version(server)
    count, seen = 40, []
    for attempt in range(4):
        watch = watching(server, POLICIES, f"watch=true&resourceVersion={version}&timeoutSeconds=300")
        if attempt == 0:
            for number in range(count):
                server.create(POLICIES, policy(f"reset-{number}", text="x" * 63))
        for event in watch.take(3 + attempt):
            seen.append(name_of(event))
            version = version_of(event["object"])
        # Some events are on their way, and the last one that arrived may be a half.
        watch.connection.reset()
    with watching(server, POLICIES, f"watch=true&resourceVersion={version}&timeoutSeconds=300") as watch:
        seen += [name_of(event) for event in watch.take(count - len(seen))]
    require_equal(seen, [f"reset-{number}" for number in range(count)], "events")
    require_equal(server.ask("GET", "/healthz")[0], 200, "the server goes on")
    server.ask("DELETE", POLICIES)


def a_reader_that_stops_does_not_stop_the_others(server):
    version = newest_version(server)
    query = f"watch=true&resourceVersion={version}&timeoutSeconds=300"
    large = {"metadata": {"annotations": {"text": "x" * 100_000}}}
    server.create(POLICIES, policy("large"))
    with watching(server, POLICIES, query, receive_buffer=4096) as stopped, watching(server, POLICIES, query) as reader:
        count, slowest = 150, 0.0
        events = iter(reader)
        next(events)
        with Connection(server) as connection:
            for number in range(count):
                large["metadata"]["annotations"]["number"] = str(number)
                body = json.dumps(large).encode()
                connection.send("PATCH", f"{POLICIES}/large", body,
                                GO_HEADERS + "Content-Type: application/merge-patch+json\r\n")
                begin = time.monotonic()
                event = next(events)
                slowest = max(slowest, time.monotonic() - begin)
                require_equal(event["object"]["metadata"]["annotations"]["number"], str(number), "event")
                require_equal(connection.answer()[0], 200, "change")
        require(slowest < 1, f"the slowest event took {slowest:.2f} s")
        # What was not read is still there, or the watch says that it can't go on.
        numbers = []
        for event in stopped:
            if event["type"] == "ERROR":
                require_equal(event["object"]["code"], 410, "end of a watch that fell behind")
                break
            numbers.append(event["object"]["metadata"].get("annotations", {}).get("number"))
            if numbers[-1] == str(count - 1):
                break
        require_equal(numbers[1:], [str(number) for number in range(len(numbers) - 1)], "events of the slow reader")
    server.delete(f"{POLICIES}/large")


def six_watchers_see_the_same_order(server):
    count, failures, seen = 500, [], [[] for _ in range(6)]
    version = newest_version(server)
    watches = [watching(server, POLICIES, f"watch=true&resourceVersion={version}&timeoutSeconds=300")
               for _ in range(6)]

    def read(index):
        try:
            for event in watches[index]:
                seen[index].append((version_of(event["object"]), event["type"], name_of(event)))
                if len(seen[index]) == count:
                    return
        except Exception as error:
            failures.append(f"watcher {index}: {error!r}")

    def change(part):
        """Two changes and a deletion of each: 4 writers at once."""
        try:
            with Connection(server) as connection:
                for number in range(count // 4):
                    name = f"order-{part}-{number // 3 if number < count // 4 - 2 else number}"
                    step = number % 3 if number < count // 4 - 2 else 0
                    if step == 0:
                        code = connection.ask("POST", POLICIES, policy(name))[0]
                    elif step == 1:
                        body = json.dumps({"metadata": {"labels": {"step": "1"}}}).encode()
                        connection.send("PATCH", f"{POLICIES}/{name}", body,
                                        GO_HEADERS + "Content-Type: application/merge-patch+json\r\n")
                        code = connection.answer()[0]
                    else:
                        code = connection.ask("DELETE", f"{POLICIES}/{name}")[0]
                    require(code in (200, 201), f"change {number}: {code}")
        except Exception as error:
            failures.append(f"writer {part}: {error!r}")

    threads = [threading.Thread(target=read, args=(index,)) for index in range(6)]
    threads += [threading.Thread(target=change, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    for watch in watches:
        watch.connection.socket.close()
    server.ask("DELETE", POLICIES)
    require(not failures, "; ".join(failures[:2]))
    require_equal([len(each) for each in seen], [count] * 6, "events")
    require(all(each == seen[0] for each in seen), "not all saw the same order")
    versions = [version for version, _, _ in seen[0]]
    require(all(a < b for a, b in zip(versions, versions[1:])), "versions don't rise")


def selectors_turn_changes_into_additions_and_deletions(server):
    version = newest_version(server)
    selector = quote("made in (wanted,also),!not")
    require("%" in selector, "the selector isn't encoded")
    query = f"watch=true&resourceVersion={version}&timeoutSeconds=300&labelSelector={selector}"
    with watching(server, POLICIES, query) as watch:
        for made in ("no", "wanted", "also", "no"):
            if made == "no" and version is not None:
                server.create(POLICIES, policy("turning", made="no"))
                version = None
            else:
                server.merge(f"{POLICIES}/turning", {"metadata": {"labels": {"made": made}}})
        events = watch.take(3)
        require_equal([event["type"] for event in events], ["ADDED", "MODIFIED", "DELETED"], "events")
    server.delete(f"{POLICIES}/turning")
    pods = server.get(f"/api/v1/pods?fieldSelector={quote('spec.nodeName=node2,metadata.name!=web-1')}")
    require_equal([item["metadata"]["name"] for item in pods["items"]], ["api-0"], "field selector")
    pods = server.get("/api/v1/pods?labelSelector=app%20in%20%28web%2Cdb%29")
    require_equal(len(pods["items"]), 3, "label selector")
    pods = server.get("/api/v1/pods?labelSelector=app+in+(web,db)")
    require_equal(len(pods["items"]), 3, "label selector with plus signs")


def selectors_that_cannot_be_read_get_400(server):
    wrong = []
    for kind, text in (("label", "a=b=c"), ("label", "app in (web"), ("label", "app in web"), ("label", "=web"),
                       ("label", "app=a b"), ("label", "-app=web"), ("label", "app,"), ("label", "app ! web"),
                       ("field", "spec.none=1"), ("field", "spec.nodeName"), ("field", "metadata.name in (a)")):
        code, _, answer = server.ask("GET", f"/api/v1/pods?{kind}Selector={quote(text)}")
        if code != 400 or answer.get("reason") != "BadRequest":
            wrong.append(f"{kind}Selector {text!r}: {code}")
    require(not wrong, ", ".join(wrong))


def plain_bookmarks_come_about_once_a_minute(server):
    version = newest_version(server)
    with watching(server, "/apis/batch/v1/cronjobs", f"watch=true&resourceVersion={version}&allowWatchBookmarks=true"
                  "&timeoutSeconds=300", seconds=75) as watch:
        made = server.create(POLICIES, policy("marked"))
        server.delete(f"{POLICIES}/marked")
        event = watch.take(1)[0]
        require_equal((event["type"], event["object"]["kind"], event["object"]["apiVersion"]),
                      ("BOOKMARK", "CronJob", "batch/v1"), "event")
        require("annotations" not in event["object"]["metadata"], f"annotations: {shortened(event)}")
        require(version_of(event["object"]) > version_of(made), "the bookmark's version isn't the newest")


# Resource versions

def a_version_that_is_not_there_yet_gets_410(server):
    version = newest_version(server) + 10**9
    for query in (f"watch=true&resourceVersion={version}&timeoutSeconds=300",
                  f"{WATCH_LIST}&resourceVersion={version}&timeoutSeconds=300"):
        watch = Watch(server, "/api/v1/pods", query)
        if watch.code == 200:
            event = watch.take(1)[0]
            require(event["type"] == "ERROR" and event["object"]["code"] == 410, f"{query}: {shortened(event)}")
        else:
            require_equal((watch.code, watch.refusal["reason"]), (410, "Expired"), query)
        watch.connection.socket.close()
    answer = server.ask("GET", f"/api/v1/pods?resourceVersion={version}")
    require(answer[0] in (410, 504), f"list: {answer[0]} {shortened(answer[2])}")
    require_status(server.ask("GET", "/api/v1/pods?watch=true&resourceVersion=abc"), 400, "BadRequest", "not a number")


def a_version_from_long_ago_gets_410(server):
    for query in ("watch=true&resourceVersion=1&timeoutSeconds=300",):
        watch = Watch(server, "/api/v1/pods", query)
        if watch.code == 200:
            event = watch.take(1)[0]
            require(event["type"] == "ERROR" and event["object"]["code"] == 410, f"{query}: {shortened(event)}")
        else:
            require_equal((watch.code, watch.refusal["reason"]), (410, "Expired"), query)
        watch.connection.socket.close()


def versions_never_fall_over_a_restart(program):
    with Server(program) as first:
        before = newest_version(first)
        uid = first.get("/api/v1/namespaces/shop/pods/web-0")["metadata"]["uid"]
        for number in range(50):
            first.create(POLICIES, policy(f"old-{number}"))
        last = newest_version(first)
        first.interrupt()
    require(last > before, "versions don't rise")
    with Server(program) as second:
        begin = newest_version(second)
        require(begin > last, f"began at {begin}, below {last}")
        for version in (before, last):
            watch = Watch(second, "/api/v1/pods", f"watch=true&resourceVersion={version}&timeoutSeconds=300")
            if watch.code == 200:
                event = watch.take(1)[0]
                require(event["type"] == "ERROR" and event["object"]["code"] == 410, f"watch: {shortened(event)}")
            else:
                require_equal((watch.code, watch.refusal["reason"]), (410, "Expired"), "watch from before")
            watch.connection.socket.close()
            with watching(second, "/api/v1/pods", f"{WATCH_LIST}&resourceVersion={version}&timeoutSeconds=300") as watch:
                require_equal(len(watch.until(is_initial_end)) - 1, POD_COUNT, "re-list")
        require(second.get("/api/v1/namespaces/shop/pods/web-0")["metadata"]["uid"] != uid, "the pod's uid is the old one")


# HTTP

def another_path_gets_401(server):
    for prefix in ("", "/" + "0" * 32, server.prefix[:-1], server.prefix + "0", server.prefix.upper()):
        if prefix == server.prefix:
            continue
        for path in ("/api/v1/pods", "/version", "/"):
            answer = server.ask("GET", path, prefix=prefix)
            require_status(answer, 401, "Unauthorized", f"{prefix}{path}")
    code, _, _ = server.ask("POST", POLICIES, policy("secret"), "application/json", prefix="")
    require_equal(code, 401, "POST")
    require_equal(server.ask("GET", f"{POLICIES}/secret")[0], 404, "what was posted")


def head_has_the_headers_alone(server):
    with Connection(server) as connection:
        code, headers, _ = connection.ask("HEAD", "/api/v1/nodes")
        require_equal(code, 200, "code")
        require(int(headers["content-length"]) > 100, f"headers {headers}")
        require_equal(connection.ask("HEAD", "/api/v1/nodes/none")[0], 404, "code of what isn't there")
        code, _, answer = connection.ask("GET", "/api/v1/nodes/node1")
        require(code == 200 and name_of({"object": answer}) == "node1", "next answer")


def unknown_methods_and_paths_are_refused(server):
    for method, path in (("TRACE", "/api/v1/pods"), ("BREW", "/api/v1/pods"), ("PUT", "/api/v1/pods"),
                         ("POST", "/api/v1/nodes/node1"), ("POST", "/version"), ("PATCH", "/api/v1/pods")):
        try:
            with Connection(server) as connection:
                answer = connection.ask(method, path)
        except EOFError:
            raise Failed(f"{method} {path}: the connection was closed without an answer") from None
        if method == "BREW" and answer[0] == 400:
            continue
        require_status(answer, 405, "MethodNotAllowed", f"{method} {path}")
    for path in ("/nothing", "/api/v2", "/api/v1/things", "/apis/none/v1", "/api/v1/namespaces/shop/pods/web-0/none"):
        require_status(server.ask("GET", path), 404, "NotFound", path)


def a_body_that_is_too_large_gets_413(server):
    with Connection(server) as connection:
        large = policy("too-large")
        large["metadata"]["annotations"] = {"text": "x" * (4 << 20)}
        connection.send("POST", POLICIES, json.dumps(large).encode(), GO_HEADERS + "Content-Type: application/json\r\n")
        require_status(connection.answer(), 413, "RequestEntityTooLarge", "4 MiB")
        require_equal(connection.ask("GET", "/version")[0], 200, "next answer")


def bodies_that_cannot_be_read_get_400(server):
    for body in (b"{", b"[1", b"nothing", b"", b"\xff\xfe", b'{"a":1}}'):
        answer = server.ask("POST", POLICIES, body, "application/json")
        require_status(answer, 400, "BadRequest", f"body {body!r}")
    for body in (b"[]", b"null", b"{}", b'"text"', b"7"):
        code, _, answer = server.ask("POST", POLICIES, body, "application/json")
        require(code in (400, 422) and answer["kind"] == "Status", f"body {body!r}: {code} {shortened(answer)}")
    other = policy("other")
    other["kind"] = "Pod"
    require_status(server.ask("POST", POLICIES, other, "application/json"), 400, "BadRequest", "another kind")
    require_status(server.ask("POST", POLICIES, policy("x", "shop"), "application/json"), 400, "BadRequest",
                   "another namespace")
    answer = server.ask("POST", POLICIES, b"k8s\x00\n", "application/vnd.kubernetes.protobuf")
    require_status(answer, 415, "UnsupportedMediaType", "protobuf")
    nested = b"[" * 100_000
    require(server.ask("POST", POLICIES, nested, "application/json")[0] == 400, "deep nesting")
    require_equal(server.ask("GET", "/version")[0], 200, "the server goes on")


def what_go_cannot_decode_is_refused_and_not_served(server):
    def changed(path, value):
        made = pod("undecodable")
        place = made
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        return made

    cases = [
        changed(["metadata", "labels"], {"number": 1}), changed(["metadata", "annotations"], {"yes": True}),
        changed(["metadata", "labels"], ["a"]), changed(["spec", "containers"], [None]),
        changed(["spec", "containers", 0, "ports"], [{"containerPort": "x"}]),
        changed(["spec", "containers", 0, "ports"], [{"containerPort": 1.5}]),
        changed(["spec", "containers", 0, "ports"], [{"containerPort": 2**40}]),
        changed(["spec", "hostNetwork"], "yes"), changed(["spec"], "text"), changed(["spec", "nodeName"], 5),
        changed(["metadata", "ownerReferences"], [{"controller": "x"}]),
        changed(["spec", "containers", 0, "resources"], {"requests": {"cpu": "much"}}),
        changed(["spec", "containers", 0, "resources"], {"requests": {"cpu": ["1"]}}),
        changed(["spec", "containers", 0, "env"], [{"name": "A", "value": 1}]),
        changed(["spec", "containers", 0, "readinessProbe"], {"httpGet": {"port": True}}),
        changed(["spec", "tolerations"], [{"tolerationSeconds": "5"}]),
        changed(["spec", "nodeSelector"], {"zone": 1}),
        changed(["spec", "terminationGracePeriodSeconds"], "30"),
        changed(["spec", "affinity"], []),
        changed(["spec", "volumes"], {"name": "x"}),
        changed(["metadata", "managedFields"], [{"time": "yesterday"}]),
    ]
    wrong = []
    for number, case in enumerate(cases):
        case["metadata"]["name"] = f"undecodable-{number}"
        code, _, answer = server.ask("POST", "/api/v1/namespaces/shop/pods", case, "application/json")
        if code not in (400, 422):
            wrong.append(f"{code} for {shortened({k: v for k, v in case.items() if k[0] in 'ms'}, 250)}")
            server.ask("DELETE", f"/api/v1/namespaces/shop/pods/undecodable-{number}")
    server.create("/api/v1/namespaces/shop/pods", pod("decodable"))
    for body, kind in (({"metadata": {"labels": {"number": 1}}}, "merge-patch"),
                       ({"metadata": {"labels": {"number": 1}}}, "strategic-merge-patch"),
                       ([{"op": "add", "path": "/metadata/labels/number", "value": 1}], "json-patch")):
        code, _, answer = server.ask("PATCH", "/api/v1/namespaces/shop/pods/decodable", body, f"application/{kind}+json")
        if code not in (400, 422):
            wrong.append(f"{code} for {kind} {shortened(body)}")
    for status in ({"startTime": "yesterday"}, {"podIP": 7}, {"conditions": [{"type": "Ready", "status": True}]},
                   {"conditions": [{"type": "X", "status": "True", "lastTransitionTime": "now"}]}, {"podIPs": ["10.42.1.9"]},
                   {"containerStatuses": [{"name": "main", "restartCount": "1"}]}, "text"):
        code, _, answer = server.ask("PATCH", "/api/v1/namespaces/shop/pods/decodable/status", {"status": status},
                                     "application/merge-patch+json")
        if code not in (400, 422):
            wrong.append(f"{code} for status {status}")
    for path, kind, spec in (
        (POLICIES, "networking.k8s.io/v1 NetworkPolicy", {"podSelector": {}, "ingress": [{"ports": [{"port": 1.5}]}]}),
        (POLICIES, "networking.k8s.io/v1 NetworkPolicy", {"podSelector": {"matchLabels": {"a": 1}}}),
        (POLICIES, "networking.k8s.io/v1 NetworkPolicy", {"podSelector": {}, "policyTypes": "Ingress"}),
        ("/api/v1/namespaces/quiet/services", "v1 Service", {"ports": [{"port": "80"}]}),
        ("/api/v1/namespaces/quiet/services", "v1 Service", {"ports": [{"port": 80, "targetPort": True}]}),
        ("/api/v1/namespaces/quiet/services", "v1 Service", {"selector": {"a": 1}, "ports": [{"port": 80}]}),
        ("/apis/coordination.k8s.io/v1/namespaces/quiet/leases", "coordination.k8s.io/v1 Lease", {"renewTime": "now"}),
        ("/api/v1/nodes", "v1 Node", {"podCIDRs": "10.42.9.0/24"}),
    ):
        version, kind = kind.split()
        made = {"apiVersion": version, "kind": kind, "metadata": {"name": "undecodable"}, "spec": spec}
        code, _, answer = server.ask("POST", path, made, "application/json")
        if code not in (400, 422):
            wrong.append(f"{code} for {kind} {spec}")
            server.ask("DELETE", f"{path}/undecodable")
    server.delete("/api/v1/namespaces/shop/pods/decodable")
    require(not wrong, f"{len(wrong)}: " + "; ".join(wrong))
    text = json.dumps(server.get("/api/v1/namespaces/shop/pods"))
    require('"number": 1' not in text and "undecodable" not in text, "such an object is served")


def pipelined_requests_are_answered_in_order(server):
    with Connection(server) as connection:
        requests = "".join(
            f"GET {server.prefix}/api/v1/nodes/{name} HTTP/1.1\r\nHost: x\r\n\r\n"
            for name in ["node1", "node2", "none", "node3"] * 10)
        connection.socket.sendall(requests.encode())
        for index in range(40):
            code, _, answer = connection.answer()
            wanted = ["node1", "node2", None, "node3"][index % 4]
            if wanted is None:
                require_equal(code, 404, f"answer {index}")
            else:
                require_equal((code, answer["metadata"]["name"]), (200, wanted), f"answer {index}")


def accepted_types_are_minded(server):
    code, headers, _ = server.ask("GET", "/api/v1/pods", accept="application/vnd.kubernetes.protobuf,application/json")
    require_equal((code, headers["Content-Type"].split(";")[0]), (200, "application/json"), "protobuf or JSON")
    for accept in ("*/*", "", "application/*", "application/json;as=None;g=none;v=v1,application/json"):
        require_equal(server.ask("GET", "/api/v1/pods", accept=accept)[0], 200, f"Accept {accept!r}")
    answer = server.ask("GET", "/api/v1/pods", accept="application/vnd.kubernetes.protobuf")
    require_status(answer, 406, "NotAcceptable", "protobuf alone")


def a_large_body_waits_for_continue(server):
    with Connection(server) as connection:
        body = json.dumps(policy("continued")).encode()
        connection.socket.sendall(
            f"POST {server.prefix}{POLICIES} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        require_equal(connection.head()[0], 100, "first answer")
        connection.socket.sendall(body)
        require_equal(connection.answer()[0], 201, "second answer")
    server.delete(f"{POLICIES}/continued")


def a_body_in_chunks_is_read(server):
    with Connection(server) as connection:
        body = json.dumps(policy("chunked")).encode()
        connection.socket.sendall(
            f"POST {server.prefix}{POLICIES} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for begin in range(0, len(body), 50):
            part = body[begin:begin + 50]
            connection.socket.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.socket.sendall(b"0\r\n\r\n")
        require_equal(connection.answer()[0], 201, "answer")
    server.delete(f"{POLICIES}/chunked")


def an_old_or_closing_client_gets_an_end(server):
    for request in (f"GET {server.prefix}/version HTTP/1.0\r\n\r\n",
                    f"GET {server.prefix}/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        with Connection(server, 5) as connection:
            connection.socket.sendall(request.encode())
            data = b""
            while part := connection.socket.recv(65536):
                data += part
            require(b" 200 " in data.split(b"\r\n")[0] and b"gitVersion" in data, f"{request!r}: {data[:80]!r}")


def a_malformed_request_ends_its_connection_alone(server):
    for request in (b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9,
                    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 200_000 + b"\r\n\r\n"):
        with Connection(server, 5) as connection:
            data = b""
            try:
                connection.socket.sendall(request)
                while part := connection.socket.recv(65536):
                    data += part
            except ConnectionError:
                pass
            except socket.timeout:
                raise Failed(f"{request[:40]!r}: the connection stays open, after {data[:60]!r}") from None
            require(not data or data.startswith(b"HTTP/1.") and b" 4" in data[:13], f"{request[:40]!r}: {data[:60]!r}")
    require_equal(server.ask("GET", "/version")[0], 200, "the server goes on")


def paths_in_other_spellings(server):
    for path in ("/api/", "/apis/", "/version/", "/api/v1/", "/api/v1/pods/", "/apis/apps/v1/", "/api/v1/pods?",
                 "/api/v1/pods?unknown=1&pretty=true", "/api/v1/namespaces/shop/pods/web%2D0"):
        code, _, answer = server.ask("GET", path)
        require(code == 200, f"{path}: {code} {shortened(answer)}")
    for path in ("/api/v1/namespaces/shop/pods/%", "/api/v1/namespaces/shop/pods/%zz", "/api/v1/namespaces/%2e%2e/pods",
                 "/api/v1/namespaces/shop/pods/..%2f..", "/api/v1/namespaces/shop/pods/%00"):
        code, _, answer = server.ask("GET", path)
        require(code in (400, 404) or code == 200 and answer.get("items") == [], f"{path}: {code} {shortened(answer)}")


def many_connections_at_once(server):
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(watching(server, POLICIES, "watch=true&timeoutSeconds=300"))
                   for _ in range(200)]
        server.create(POLICIES, policy("many"))
        for watch in watches:
            require_equal(name_of(watch.take(1)[0]), "many", "event")
    server.delete(f"{POLICIES}/many")


def an_event_takes_little_time(server):
    """From the request's last byte to the event's at a watcher. The median, so that a busy machine doesn't matter."""
    times = []
    with watching(server, POLICIES, f"watch=true&resourceVersion={newest_version(server)}&timeoutSeconds=300") as watch:
        events = iter(watch)
        with Connection(server) as connection:
            for number in range(50):
                body = json.dumps(policy(f"timed-{number}")).encode()
                begin = time.monotonic()
                connection.send("POST", POLICIES, body, GO_HEADERS + "Content-Type: application/json\r\n")
                next(events)
                times.append(time.monotonic() - begin)
                connection.answer()
    server.ask("DELETE", POLICIES)
    median = sorted(times)[len(times) // 2]
    require(median < 0.05, f"the median is {median * 1000:.1f} ms")


def a_thousand_objects_come_quickly(program):
    world = WORLD.replace("10.42.", "10.4").replace(".0/24", ".0.0/16") + "".join(
        "---\n" + json.dumps(pod(f"many-{number}", "quiet")) + "\n" for number in range(1000))
    with Server(program, world=world) as server:
        eventually(lambda: newest_version(server), "an answer", 10)
        begin = time.monotonic()
        with watching(server, "/api/v1/pods", WATCH_LIST + "&timeoutSeconds=300") as watch:
            events = watch.until(is_initial_end)
        seconds = time.monotonic() - begin
        require_equal(len(events) - 1, 1000 + POD_COUNT, "pods")
        require(seconds < 2, f"took {seconds:.2f} s")


def an_end_by_interrupt_ends_watches_too(server):
    with watching(server, POLICIES, "watch=true&timeoutSeconds=300", seconds=10) as watch:
        require_equal(server.interrupt(), 0, "exit code")
        with contextlib.suppress(EOFError, ConnectionError):
            require_equal(list(watch), [], "events")


ON_ONE_SERVER = [
    six_watches_begin_with_all_objects_and_the_bookmark, a_type_without_objects_gets_the_bookmark_too,
    headers_come_before_the_first_event, fields_that_the_controller_reads_are_there,
    a_list_and_a_watch_have_no_gap_between, a_rewatch_begins_after_its_version, pages_are_one_snapshot,
    a_watch_ends_at_its_timeout_and_the_connection_goes_on, watches_in_a_row_lose_nothing,
    a_reset_in_the_middle_of_an_event_loses_nothing, a_reader_that_stops_does_not_stop_the_others,
    six_watchers_see_the_same_order, selectors_turn_changes_into_additions_and_deletions,
    selectors_that_cannot_be_read_get_400, a_version_that_is_not_there_yet_gets_410, a_version_from_long_ago_gets_410, another_path_gets_401,
    head_has_the_headers_alone, unknown_methods_and_paths_are_refused, a_body_that_is_too_large_gets_413,
    bodies_that_cannot_be_read_get_400, what_go_cannot_decode_is_refused_and_not_served,
    pipelined_requests_are_answered_in_order, accepted_types_are_minded, a_large_body_waits_for_continue,
    a_body_in_chunks_is_read, an_old_or_closing_client_gets_an_end, a_malformed_request_ends_its_connection_alone,
    paths_in_other_spellings, many_connections_at_once, an_event_takes_little_time,
    plain_bookmarks_come_about_once_a_minute,
]
ON_SERVERS_OF_THEIR_OWN = [
    a_refused_watch_list_says_422, versions_never_fall_over_a_restart, a_thousand_objects_come_quickly,
]


def main():
    (program,), wanted = main_arguments("raw_client.py PROGRAM", 1)
    report = Report(wanted)
    with Server(program) as server:
        for scenario in ON_ONE_SERVER:
            report.run(scenario, server)
        report.run(an_end_by_interrupt_ends_watches_too, server)
    for scenario in ON_SERVERS_OF_THEIR_OWN:
        report.run(scenario, program)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
