#!/usr/bin/env python3
"""How fast a file goes up and down, beside cp, dd and nginx on the same disk.

    benches/media.py PROGRAM [--folder FOLDER] [--mib 256] [--rounds 3]

PROGRAM is a release build of rechat; FOLDER is on the disk that is measured and needs room for three times
the file. Up, every way ends when the file is synced; down, it is in the system's cache. The ways take turns;
a figure is the median of the rounds, and "CPU" the server's processor time for each GB. nginx is left out
where it is not installed.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def cpu_seconds(pids):
    """Processor time that processes took so far."""
    spent = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def sync(path):
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)


def curl(*arguments):
    command = ["curl", "-sS", "--fail", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


class Rechat:
    """A server, with a file that goes in and out."""

    def __init__(self, program, folder, source):
        self.source, port = source, free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = os.path.join(folder, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[media]\nmax_bytes = {os.path.getsize(source)}\nreserve_bytes = 0\n")
        arguments = ["serve", "--config", config, "--listen", f"127.0.0.1:{port}"]
        arguments += ["--db", os.path.join(folder, "bench.redb")]
        with open(os.path.join(folder, "rechat.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
        self.media = None
        for _ in range(500):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/health").close()
                return
            time.sleep(0.02)
        sys.exit("rechat does not answer")

    def pids(self):
        return [self.process.pid]

    def forget(self):
        """Takes the file away, so that it goes up anew."""
        if self.media:
            curl("-X", "DELETE", f"{self.url}/api/media/{self.media}")
            self.media = None

    def up(self):
        answer = curl("-X", "POST", "-T", self.source, f"{self.url}/api/media")
        self.media = json.loads(answer)["media"]

    def up_in_parts(self):
        length = f"Upload-Length: {os.path.getsize(self.source)}"
        made = json.loads(curl("-X", "POST", "-H", length, f"{self.url}/api/uploads"))
        place = f"{self.url}/api/uploads/{made['id']}"
        fields = ["-H", "Upload-Offset: 0", "-H", "Content-Type: application/offset+octet-stream"]
        curl("-X", "PATCH", *fields, "-T", self.source, place)
        self.media = json.loads(curl(place))["media"]

    def down(self):
        curl("-o", "/dev/null", f"{self.url}/api/media/{self.media}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nginx:
    """nginx with one worker, which takes files by PUT."""

    def __init__(self, folder, source):
        self.source, port = source, free_port()
        self.root = os.path.join(folder, "nginx")
        os.makedirs(os.path.join(self.root, "files"))
        self.url = f"http://127.0.0.1:{port}/file"
        config = os.path.join(self.root, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"""
daemon off; master_process on; worker_processes 1; user root;
pid {self.root}/pid; error_log {self.root}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; sendfile on; client_max_body_size 0;
    client_body_temp_path {self.root}/body; proxy_temp_path {self.root}/proxy;
    fastcgi_temp_path {self.root}/fastcgi; uwsgi_temp_path {self.root}/uwsgi;
    scgi_temp_path {self.root}/scgi;
    server {{ listen 127.0.0.1:{port}; root {self.root}/files; location / {{ dav_methods PUT; }} }}
}}
""")
        command = ["nginx", "-p", self.root, "-c", config]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        for _ in range(500):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return
            time.sleep(0.02)
        sys.exit("nginx does not answer")

    def pids(self):
        return children(self.process.pid)

    def up(self):
        curl("-T", self.source, self.url)
        sync(os.path.join(self.root, "files", "file"))

    def down(self):
        curl("-o", "/dev/null", self.url)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def copied_by(command, target):
    def copy():
        with contextlib.suppress(FileNotFoundError):
            os.remove(target)
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        sync(target)

    return copy


def measured(job, pids):
    """Seconds, and processor time of the server."""
    before, began = cpu_seconds(pids), time.perf_counter()
    job()
    return time.perf_counter() - began, cpu_seconds(pids) - before


def ways(source, target, rechat, nginx):
    """Each way: up or down, its name, its work, and the processes that serve it."""
    yield "up", "cp", copied_by(["cp", "--reflink=never", source, target], target), []
    dd = ["dd", f"if={source}", f"of={target}", "bs=256k", "conv=fsync"]
    yield "up", "dd, 256 kB, fsync", copied_by(dd, target), []
    if nginx:
        yield "up", "nginx, PUT, then fsync", nginx.up, nginx.pids()
    yield "up", "rechat, POST /api/media", rechat.up, rechat.pids()
    yield "up", "rechat, /api/uploads", rechat.up_in_parts, rechat.pids()
    cat = ["dd", f"if={source}", "of=/dev/null", "bs=256k"]
    yield "down", "dd to /dev/null", lambda: subprocess.run(cat, check=True, stderr=subprocess.DEVNULL), []
    if nginx:
        yield "down", "nginx", nginx.down, nginx.pids()
    yield "down", "rechat, GET /api/media", rechat.down, rechat.pids()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--folder", default=".")
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="media-bench-", dir=options.folder)
    servers = []
    try:
        source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
        with open(source, "wb") as file:
            for _ in range(options.mib):
                file.write(os.urandom(1 << 20))
        sync(source)
        rechat = Rechat(os.path.abspath(options.program), folder, source)
        servers.append(rechat)
        nginx = Nginx(folder, source) if shutil.which("nginx") else None
        servers += [nginx] if nginx else []
        runs = {}
        for _ in range(options.rounds):
            for direction, name, job, pids in ways(source, target, rechat, nginx):
                if direction == "up":
                    rechat.forget()
                runs.setdefault((direction, name), []).append(measured(job, pids))
        print(f"| {options.mib} MiB | | MB/s | CPU, s a GB |\n| --- | --- | --- | --- |")
        for (direction, name), times in runs.items():
            seconds, cpu = (statistics.median(run[i] for run in times) for i in (0, 1))
            size = options.mib * 1.048576
            spent = f"{cpu / size * 1000:.2f}" if cpu else ""
            print(f"| {direction} | {name} | {size / seconds:,.0f} | {spent} |")
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
