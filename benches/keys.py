#!/usr/bin/env python3
"""From a key to the screen in the terminal client, while messages arrive.

    benches/keys.py [--rechat BINARY] [--rate 5000] [--secs 30] [--rounds 3] [--only none,others,open]

`rechat tui` runs in a terminal of 100 × 30 with a conversation open. Each 50 ms a letter is typed, and timed from when it
was due until the client has written it to the terminal. Meanwhile messages come by OneBot 11: none, in other conversations,
or in the open one. A figure is the median of the rounds, the longest time is that of all rounds. The client draws 30 times
a second at most, so a key that comes while others are drawn waits up to 33 ms.
"""

import argparse
import collections
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
import urllib.request

from paced import Pace, Socket, Times, ready
from table import Bench, cpu_of, group_message, masked, upgraded

EVERY = 0.05

# Letters that nothing else on the screen has.
LETTERS = "αβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюя"
DELETE = b"\x15"

# Seconds that a letter may take, or the server to store what is left.
PATIENCE = 10

KINDS = {"none": "no messages", "others": "messages in other conversations", "open": "messages in the open conversation"}

# The open conversation is the one that is there when the client starts.
OPEN = 1


def frame(n, group):
    return masked(json.dumps(group_message(n) | {"group_id": group}).encode())


class Client:
    """`rechat tui` in a terminal of its own."""

    def __init__(self, program, server, home):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            homes = {f"XDG_{each}_HOME": home for each in ("STATE", "CONFIG", "DATA")}
            arguments = [program, "tui", "--server", server, "--pictures", "off", "--notify", "off"]
            os.execve(program, arguments, {**os.environ, **homes, "TERM": "xterm-256color"})
        os.set_blocking(self.terminal, False)
        self.rest = b""

    def shown(self):
        """Its output since the last call; a letter that is cut comes with the next call."""
        try:
            data = self.rest + os.read(self.terminal, 1 << 16)
        except BlockingIOError:
            return ""
        except OSError:
            sys.exit("rechat tui ended")
        whole = len(data) - (data[-1:] >= b"\xc0")
        self.rest = data[whole:]
        return data[:whole].decode(errors="ignore")

    def type(self, keys):
        os.write(self.terminal, keys)

    def draws(self, letter, seconds):
        """Whether it draws a letter in this time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0] and letter in self.shown():
                return True
        return False

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def started(program, api, home):
    """A client that waits for text, with the conversation open."""
    client = Client(program, api.removesuffix("/api"), home)
    # It reads and draws by itself at first; the last letter cannot be there yet.
    client.draws(LETTERS[-1], 3)
    client.type(b"\r" + LETTERS[-1].encode())
    if not client.draws(LETTERS[-1], PATIENCE):
        sys.exit("rechat tui shows no text that is typed")
    client.type(DELETE)
    client.draws(LETTERS[-1], 1)
    return client


def key(number):
    """The letter, and what is typed. After all letters the text is deleted, and they begin anew with the second, the
    third and so on: a letter that stood at the same place before would not be drawn again."""
    turn, place = divmod(number, len(LETTERS))
    letter = LETTERS[(turn + place) % len(LETTERS)]
    return letter, (b"" if place else DELETE) + letter.encode()


def typed(client, account, frames, options):
    """Types letters while the messages come; gives the times until they were shown, and how many never were."""
    poll, times, waiting = select.epoll(), Times(), {}
    poll.register(client.terminal, select.EPOLLIN)
    poll.register(account, select.EPOLLIN)
    pace, keys = Pace(account, frames, options.rate), 0
    count = int(options.secs / EVERY)
    while keys < count or waiting:
        now, due = time.monotonic(), pace.began + (keys + 1) * EVERY
        if now >= due and keys < count:
            letter, pressed = key(keys)
            client.type(pressed)
            waiting[letter], keys = due, keys + 1
        if now > due + PATIENCE:
            break
        for descriptor in ready(poll, min(pace.send_due(now), due if keys < count else now + EVERY)):
            if descriptor == account.fileno():
                account.texts()
                continue
            shown, now = client.shown(), time.monotonic()
            for letter in waiting.keys() & set(shown):
                times.add(now - waiting.pop(letter))
    poll.close()
    return times, len(waiting)


class Keys:
    def __init__(self, options):
        self.options, self.bench = options, Bench(options)
        self.rows, self.own = collections.defaultdict(list), []

    def measure(self, kind):
        rate, secs = self.options.rate, self.options.secs
        server = self.bench.rechat()
        account = Socket(upgraded(server.port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n"))
        account.send(frame(1, OPEN))
        total(server, 1)
        groups = {"others": lambda n: OPEN + 1 + n % 19, "open": lambda _: OPEN}.get(kind)
        frames = [frame(n, groups(n)) for n in range(2, rate * secs + 2)] if groups else []
        client = started(os.path.abspath(self.options.rechat), server.api, tempfile.mkdtemp(dir=self.bench.work))
        spent, own, began = [cpu_of(pid) for pid in (client.pid, server.pid)], time.process_time(), time.monotonic()
        times, unseen = typed(client, account, frames, self.options)
        took = time.monotonic() - began
        cores = [(cpu_of(pid) - before) / took for pid, before in zip((client.pid, server.pid), spent)]
        self.own.append((time.process_time() - own) / took)
        stored = total(server, 1 + len(frames)) - 1
        client.stop()
        server.stop()
        p50, p99, longest = times.within(0.5, 0.99, 1)
        name = KINDS[kind] + (f", {rate}/s" if frames else "")
        self.rows[name].append((p50, p99, longest, unseen, len(frames) - stored, *cores))
        print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms", end=", ", file=sys.stderr)
        print(f"{unseen} not shown, {len(frames) - stored} messages lost", file=sys.stderr, flush=True)

    def table(self):
        print("| meanwhile | p50 | p99 | longest | not shown | messages lost | client | server |\n" + "| --- " * 8 + "|")
        for row, runs in self.rows.items():
            p50, p99, client, server = (statistics.median(run[i] for run in runs) for i in (0, 1, 5, 6))
            longest, unseen, lost = max(run[2] for run in runs), sum(run[3] for run in runs), sum(run[4] for run in runs)
            cells = [f"{p50:.1f} ms", f"{p99:.1f} ms", f"{longest:.1f} ms", unseen, lost, f"{client:.0%}", f"{server:.0%}"]
            print(f"| {row} | {' | '.join(map(str, cells))} |")
        if self.own:
            print(f"\nClient and server: processor time, of a core. The bench itself took at most {max(self.own):.0%} of a core.")


def total(server, wanted):
    """How many messages the server has, as soon as it has those that are wanted."""
    end = time.monotonic() + PATIENCE
    while True:
        stored = json.load(urllib.request.urlopen(f"{server.api}/stats"))["total"]
        if stored >= wanted or time.monotonic() > end:
            return stored
        time.sleep(0.02)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rechat", default=os.path.join(here, "../target/release/rechat"))
    parser.add_argument("--rate", type=int, default=5000, help="messages a second")
    parser.add_argument("--secs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(KINDS))
    keys = Keys(parser.parse_args())
    try:
        for _ in range(keys.options.rounds):
            for kind in keys.options.only.split(","):
                keys.measure(kind)
    finally:
        shutil.rmtree(keys.bench.work, ignore_errors=True)
        keys.table()


if __name__ == "__main__":
    main()
