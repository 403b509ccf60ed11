#!/usr/bin/env python3
"""Runs the performance table beside its contenders, in turn, and prints it: medians over the rounds.

    benches/table.py --lab LAB [--rechat BINARY] [--rounds 3] [--secs 3] [--only post,get,...]
                     [--stores SMALL BIG ...]

LAB is the folder of the lab's programs (load, hello, fan). Redis (redis-server) and NATS
(nats-server) are left out where their programs are missing. Nothing else should run meanwhile.
Jobs: post, get, fan, pace, idle, inbound, outbox, start; and growth, over the stores given, which
are written to (benches/history.py makes what fills one). With stores, start also opens each of them
five times.
"""

import argparse
import base64
import collections
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SUBSCRIBE = '{"type":"subscribe"}'
SAY = '{"type":"send_message","data":{"platform":"lab","conversation":"c","content":"{marker}"}}'


#: The name of the job `pace` in its rows.
PACED = "at 30,000/s"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A server that runs until it is dropped."""

    def __init__(self, port, *command, **environment):
        self.port, self.began = port, time.monotonic()
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{command[0]} ended with {self.process.returncode} before it served")
                time.sleep(0.0005)
        self.started = time.monotonic() - self.began

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Absent:
    """A contender that is not measured."""

    port = 0

    def stop(self):
        pass


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = tempfile.mkdtemp(prefix="rechat-table-")
        self.rows = collections.defaultdict(list)

    def lab(self, program, *arguments):
        if self.options.alone:
            return Absent()
        port = free_port()
        return Program(port, os.path.join(self.options.lab, program), "--port", str(port), *arguments)

    def rechat(self, *arguments):
        port, home = free_port(), tempfile.mkdtemp(dir=self.work)
        command = [self.options.rechat, "serve", "--listen", f"127.0.0.1:{port}", *arguments]
        # All sessions come from one address.
        limit = {"RECHAT_LIMITS__CONNECTIONS_PER_ADDRESS": "10000"}
        server = Program(port, *command, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, **limit)
        server.home, server.api = home, f"http://127.0.0.1:{port}/api"
        server.ws = f"ws://127.0.0.1:{port}/ws/client"
        return server

    def redis(self):
        if self.options.alone or not shutil.which("redis-server"):
            return Absent()
        port, home = free_port(), tempfile.mkdtemp(dir=self.work)
        always = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        return Program(port, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", home, *always)

    def nats(self):
        if self.options.alone or not shutil.which("nats-server"):
            return Absent()
        port, plain, path = free_port(), free_port(), os.path.join(self.work, "nats.conf")
        with open(path, "w") as conf:
            conf.write(f'listen: "127.0.0.1:{plain}"\n')
            conf.write(f'websocket {{ listen: "127.0.0.1:{port}", no_tls: true, compression: false }}\n')
        return Program(port, "nats-server", "-c", path)

    def load(self, row, unit, server, *arguments):
        """One run of the load client; notes its rate, the server's time per operation, and p99."""
        if isinstance(server, Absent):
            return
        load = os.path.join(self.options.lab, "load")
        command = [load, *arguments, "--pid", str(server.pid), "--secs", str(self.options.secs)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
        told = dict(re.findall(r"(\w+)=([\d.]+)", said))
        rate = told.get("deliveries_per_s") or told.get("per_s") or told.get("bytes_per_conn")
        if rate is None:
            print(row, said.strip(), file=sys.stderr)
            return
        note = (float(rate), float(told.get("server_us_per_op", 0)), float(told.get("p99_us", 0)))
        self.note(row, unit, *note)

    def note(self, row, unit, figure, cpu=0, p99=0):
        self.rows[row].append((unit, figure, cpu, p99))
        print(f"{row}: {figure:.0f} {unit}, {cpu:.2f} µs, p99 {p99:.0f} µs", file=sys.stderr, flush=True)

    # ---- jobs; each is called once a round

    def post(self):
        server, redis = self.rechat(), self.redis()
        for conns in ("64", "256"):
            self.load(f"POST {conns}", "/s", server, "post", "--url", f"{server.api}/messages", "--conns", conns)
            url = f"tcp://127.0.0.1:{redis.port}"
            self.load(f"Redis XADD {conns}", "/s", redis, "xadd", "--url", url, "--conns", conns)
        server.stop()
        redis.stop()

    def get(self):
        server, hello, ids = self.rechat(), self.lab("hello"), os.path.join(self.work, "ids")
        fill = [os.path.join(self.options.lab, "load"), "post", "--url", f"{server.api}/messages"]
        subprocess.run([*fill, "--secs", "1", "--collect", ids], capture_output=True)
        page = len(urllib.request.urlopen(f"{server.api}/messages").read())
        self.load("GET by ID", "/s", server, "get", "--url", f"{server.api}/messages/{{}}", "--ids", ids)
        self.load("bare hyper", "/s", hello, "get", "--url", f"http://127.0.0.1:{hello.port}/")
        self.load("stats", "/s", server, "get", "--url", f"{server.api}/stats")
        self.load("list of 50", "/s", server, "get", "--url", f"{server.api}/messages")
        hello.stop()
        server.stop()
        if self.options.bare and not self.options.alone:
            port = free_port()
            bare = Program(port, self.options.bare, str(port), str(page))
            self.load(f"bare hyper, {page} bytes", "/s", bare, "get", "--url", f"http://127.0.0.1:{port}/")
            bare.stop()

    def fan(self, subs=("100", "1000", "5000"), *more):
        for k in subs:
            name = f"{k} sessions" + (f" {PACED}" if more else "")
            server, shard = self.rechat(), self.lab("fan", "--mode", "shard")
            watch = ["fanout", "--url", server.ws, "--open", SUBSCRIBE, "--skip", "1", "--subs", k, *more]
            post = ["--post", f"{server.api}/messages", "--pubs", "8"]
            self.load(f"fan-out by POST, {name}", "/s", server, *watch, *post)
            at = f"127.0.0.1:{shard.port}"
            theirs = ["fanout", "--url", f"ws://{at}/", "--subs", k, *more]
            self.load(f"fan shard by POST, {name}", "/s", shard, *theirs, "--post", f"http://{at}/p", "--pubs", "8")
            self.load(f"fan-out by WebSocket, {name}", "/s", server, *watch, "--send", SAY)
            self.load(f"fan shard by WebSocket, {name}", "/s", shard, *theirs, "--pub-url", f"ws://{at}/pub")
            server.stop()
            shard.stop()
            nats = self.nats()
            url = f"ws://127.0.0.1:{nats.port}/"
            self.load(f"NATS, {name}", "/s", nats, "fanout", "--url", url, "--dialect", "nats", "--subs", k, *more)
            nats.stop()

    def pace(self):
        self.fan(("100",), "--rate", "300")

    def idle(self):
        server = self.rechat()
        watch = ["idle", "--url", server.ws, "--open", SUBSCRIBE, "--subs", "5000"]
        self.load("idle session", "bytes", server, *watch)
        server.stop()

    def inbound(self, events=60_000):
        server = self.rechat()
        bot = upgraded(server.port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n")
        watcher = upgraded(server.port, "/ws/client", "")
        watcher.sendall(masked(SUBSCRIBE.encode()))
        watcher.recv(4096)
        frames = [masked(json.dumps(group_message(n)).encode()) for n in range(1, events + 1)]
        began, spent, seen, at = time.monotonic(), cpu_of(server.pid), 0, 0
        bot.setblocking(False)
        watcher.setblocking(False)
        rest, tail = b"", b""
        while seen < events and time.monotonic() < began + 60:
            if not rest and at < events:
                rest, at = b"".join(frames[at : at + 200]), at + 200
            for act in (lambda: bot.send(rest) if rest else 0, lambda: watcher.recv(1 << 20)):
                try:
                    done = act()
                except BlockingIOError:
                    continue
                if isinstance(done, int):
                    rest = rest[done:]
                else:
                    tail += done
                    seen += tail.count(b'"new_message"')
                    tail = tail[max(tail.rfind(b'"new_message"') + 13, len(tail) - 12) :]
        took = time.monotonic() - began
        self.note("inbound to a subscriber", "/s", seen / took, (cpu_of(server.pid) - spent) / events * 1e6)
        server.stop()

    def outbox(self, messages=30_000):
        home = tempfile.mkdtemp(dir=self.work)
        lines = os.path.join(home, "waiting.jsonl")
        with open(lines, "w") as file:
            for n in range(messages):
                file.write(json.dumps(waiting(n)) + "\n")
        db = os.path.join(home, "a.redb")
        subprocess.run([self.options.rechat, "import", lines, "--db", db], capture_output=True, check=True)
        server = self.rechat("--loopback", "--db", db)
        spent = cpu_of(server.pid)
        while True:
            stats = json.load(urllib.request.urlopen(f"{server.api}/stats"))
            if stats["sent"] == messages:
                break
            time.sleep(0.01)
        took = time.monotonic() - server.began
        self.note("outbox, loopback", "/s", messages / took, (cpu_of(server.pid) - spent) / messages * 1e6)
        server.stop()

    def growth(self):
        """The jobs that meet stored messages, on one store after the other."""
        for store in self.options.stores:
            name, ids = os.path.splitext(os.path.basename(store))[0], os.path.join(self.work, "ids")
            server = self.rechat("--db", store)
            with open(ids, "w") as file:
                file.writelines(f"{each}\n" for each in some_ids(server.api))
            messages, group = f"{server.api}/messages", "platform=qq&conversation=group_7"
            self.load(f"GET by ID, {name}", "/s", server, "get", "--url", f"{messages}/{{}}", "--ids", ids)
            self.load(f"stats, {name}", "/s", server, "get", "--url", f"{server.api}/stats")
            self.load(f"list of 50, {name}", "/s", server, "get", "--url", messages)
            self.load(f"list of a conversation, {name}", "/s", server, "get", "--url", f"{messages}?{group}")
            watch = ["fanout", "--url", server.ws, "--open", SUBSCRIBE, "--skip", "1", "--subs", "100"]
            self.load(f"fan-out by POST, 100 sessions, {name}", "/s", server, *watch, "--post", messages, "--pubs", "8")
            self.load(f"POST 64, {name}", "/s", server, "post", "--url", messages, "--conns", "64")
            server.stop()
            took = self.run_time([self.options.rechat, "list", "--db", store], 5) - self.run_time(["true"], 5)
            self.note(f"rechat list without a server, {name}", "µs", took)

    def start(self):
        server = self.rechat()
        self.note("serve until it answers", "µs", server.started * 1e6)
        server.stop()
        for store in self.options.stores:
            name = os.path.splitext(os.path.basename(store))[0]
            took = statistics.median(self.seconds_until_healthy(store) for _ in range(5))
            self.note(f"serve until /api/health answers, {name}", "µs", took * 1e6)
        # The cost of starting any program from here is subtracted.
        empty = self.run_time(["true"])
        self.note("rechat --version", "µs", self.run_time([self.options.rechat, "--version"]) - empty)
        self.note("binary", "bytes", os.path.getsize(self.options.rechat))

    def seconds_until_healthy(self, store):
        server = self.rechat("--db", store)
        urllib.request.urlopen(f"{server.api}/health").read()
        took = time.monotonic() - server.began
        server.stop()
        return took

    def run_time(self, command, times=20):
        """Microseconds."""
        began = time.monotonic()
        for _ in range(times):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (time.monotonic() - began) / times * 1e6

    def table(self):
        print("| what | median | server CPU per op | p99 |\n| --- | --- | --- | --- |")
        for row, runs in self.rows.items():
            figure, cpu, p99 = (statistics.median(run[i] for run in runs) for i in (1, 2, 3))
            cpu, p99 = (f"{cpu:.2f} µs" if cpu else ""), (f"{p99:.0f} µs" if p99 else "")
            print(f"| {row} | {figure:,.0f} {runs[0][0]} | {cpu} | {p99} |")


def some_ids(api, pages=100):
    """IDs from all over a store."""
    newest = json.load(urllib.request.urlopen(f"{api}/stats"))["total"]
    for _ in range(pages):
        before = random.randint(min(newest, 200), newest)
        page = json.load(urllib.request.urlopen(f"{api}/messages?limit=200&before={before}"))
        yield from (message["id"] for message in page["messages"])


def upgraded(port, path, fields):
    """A WebSocket, without what a client would need beyond this."""
    stream = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}{fields}\r\n".encode())
    answer = b""
    # One byte at a time, so that the first frame is left for its reader.
    while not answer.endswith(b"\r\n\r\n"):
        if not (byte := stream.recv(1)):
            raise ConnectionError("the connection ended before the upgrade")
        answer += byte
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(answer.split(b"\r\n")[0].decode())
    return stream


def masked(text):
    """A text frame of a client; a mask of zeros leaves the text as it is."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + text


def group_message(n):
    return {
        "time": 1_700_000_000 + n // 100, "self_id": 1, "post_type": "message", "message_type": "group",
        "sub_type": "normal", "message_id": n, "group_id": 1 + n % 20, "user_id": 1 + n % 500, "font": 0,
        "message": [{"type": "text", "data": {"text": f"message {n}"}}], "raw_message": f"message {n}",
        "sender": {"user_id": 1 + n % 500, "nickname": f"user {n % 500}", "card": ""},
    }  # fmt: skip


def waiting(n):
    return {
        "id": f"{n:08x}-0000-4000-8000-000000000000", "message_type": "Text", "content": f"message {n}",
        "recipient": f"group_{n % 100}", "status": "Pending", "created_at": int(time.time()),
        "updated_at": int(time.time()), "retry_count": 0, "platform": "loopback",
    }  # fmt: skip


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def options_of(description):
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--rechat", default=os.path.join(here, "../target/release/rechat"))
    parser.add_argument("--bare", help="a server of bare hyper that takes a port and how many bytes to answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--secs", type=int, default=3)
    parser.add_argument("--only", default="post,get,fan,pace,idle,inbound,outbox,start")
    parser.add_argument("--stores", nargs="*", default=[], help="stores for the jobs `growth` and `start`")
    parser.add_argument("--alone", action="store_true", help="rechat by itself, without its contenders")
    return parser


def main():
    bench = Bench(options_of(__doc__).parse_args())
    try:
        for _ in range(bench.options.rounds):
            for job in bench.options.only.split(","):
                getattr(bench, job)()
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
        bench.table()


if __name__ == "__main__":
    main()
