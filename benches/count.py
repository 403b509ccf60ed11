#!/usr/bin/env python3
"""Counts the instructions that a server spends on an operation, by callgrind (Debian: valgrind).

    benches/count.py [--only get,list,post,fan,inbound,outbox,outbox-at-start,conversations-1000,conversations-100000,
        waiting-1000,waiting-100000] PROGRAM...

Unlike times, counts hardly depend on what else the machine does: they differ by 1 to 2 percent between
two runs. What the kernel does, and waiting for memory, is not in them. The programs may be release
builds; with `--config profile.release.debug=1 --config profile.release.strip=false` what is kept in
--keep FOLDER can be read by callgrind_annotate.
"""

import argparse
import ctypes
import functools
import glob
import http.client
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from table import SUBSCRIBE, cpu_of, free_port, group_message, masked, upgraded, waiting

HEADERS = {"Content-Type": "application/json"}
#: How long a job goes on after its last operation, so that the search index has caught up.
REST = 2.5


def without_auxv():
    """Has prctl(PR_GET_AUXV) refused: it tells where the kernel's vDSO is, which valgrind hides."""
    load, jump_if_equal, give = 0x20, 0x15, 0x06
    steps = [
        (load, 0, 0, 0),  # the number of the call
        (jump_if_equal, 0, 3, 157),
        (load, 0, 0, 16),  # its first argument
        (jump_if_equal, 0, 1, 0x41555856),
        (give, 0, 0, 0x50000 | 22),  # EINVAL
        (give, 0, 0, 0x7FFF0000),
    ]
    filter_ = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(filter_)))
    prctl = ctypes.CDLL(None).prctl
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, program, 0, 0):
        raise OSError("the kernel takes no filter of system calls")


class Counted:
    """A server under callgrind that counts nothing yet."""

    def __init__(self, program, home, *arguments, is_counting=False):
        self.home, port = home, free_port()
        command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={home}/count"]
        command += [f"--instr-atstart={'yes' if is_counting else 'no'}", "--separate-threads=yes"]
        command += [program, "serve", "--listen", f"127.0.0.1:{port}", *arguments]
        own = {**os.environ, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        self.process = subprocess.Popen(command, env=own, stderr=subprocess.DEVNULL, preexec_fn=without_auxv)
        self.port, self.api = port, f"http://127.0.0.1:{port}/api"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.api}/health").close()
                break
            except OSError:
                time.sleep(0.1)
        self.client = http.client.HTTPConnection("127.0.0.1", port)

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], capture_output=True)

    def ask(self, method, path, body=None):
        self.client.request(method, path, body, HEADERS)
        return json.loads(self.client.getresponse().read())

    def post(self, n):
        body = {"message_type": "Text", "content": f"message {n} of some words", "recipient": "group_1"}
        return self.ask("POST", "/api/messages", json.dumps(body))

    def wait_for(self, count, what="total"):
        while self.ask("GET", "/api/stats")[what] < count:
            time.sleep(0.3)

    def settle(self):
        """Waits until the server has done what it does after its start: for little work within REST."""
        before, now = 0, cpu_of(self.process.pid)
        while now - before > 0.1:
            time.sleep(REST)
            before, now = now, cpu_of(self.process.pid)
        # It may have been closed meanwhile, as one that nobody uses; the next request opens it again.
        self.client.close()

    def end(self, operations):
        """Instructions of each operation."""
        self.control("-i", "off")
        self.control("-d")
        time.sleep(1)
        self.process.terminate()
        self.process.wait()
        counts = [open(name).read() for name in glob.glob(f"{self.home}/count*")]
        told = (re.findall(r"^(?:totals|summary): (\d+)", text, re.M) for text in counts)
        return sum(int(count) for found in told for count in found) / operations


def get(program, home, path="/api/messages/{id}", count=500):
    server = Counted(program, home)
    ids = [server.post(n)["id"] for n in range(60)]
    time.sleep(REST)
    server.control("-i", "on")
    for n in range(count):
        server.ask("GET", path.format(id=ids[n % 60]))
    return server.end(count)


def list_(program, home):
    return get(program, home, "/api/messages", 200)


