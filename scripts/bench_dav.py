"""The WebDAV door, measured for scripts/bench: beside dufs and copyparty where a listing and many small files are
concerned, beside the API where a file is large, and what signing in with each request costs.

The three servers show one folder, so that the kernel knows the same of it for each. Where a peer is not found its rows
say so.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

from benching import (Larder, compare, family, free_port, measure, memory_kib, peak_from_now, processor_seconds,
                      verdict)

# Whom every server knows, with the password of the same name.
NAME = "bench"
BASIC = "Basic " + base64.b64encode(f"{NAME}:{NAME}".encode()).decode()
# What clients ask of a folder's members: Windows and rclone say nothing, which means all; the Finder asks so.
QUESTIONS = {
    "all properties": "",
    "the Finder's four": (
        '<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getlastmodified/>'
        "<D:getcontentlength/><D:creationdate/><D:resourcetype/></D:prop></D:propfind>"),
}
# Members of the folders that are listed, and how often in a round: enough for clocks of 10 ms.
LISTED = {1_000: 50, 20_000: 4}
# Small files, and how many are sent at once: as many as rclone sends.
SMALL_FILES, SMALL_BYTES, SENDERS = 2_000, 4 << 10, 4
CALLS = 1_000
# What can be measured alone.
PARTS = {"dav-list", "dav-small", "dav-large", "dav-basic"}


class Peer:
    """Another server for the same folder, as it is after it was installed, but for its log, which larder keeps."""

    def __init__(self, name, binary, folder, root):
        self.name, self.port = name, free_port()
        arguments = {
            "dufs": ["--bind", "127.0.0.1", "--port", str(self.port), "--auth", f"{NAME}:{NAME}@/:rw", "--allow-all",
                     "--log-format", "", root],
            "copyparty": ["-q", "-i", "127.0.0.1", "-p", str(self.port), "-a", f"{NAME}:{NAME}",
                          "--hist", folder / "copyparty", "-v", f"{root}::rwmd,{NAME}"],
        }[name]
        home = folder / f"{name}-home"
        home.mkdir()
        self.process = subprocess.Popen(
            [binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home,
            env=dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home)))
        self.pid = self.process.pid
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{name} does not listen")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


def ask(connection, method, path, body="", proof=("Authorization", BASIC), **headers):
    """The body of a good answer to somebody who signs in."""
    connection.request(method, path, body.encode() or None, dict([proof], **headers))
    answer = connection.getresponse()
    content = answer.read()
    if answer.status not in (200, 207):
        sys.exit(f"{method} {path}: {answer.status} {content[:200]}")
    return content


def measure_dav(folder, options, larder, source, is_wanted):
    """What is wanted of `PARTS`."""
    peers = []
    for name in ("dufs", "copyparty") if is_wanted("dav-list") or is_wanted("dav-small") else ():
        binary = getattr(options, name) or shutil.which(name)
        if binary:
            peers.append(Peer(name, binary, folder, larder.root))
        else:
            print(f"{name} is not found (--{name} PATH): nothing is compared with it")
    try:
        if is_wanted("dav-list"):
            measure_listings(options, larder, peers)
        if is_wanted("dav-small"):
            measure_small_files(folder, options, larder, peers)
    finally:
        for peer in peers:
            peer.stop()
    if is_wanted("dav-large"):
        measure_large_files(options, larder, source)
    if is_wanted("dav-basic"):
        measure_signing_in(folder, options)


def measure_listings(options, larder, peers):
    """`PROPFIND` of folders: processor time of each server, and how much larder grows."""
    servers = [("larder", larder.pid, larder.port, "/dav")] + [(one.name, one.pid, one.port, "") for one in peers]
    for count in LISTED:
        many = larder.root / f"listed-{count}"
        many.mkdir()
        for number in range(count):
            (many / f"file number {number:06}.txt").write_bytes(b"x" * (number % 100))
    for what, body in QUESTIONS.items():
        for count, times in LISTED.items():

            def listed(pid, port, base):
                """Milliseconds of processor time that one answer takes."""
                connection = http.client.HTTPConnection("127.0.0.1", port)
                content = ask(connection, "PROPFIND", f"{base}/listed-{count}/", body, Depth="1")
                if content.count(b":response>") != 2 * (count + 1):
                    sys.exit(f"not all are told: {content[:300]}")
                before = processor_seconds(family(pid))
                for _ in range(times):
                    ask(connection, "PROPFIND", f"{base}/listed-{count}/", body, Depth="1")
                return (processor_seconds(family(pid)) - before) * 1000 / times

            peaks = {name: peak_from_now(pid) for name, pid, *_ in servers}
            rows = {name: [] for name, *_ in servers}
            for _ in range(options.rounds):
                for name, *at in servers:
                    rows[name].append(listed(*at))
            # The least processor time is the one that the machine's other guests disturbed least.
            least = {name: min(of) for name, of in rows.items()}
            grown = {name: (memory_kib(pid, "VmHWM") - peaks[name]) / 1024 for name, pid, *_ in servers}
            print(f"PROPFIND of {count} entries, {what}: " + ", ".join(
                f"{name} {least[name]:.1f} ms of processor time (grown by {grown[name]:.1f} MiB)" for name in least))
            for peer in peers:
                verdict(f"  processor time, ratio to {peer.name}", least["larder"] / least[peer.name], "<=", 1)
            verdict("  growth of memory", grown["larder"], "<=", 32, " MiB")


def measure_small_files(folder, options, larder, peers):
    """Many small files: by rclone as it is, and by as many connections without its pauses."""
    files = folder / "dav-small"
    files.mkdir()
    for number in range(SMALL_FILES):
        (files / f"{number:04}.bin").write_bytes(os.urandom(SMALL_BYTES))
    dufs = [one for one in peers if one.name == "dufs"]

    def rates(send, rounds, servers):
        """Files in a second, by each way in each round."""
        rows = {name: [] for name, *_ in servers}
        for round_ in range(rounds):
            for number, (name, server, base, *durable) in enumerate(servers):
                target = larder.root / f"small-{send.__name__}-{round_}-{number}"
                target.mkdir()
                os.sync()
                started = time.monotonic()
                send(server, f"{base}/{target.name}", *durable)
                rows[name].append(SMALL_FILES / (time.monotonic() - started))
                if sum(one.stat().st_size for one in target.iterdir()) != SMALL_FILES * SMALL_BYTES:
                    sys.exit(f"not all came: {target}")
                shutil.rmtree(target)
        return rows

    def told(how, rows):
        print(f"{SMALL_FILES} files of {SMALL_BYTES >> 10} KiB by {how}: " + ", ".join(
            f"{name} {statistics.median(of):.0f}/s" for name, of in rows.items()))

    def ratio(rows, name):
        return statistics.median(ours / theirs for ours, theirs in zip(rows["larder"], rows[name]))

    def rclone(server, base):
        subprocess.run(
            ["rclone", "copy", "--config", "", files, ":webdav:", "--webdav-url", server.url(base), "--webdav-user",
             NAME, "--webdav-pass", hidden, "--webdav-vendor", "other", "--retries", "1"], check=True)

    def senders(server, base, is_synced=False):
        def run(mine):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            for file in mine:
                connection.request("PUT", f"{base}/{file.name}", file.read_bytes(), {"Authorization": BASIC})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 201:
                    raise RuntimeError(f"PUT: {answer.status}")
                if is_synced:
                    target = larder.root / base.rsplit("/", 1)[1]
                    sync(target / file.name)
                    sync(target)

        every = sorted(files.iterdir())
        threads = [threading.Thread(target=run, args=(every[one::SENDERS],)) for one in range(SENDERS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    ours = [("larder", larder, "/dav")]
    if not shutil.which("rclone"):
        print("rclone is not found: what it takes is not measured")
    else:
        hidden = subprocess.run(["rclone", "obscure", NAME], capture_output=True, text=True, check=True).stdout.strip()
        # It makes a pause of 10 ms between any two calls, so that a minute goes by for each server.
        rows = rates(rclone, min(options.rounds, 2), ours + [("dufs", one, "") for one in dufs])
        told("rclone", rows)
        if dufs:
            # Servers that keep up with its pauses differ by chance alone.
            verdict("  files in a second, ratio to dufs", ratio(rows, "dufs"), ">=", 1.0)
    rows = rates(senders, options.rounds, ours + [
        entry for one in dufs for entry in (("dufs", one, "", False), ("dufs and a sync of each", one, "", True))])
    told(f"{SENDERS} connections", rows)
    for name in list(rows)[1:]:
        print(f"  files in a second, ratio to {name}: {ratio(rows, name):.2f}")


def sync(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def measure_large_files(options, larder, source):
    """One large file by WebDAV beside the same by the API."""
    os.link(source, larder.root / "dav.bin")
    # Both know their user by the same key, so that only the doors differ.
    peak = peak_from_now(larder.pid)

    def fetched(path):
        return measure([larder.pid], lambda: larder.curl(*3 * [larder.url(path), "-o", "/dev/null"]))

    compare(
        f"GET of {options.size} MiB, three times", options.rounds,
        lambda: fetched("/dav/dav.bin"), lambda: fetched("/api/download?file_path=dav.bin"),
        0.95, 1.05, names=("WebDAV", "/api/download"))
    verdict("  growth of memory", (memory_kib(larder.pid, "VmHWM") - peak) / 1024, "<=", 32, " MiB")

    def fresh():
        (larder.root / "dav-up.bin").unlink(missing_ok=True)
        os.sync()

    def sent(*arguments):
        fresh()
        return measure([larder.pid], lambda: larder.curl(*arguments))

    def put():
        return sent("-T", str(source), larder.url("/dav/dav-up.bin"))

    def form():
        return sent("-F", "path=", "-F", f"file=@{source};filename=dav-up.bin", larder.url("/api/upload"))

    def patch():
        fresh()
        upload = larder.begin_upload("dav-up.bin", source.stat().st_size)
        return sent("-X", "PATCH", "-T", str(source), "-H", "Content-Type: application/offset+octet-stream",
                    "-H", "Upload-Offset: 0", larder.url(upload))

    peak = peak_from_now(larder.pid)
    for name, theirs in (("/api/upload", form), ("PATCH", patch)):
        compare(f"PUT of {options.size} MiB", options.rounds, put, theirs, 0.95, 1.05, names=("WebDAV", name))
    verdict("  growth of memory", (memory_kib(larder.pid, "VmHWM") - peak) / 1024, "<=", 32, " MiB")
    for name in ("dav.bin", "dav-up.bin"):
        (larder.root / name).unlink()


def measure_signing_in(folder, options):
    """Many requests that sign in by Basic, beside as many with a key, and one sign-in."""
    larder = Larder(folder, "dav-basic")
    larder.add_user()

    def spent(work):
        before = processor_seconds([larder.pid])
        work(larder.connection())
        return (processor_seconds([larder.pid]) - before) * 1000

    def signed_in(connection):
        ask(connection, "POST", "/api/user/login", json.dumps({"username": NAME, "password": NAME}))

    def called(*proof):
        return lambda connection: [
            ask(connection, "PROPFIND", "/dav/", "", *proof, Depth="0") for _ in range(CALLS)]

    rows = []
    for _ in range(options.rounds):
        # It remembers nobody.
        larder = larder.restarted()
        once = spent(signed_in)
        larder = larder.restarted()
        rows.append((spent(called()), spent(called(("X-API-KEY", larder.key))), once))
    larder.stop()
    basic, keyed, once = (statistics.median(side) for side in zip(*rows))
    print(f"{CALLS} calls of WebDAV: {basic:.0f} ms of processor time with Basic, {keyed:.0f} ms with a key; "
          f"one sign-in {once:.0f} ms")
    verdict("  what Basic costs beyond a key, in sign-ins",
            statistics.median((basic - keyed) / once for basic, keyed, once in rows), "<=", 1.5)
