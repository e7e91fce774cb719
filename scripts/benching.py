"""What all measures of scripts/bench share: larder on an empty state directory, what a process takes of the machine, and
how two servers are compared."""

import base64
import http.client
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

TREE = pathlib.Path(__file__).resolve().parent.parent
BINARY = TREE / "target/release/larder"
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(pid):
    """A process and its children."""
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [pid] + [int(child) for child in out.stdout.split()]


def processor_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_kib(pid, key):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{key}:\s+(\d+) kB", status)[1])


def peak_from_now(pid):
    """The most memory ever, which is counted anew from here: a start hashes a password, which takes more than most of
    what follows."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    return memory_kib(pid, "VmHWM")


class Larder:
    """A release build on an empty state directory."""

    def __init__(self, folder, name="files", binary=BINARY):
        self.binary = binary
        self.state, self.root = folder / f"{name}-state", folder / name
        self.root.mkdir(exist_ok=True)
        environment = dict(os.environ, LARDER_ADMIN_PASSWORD="bench")
        started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--state", self.state, "--root", self.root,
             "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE, text=True, env=environment)
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.port = int(found[1])
                break
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/is_up").read()
        self.ready_ms = (time.monotonic() - started) * 1000
        self.pid = self.process.pid

    def add_user(self):
        """Somebody with an API key."""
        added = subprocess.run(
            [BINARY, "user", "add", "bench", "--state", self.state, "--role", "admin",
             "--paths-write", '[""]'], input="bench", capture_output=True, text=True, check=True)
        self.key = added.stdout.split()[-1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def secure_url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"

    def curl(self, *arguments):
        return curl("-H", f"X-API-KEY: {self.key}", *arguments)

    def restarted(self):
        """It, begun anew on what it has."""
        self.stop()
        again = Larder(self.root.parent, self.root.name, self.binary)
        again.key = self.key
        return again

    def connection(self):
        """A connection that stays."""
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, connection, path, body=None):
        """The body of an answer with 200."""
        connection.request("POST" if body else "GET", path, body, {
            "X-API-KEY": self.key, "Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {content[:200]}")
        return content

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def stopped(self):
        self.stop()
        return self

    def begin_upload(self, name, length):
        """Begins an upload that can be gone on with; its address."""
        metadata = "filename " + base64.b64encode(name.encode()).decode()
        ask = urllib.request.Request(
            self.url("/api/uploads"), method="POST", headers={
                "X-API-KEY": self.key, "Upload-Length": str(length), "Upload-Metadata": metadata})
        with urllib.request.urlopen(ask) as answer:
            return answer.headers["Location"]

    def upload_offset(self, upload):
        ask = urllib.request.Request(self.url(upload), method="HEAD", headers={"X-API-KEY": self.key})
        with urllib.request.urlopen(ask) as answer:
            return int(answer.headers["Upload-Offset"])

    def send_upload(self, upload, file, offset, end, length):
        """Sends a file from `offset` to `end`, of a request that goes to its `length`; gives the socket."""
        client = socket.create_connection(("127.0.0.1", self.port))
        client.sendall((
            f"PATCH {upload} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-API-KEY: {self.key}\r\n"
            f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n"
            f"Content-Length: {length - offset}\r\nConnection: close\r\n\r\n").encode())
        while offset < end:
            offset += os.sendfile(client.fileno(), file.fileno(), offset, end - offset)
        return client


def curl(*arguments):
    """Runs curl; gives its wall time in seconds."""
    started = time.monotonic()
    out = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *arguments],
                         capture_output=True, text=True, check=True)
    if out.stdout[0] != "2":
        sys.exit(f"curl {arguments}: {out.stdout}")
    return time.monotonic() - started


def measure(pids, work):
    """Wall time, processor time of the server, and of the client with it, in seconds. On loopback the
    kernel charges much of one end's work to the other, so only their sum says what a transfer costs."""
    before, children = processor_seconds(pids), resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = work()
    spent, after = processor_seconds(pids) - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return wall, spent, spent + client


def compare(title, rounds, ours, theirs, rate_goal, processor_goal, note="", names=("larder", "nginx"),
            both_goal=None):
    """Alternates two kinds of work; prints rates, processor times and their ratios. `names` are those of the two;
    `both_goal` is for server and client together, where that is another one than the server's."""
    rows = {"ours": [], "theirs": []}
    for _ in range(rounds):
        rows["ours"].append(ours())
        rows["theirs"].append(theirs())
    rate = statistics.median(b[0] / a[0] for a, b in zip(rows["ours"], rows["theirs"]))
    # The least processor time is the one that the machine's other guests disturbed least.
    spent, both = (
        min(row[which] for row in rows["ours"]) / max(min(row[which] for row in rows["theirs"]), 0.01)
        for which in (1, 2))
    wall = {who: statistics.median(row[0] for row in of) for who, of in rows.items()}
    cpu = {who: statistics.median(row[1] for row in of) for who, of in rows.items()}
    print(f"{title}: {names[0]} {wall['ours']:.2f} s wall, {cpu['ours']:.2f} s processor; "
          f"{names[1]} {wall['theirs']:.2f} s, {cpu['theirs']:.2f} s{note}")
    verdict(f"  rate, ratio to {names[1]}", rate, ">=", rate_goal)
    verdict(f"  processor time of the server (least of all rounds), ratio to {names[1]}", spent, "<=", processor_goal)
    verdict("  processor time of server and client together, ratio", both, "<=", both_goal or processor_goal)


def verdict(what, value, sense, goal, unit=""):
    is_met = value >= goal if sense == ">=" else value <= goal
    print(f"{what}: {value:.2f}{unit} (goal {sense} {goal}{unit}) {'met' if is_met else 'NOT MET'}")


def requests_per_second(*arguments):
    out = subprocess.run(["wrk", "-t2", "-c16", "-d4s", *arguments],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        sys.exit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def latency_ms(percent, *arguments):
    """What so many of 100 requests at 16 connections stay below."""
    out = subprocess.run(["wrk", "-t1", "-c16", "-d4s", "--latency", *arguments],
                         capture_output=True, text=True, check=True).stdout
    value, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def slowest_of_hundred_ms(*arguments):
    return latency_ms(99, *arguments)