def post(program, home, connections=32, each=200):
    """A `POST`, while as many others are under way as there are connections."""
    server = Counted(program, home)

    def some(first, count):
        client = http.client.HTTPConnection("127.0.0.1", server.port)
        for n in range(first, first + count):
            body = {"message_type": "Text", "content": f"message {n} of some words", "recipient": "group_1"}
            client.request("POST", "/api/messages", json.dumps(body), HEADERS)
            client.getresponse().read()

    def all_of_them(count):
        threads = [threading.Thread(target=some, args=[n * count, count]) for n in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_of_them(10)
    time.sleep(REST)
    server.control("-i", "on")
    all_of_them(each)
    time.sleep(REST)
    return server.end(connections * each)


def read_all(stream):
    while stream.recv(1 << 16):
        pass


def fan(program, home, sessions=50, count=300):
    """A `POST` that goes to so many sessions."""
    server = Counted(program, home)
    subscribers = [upgraded(server.port, "/ws/client", "") for _ in range(sessions)]
    for subscriber in subscribers:
        subscriber.sendall(masked(SUBSCRIBE.encode()))
        threading.Thread(target=read_all, args=[subscriber], daemon=True).start()
    server.post(0)
    time.sleep(REST)
    server.control("-i", "on")
    for n in range(count):
        server.post(n)
    time.sleep(REST)
    return server.end(count)


def inbound(program, home, count=5000):
    server = Counted(program, home)
    bot = upgraded(server.port, "/onebot/v11/ws", "X-Self-ID: 999999\r\nX-Client-Role: Universal\r\n")
    events = [masked(json.dumps({**group_message(n), "self_id": 999999}).encode()) for n in range(1, count + 201)]
    bot.sendall(b"".join(events[:200]))
    server.wait_for(200)
    time.sleep(REST)
    server.control("-i", "on")
    bot.sendall(b"".join(events[200:]))
    server.wait_for(200 + count)
    time.sleep(REST)
    return server.end(count)


def outbox(program, home, count=2000):
    """Messages that are set to wait again, each by a `PATCH`, which is counted too."""
    db, lines = f"{home}/a.redb", f"{home}/waiting.jsonl"
    with open(lines, "w") as file:
        file.writelines(json.dumps({**waiting(n), "status": "Canceled"}) + "\n" for n in range(count))
    subprocess.run([program, "import", lines, "--db", db], capture_output=True, check=True)
    server = Counted(program, home, "--loopback", "--db", db)
    ids = []
    while len(ids) < count:
        ids += [each["id"] for each in server.ask("GET", f"/api/messages?limit=200&offset={len(ids)}")["messages"]]
    server.control("-i", "on")
    for each in ids:
        server.ask("PATCH", f"/api/messages/{each}", '{"status":"Pending"}')
    server.wait_for(count, "sent")
    return server.end(count)


def outbox_at_start(program, home, few=1000, many=5000):
    """A message that waits when the server starts, with all that the start does for it."""

    def counted(count):
        db, lines = f"{home}/{count}.redb", f"{home}/{count}.jsonl"
        with open(lines, "w") as file:
            file.writelines(json.dumps(waiting(n)) + "\n" for n in range(count))
        subprocess.run([program, "import", lines, "--db", db], capture_output=True, check=True)
        server = Counted(program, home, "--loopback", "--db", db, is_counting=True)
        server.wait_for(count, "sent")
        time.sleep(REST)
        return server.end(1)

    before = counted(few)
    for name in glob.glob(f"{home}/count*"):
        os.remove(name)
    return (counted(many) - before) / (many - few)


def conversations(program, home, number, count=200):
    """Pages of 50 conversations, from the newest to somewhere in the middle of so many."""
    db, lines = f"{home}/a.redb", f"{home}/conversations.jsonl"
    with open(lines, "w") as file:
        file.writelines(json.dumps({**waiting(n), "recipient": f"group_{n}", "status": "Sent"}) + "\n" for n in range(number))
    subprocess.run([program, "import", lines, "--db", db], capture_output=True, check=True)
    server = Counted(program, home, "--db", db)
    page = server.ask("GET", "/api/conversations?limit=50")["conversations"]
    server.control("-i", "on")
    for _ in range(count):
        server.ask("GET", f"/api/conversations?limit=50&before={page[-1]['last_seq']}")
        server.ask("GET", f"/api/conversations?limit=50&before={page[-1]['last_seq'] - number // 2}")
    return server.end(2 * count)


def among_waiting(program, home, number, count=100):
    """A `POST` and a `GET` while so many messages wait for a platform that is not connected, each in a
    conversation of its own."""
    db, lines = f"{home}/a.redb", f"{home}/waiting.jsonl"
    with open(lines, "w") as file:
        file.writelines(
            json.dumps({**waiting(n), "recipient": f"group_{n}", "platform": "qq"}) + "\n" for n in range(number)
        )
    subprocess.run([program, "import", lines, "--db", db], capture_output=True, check=True)
    server = Counted(program, home, "--db", db)
    server.wait_for(number, "pending")
    ids = [server.post(n)["id"] for n in range(count)]
    server.settle()
    server.control("-i", "on")
    for n, each in enumerate(ids):
        server.post(n)
        server.ask("GET", f"/api/messages/{each}")
    return server.end(count)


JOBS = {
    "get": get,
    "list": list_,
    "post": post,
    "fan": fan,
    "inbound": inbound,
    "outbox": outbox,
    "outbox-at-start": outbox_at_start,
    "conversations-1000": functools.partial(conversations, number=1000),
    "conversations-100000": functools.partial(conversations, number=100_000),
    "waiting-1000": functools.partial(among_waiting, number=1000),
    "waiting-100000": functools.partial(among_waiting, number=100_000),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--only", default=",".join(JOBS))
    parser.add_argument("--keep", help="a folder for what callgrind writes")
    options = parser.parse_args()
    for job in options.only.split(","):
        counts = []
        for program in options.programs:
            home = tempfile.mkdtemp(prefix=f"{job}-", dir=options.keep)
            counts.append(JOBS[job](program, home))
            if not options.keep:
                shutil.rmtree(home)
        ratios = " ".join(f"{count / counts[0]:.2f}" for count in counts[1:])
        print(job, " ".join(f"{count:,.0f}" for count in counts), ratios)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
