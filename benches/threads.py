#!/usr/bin/env python3
"""Tells in which threads servers spend processor time on an operation, and how often these threads wait.

    benches/threads.py --lab LAB [--rounds 3] [--secs 2] [--only start,post,inbound,outbox] [--perf FOLDER] PROGRAM...

Each round runs a job on one program after the other, every second round the other way around. A row is a
thread: processor time of each operation in µs, and how often it waited and was interrupted; medians of the
rounds. Threads that ended before their job did are only in the total. `start` is all that a start takes, in
µs. With --perf, FOLDER gets a profile of each job (`perf report -i`); its programs have to be built with
`--config profile.release.debug=1 --config profile.release.strip=false` and
`RUSTFLAGS=-Cforce-frame-pointers=yes`. Times of two programs are only comparable if they were built in the
same way.
"""

import collections
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from table import Bench, cpu_of, group_message, masked, options_of, upgraded, waiting

#: How long `start` goes on, in seconds.
START = 2


def threads_of(pid):
    """By name: processor time in µs, how often it waited, and how often it was interrupted."""
    found = collections.defaultdict(lambda: [0, 0, 0])
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            read = lambda name: open(f"/proc/{pid}/task/{task}/{name}").read()
            name, spent, status = read("comm").strip(), read("schedstat").split()[0], read("status")
        except OSError:
            continue
        waits = re.findall(r"voluntary_ctxt_switches:\s*(\d+)", status)
        for i, more in enumerate((int(spent) / 1000, *map(int, waits))):
            found["main" if task == str(pid) else name][i] += more
    return found


class Measured:
    """A program that jobs are run on."""

    def __init__(self, program, options):
        self.program, self.options = program, options
        self.bench = Bench(type(options)(**{**vars(options), "rechat": program}))
        self.profile = None

    def begin(self, server, job, is_whole=False):
        """Begins to count; with `is_whole`, all since the start of the server counts."""
        if self.options.perf:
            path = os.path.join(self.options.perf, f"{os.path.basename(self.program)}-{job}.data")
            command = ["perf", "record", "-q", "-F", "4000", "-g", "-o", path, "-p", str(server.pid)]
            self.profile = subprocess.Popen(command)
            time.sleep(0.3)
        self.before = {} if is_whole else threads_of(server.pid)
        self.spent = 0 if is_whole else cpu_of(server.pid)

    def end(self, server, operations):
        spent = (cpu_of(server.pid) - self.spent) * 1e6 / operations
        rows = {"total": [spent, 0, 0]}
        for name, counts in threads_of(server.pid).items():
            before = self.before.get(name, [0, 0, 0])
            rows[name] = [(now - then) / operations for now, then in zip(counts, before)]
        if self.profile:
            self.profile.send_signal(signal.SIGINT)
            self.profile.wait()
        server.stop()
        return rows

    def stats(self, server):
        return json.load(urllib.request.urlopen(f"{server.api}/stats"))

    def wait_for(self, server, count, what):
        while self.stats(server)[what] < count:
            time.sleep(0.01)

    def start(self):
        server = self.bench.rechat()
        self.begin(server, "start", is_whole=True)
        time.sleep(START)
        return self.end(server, 1)

    def post(self):
        server = self.bench.rechat()
        load = [os.path.join(self.options.lab, "load"), "post", "--url", f"{server.api}/messages", "--warm", "0"]
        subprocess.run([*load, "--secs", "1"], capture_output=True)
        before = self.stats(server)["total"]
        self.begin(server, "post")
        subprocess.run([*load, "--secs", str(self.options.secs)], capture_output=True)
        return self.end(server, self.stats(server)["total"] - before)

    def inbound(self, events=60_000):
        server = self.bench.rechat()
        bot = upgraded(server.port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n")
        frames = [masked(json.dumps(group_message(n)).encode()) for n in range(1, events + 1)]
        self.begin(server, "inbound")
        bot.sendall(b"".join(frames))
        self.wait_for(server, events, "total")
        return self.end(server, events)

    def outbox(self, messages=30_000):
        home = tempfile.mkdtemp(dir=self.bench.work)
        lines, db = os.path.join(home, "waiting.jsonl"), os.path.join(home, "a.redb")
        with open(lines, "w") as file:
            file.writelines(json.dumps(waiting(n)) + "\n" for n in range(messages))
        subprocess.run([self.program, "import", lines, "--db", db], capture_output=True, check=True)
        server = self.bench.rechat("--loopback", "--db", db)
        self.begin(server, "outbox", is_whole=True)
        self.wait_for(server, messages, "sent")
        return self.end(server, messages)


def show(job, program, runs):
    def median(name, i):
        return statistics.median(run.get(name, [0, 0, 0])[i] for run in runs)

    names = {name for run in runs for name in run if median(name, 0) > 0.05}
    for name in sorted(names, key=lambda name: -median(name, 0)):
        spent, waited, interrupted = (median(name, i) for i in range(3))
        switches = "" if name == "total" else f", {waited:.3f} waits, {interrupted:.3f} interruptions"
        print(f"{job}, {os.path.basename(program)}, {name}: {spent:,.2f} µs{switches}")
    sys.stdout.flush()


def main():
    parser = options_of(__doc__)
    parser.set_defaults(only="start,post,inbound,outbox", secs=2)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--perf", help="a folder for profiles")
    options = parser.parse_args()
    options.alone = True
    programs = [Measured(program, options) for program in options.programs]
    try:
        for job in options.only.split(","):
            runs = [[] for _ in programs]
            for turn in range(options.rounds):
                for program, its_runs in list(zip(programs, runs))[:: -1 if turn % 2 else 1]:
                    its_runs.append(getattr(program, job)())
            for program, its_runs in zip(programs, runs):
                show(job, program.program, its_runs)
    finally:
        for program in programs:
            shutil.rmtree(program.bench.work, ignore_errors=True)


if __name__ == "__main__":
    main()
