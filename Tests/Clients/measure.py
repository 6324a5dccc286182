#!/usr/bin/env python3
"""The figures of docs/serve-api.md: measure.py PROGRAM MANIFESTS

Starts `PROGRAM serve-api -f MANIFESTS` and measures, with plain sockets on the loopback:
1. the initial events of all pods, and the server's memory;
2. from a write to its event at a watcher, beside an echo of the same size on the loopback;
3. changes at a steady rate, with six watchers of which one doesn't read.
Takes two minutes. Nothing here is an assertion but that no event is lost, doubled or out of order.
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


class Connection:
    def __init__(self, server):
        self.server = server
        self.socket = socket.create_connection((server.host, server.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", buffering=1 << 16)

    def send(self, method, path, body=b""):
        head = (f"{method} {self.server.root}{path} HTTP/1.1\r\nHost: x\r\n"
                f"Content-Type: application/merge-patch+json\r\nContent-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)

    def head(self):
        code = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline()) != b"\r\n":
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        return code, headers

    def ask(self, method, path, body=b""):
        self.send(method, path, body)
        code, headers = self.head()
        return code, self.file.read(int(headers["content-length"]))

    def lines(self):
        """The lines of a stream in chunks."""
        rest = b""
        while size := int(self.file.readline(), 16):
            rest += self.file.read(size)
            self.file.read(2)
            *lines, rest = rest.split(b"\n")
            yield from lines


class Server:
    def __init__(self, program, manifests, folder):
        config = os.path.join(folder, "kubeconfig")
        self.process = subprocess.Popen(
            [program, "serve-api", "-f", manifests, "--kubeconfig", config], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.startswith("note: serving"):
                print(line[6:].split(" at http")[0])
            if line.startswith("note: kubectl"):
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        with open(config) as file:
            found = re.search(r"http://([\d.]+):(\d+)(/\w+)", file.read())
        self.host, self.port, self.root = found[1], int(found[2]), found[3]

    def memory(self):
        """Resident memory in MB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) // 1024

    def processor(self):
        """Seconds of processor time."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)


def percentiles(values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))] * 1e6
    return f"median {at(0.5):.0f} us, p99 {at(0.99):.0f} us, most {values[-1] * 1e6:.0f} us"


def initial_events(server):
    print(f"memory after reading: {server.memory()} MB")
    query = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    times = []
    for _ in range(5):
        connection = Connection(server)
        begin = time.perf_counter()
        connection.send("GET", f"/api/v1/pods?{query}")
        size, tail = 0, b""
        while b"initial-events-end" not in tail:
            part = connection.socket.recv(1 << 20)
            size += len(part)
            tail = (tail + part)[-300:]
        times.append(time.perf_counter() - begin)
        connection.socket.close()
    print(f"initial events of all pods: {size / 1e6:.1f} MB in {min(times):.3f} to {max(times):.3f} s; "
          f"memory then: {server.memory()} MB")


def echo_of(size, count):
    """Times of `count` echoes of `size` bytes on the loopback."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := peer.recv(1 << 20):
            peer.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    own = socket.create_connection(listener.getsockname())
    own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        own.sendall(b"x" * size)
        left = size
        while left:
            left -= len(own.recv(1 << 20))
        times.append(time.perf_counter() - begin)
        time.sleep(0.001)
    own.close()
    return times


def pods(server):
    items = json.loads(Connection(server).ask("GET", "/api/v1/pods?limit=200")[1])["items"]
    return [f"/api/v1/namespaces/{item['metadata']['namespace']}/pods/{item['metadata']['name']}" for item in items]


def patch(number):
    return json.dumps({"metadata": {"annotations": {"measure": str(number)}}}).encode()


def newest(server):
    return json.loads(Connection(server).ask("GET", "/api/v1/pods?limit=1")[1])["metadata"]["resourceVersion"]


def write_to_event(server, count=2000):
    paths = pods(server)
    watch = Connection(server)
    watch.send("GET", f"/api/v1/pods?watch=true&resourceVersion={newest(server)}")
    watch.head()
    lines = watch.lines()
    writer = Connection(server)
    times, size = [], 0
    for number in range(count):
        begin = time.perf_counter()
        writer.send("PATCH", paths[number % len(paths)], patch(number))
        line = next(lines)
        times.append(time.perf_counter() - begin)
        size = len(line)
        assert f'"measure":"{number}"'.encode() in line, line[:300]
        code, headers = writer.head()
        assert code == 200, code
        writer.file.read(int(headers["content-length"]))
        time.sleep(0.001)
    print(f"write to event ({size} bytes): {percentiles(times)}")
    print(f"echo of as many bytes on the loopback: {percentiles(echo_of(size, count))}")


def steady_changes(server, rate, seconds):
    paths = pods(server)
    start = newest(server)
    count = rate * seconds
    seen = [[] for _ in range(5)]

    def read(index):
        watch = Connection(server)
        watch.send("GET", f"/api/v1/pods?watch=true&resourceVersion={start}")
        watch.head()
        for line in watch.lines():
            if found := re.search(rb'"measure":"(\d+)"', line):
                seen[index].append(int(found[1]))
            if len(seen[index]) == count:
                break

    readers = [threading.Thread(target=read, args=(index,), daemon=True) for index in range(5)]
    deaf = Connection(server)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.send("GET", f"/api/v1/pods?watch=true&resourceVersion={start}")
    for reader in readers:
        reader.start()
    writer = Connection(server)
    begin, busy = time.perf_counter(), server.processor()
    for number in range(count):
        wait = begin + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        code, _ = writer.ask("PATCH", paths[number % len(paths)], patch(number))
        assert code == 200, code
    took = time.perf_counter() - begin
    for reader in readers:
        reader.join(timeout=30)
    right = sum(numbers == list(range(count)) for numbers in seen)
    print(f"{count} changes in {took:.1f} s ({count / took:.0f} a second); {right} of 5 watchers saw all of them once and in "
          f"order, beside one that doesn't read; {(server.processor() - busy) / took:.2f} of a processor; "
          f"memory: {server.memory()} MB")
    return right == 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("manifests")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.program, options.manifests, folder)
        try:
            initial_events(server)
            write_to_event(server)
            ok = steady_changes(server, options.rate, options.seconds)
        finally:
            server.end()
    sys.exit(0 if ok else 1)


main()
