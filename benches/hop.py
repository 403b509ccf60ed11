#!/usr/bin/env python3
"""The whole way of a message, beside bot frameworks: told by an OneBot 11 implementation, passed on to a bot and to sessions.

    benches/hop.py [--rechat BINARY] [--rate 1000] [--secs 60] [--rounds 3] [--sessions 100]
                   [--only rechat,nonebot,koishi] [--peers FOLDER]

The bench is the implementation, the bot and the sessions. Group messages are told at a steady rate. rechat passes each on
to a bot that dialled in by OneBot 11 and to sessions of /ws/client. NoneBot and Koishi answer the same messages, with an
action for each: the least that a bot of theirs can do. A time is counted from when a message was due. The ways take turns;
a figure is the median of the rounds, the longest time is that of all rounds. A framework that does not keep up (99 of 100
within 1 s, none later than 5 s) is tried with 500, 200 and 100 a second; its row then counts as lost what it had not
answered when it was given up, and its times are those of the others.

FOLDER has `nonebot` and `koishi`, each with a program `run` that was run once, so that everything is installed: it serves
OneBot 11 at $PORT and answers `/echo TEXT` with TEXT. What is not installed is left out.
"""

import argparse
import collections
import json
import os
import select
import shutil
import statistics
import sys
import time

from paced import Pace, Socket, Times, ready
from table import SUBSCRIBE, Bench, Program, cpu_of, free_port, group_message, masked, upgraded

MARK = b"hop-"
ACCOUNT = 10001000
SLOWER = (500, 200, 100)

# Seconds that a message may be late before the way has lost it, or the framework does not keep up.
PATIENCE = 5

FRAMEWORKS = {
    "nonebot": ("NoneBot", "/onebot/v11/ws", ".venv/bin/python"),
    "koishi": ("Koishi", "/onebot", "node_modules/koishi"),
}


def frames(count):
    for n in range(count):
        text, event = f"/echo {MARK.decode()}{n:08}", group_message(n + 1)
        event |= {"self_id": ACCOUNT, "raw_message": text, "message": [{"type": "text", "data": {"text": text}}]}
        yield masked(json.dumps(event).encode())


def dialled(port, path):
    return Socket(upgraded(port, path, f"X-Self-ID: {ACCOUNT}\r\nX-Client-Role: Universal\r\n"))


def answer(action):
    """The answers of an implementation that knows itself and sends messages, and does no more."""
    if action["action"] == "get_login_info":
        told = {"status": "ok", "retcode": 0, "data": {"user_id": ACCOUNT, "nickname": "bench"}}
    elif action["action"].startswith("send_"):
        told = {"status": "ok", "retcode": 0, "data": {"message_id": time.monotonic_ns() % (1 << 31)}}
    else:
        told = {"status": "failed", "retcode": 1404, "data": None}
    return masked(json.dumps(told | {"echo": action.get("echo")}).encode())


class Receiver:
    """Reads marked messages, times them and checks their order."""

    def __init__(self, socket, times, is_account=False):
        self.socket, self.times, self.is_account = socket, times, is_account
        self.count = self.disorder = 0
        # The number behind the greatest that came.
        self.next = 0

    def read(self, pace):
        texts = self.socket.texts()
        now = time.monotonic()
        for text in texts:
            at = text.find(MARK)
            if at >= 0:
                number = int(text[at + 4 : at + 12])
                self.disorder += number < self.next
                self.next, self.count = max(self.next, number + 1), self.count + 1
                self.times.add(now - pace.due(number))
            if self.is_account:
                self.socket.send(answer(json.loads(text)))


def passed(account, receivers, timed, frames, rate, pid):
    """Tells all messages, until all of `timed` have them or have waited too long; gives the server's processor time for
    each message in µs, and the part of a core that the bench took."""
    poll, by_descriptor = select.epoll(), {each.socket.fileno(): each for each in receivers}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    spent, own, pace = cpu_of(pid), time.process_time(), Pace(account, frames, rate)
    while True:
        now = time.monotonic()
        behind = min(each.count for each in timed)
        if behind == len(frames) or now > pace.due(behind) + PATIENCE:
            break
        for descriptor in ready(poll, pace.send_due(now)):
            by_descriptor[descriptor].read(pace)
    poll.close()
    took = time.monotonic() - pace.began
    return (cpu_of(pid) - spent) / max(pace.sent, 1) * 1e6, (time.process_time() - own) / took


class Hop:
    def __init__(self, options):
        self.options, self.bench = options, Bench(options)
        self.rows, self.own, self.rates = collections.defaultdict(list), [], {}

    def note(self, row, timed, cpu, own, count):
        """Gives whether nothing was lost, and 99 of 100 came within a second."""
        times = timed[0].times.within(0.5, 0.99, 1)
        lost, disorder = sum(count - each.count for each in timed), sum(each.disorder for each in timed)
        self.rows[row].append((*times, lost, disorder, cpu))
        self.own.append(own)
        print("%s: p50 %.2f ms, p99 %.2f ms, longest %.2f ms" % (row, *times), end=", ", file=sys.stderr)
        print(f"{lost} lost, {disorder} out of order, {cpu:.0f} µs, bench {own:.0%} of a core", file=sys.stderr, flush=True)
        return times[1] < 1000 and not lost

    def rechat(self):
        config = os.path.join(self.bench.work, "hop.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[[bot]]\nname = "hop"\nkind = "onebot11"\n')
        server = self.bench.rechat("--config", config)
        account = Receiver(dialled(server.port, "/onebot/v11/ws"), Times(), is_account=True)
        bot = Receiver(until_taken(server.port, "/bots/hop/onebot/v11"), Times())
        times, sessions = Times(), []
        for _ in range(self.options.sessions):
            session = Socket(upgraded(server.port, "/ws/client", ""))
            session.send(masked(SUBSCRIBE.encode()))
            while not session.texts():
                select.select([session], [], [], PATIENCE)
            sessions.append(Receiver(session, times))
        rate = self.options.rate
        all_frames = list(frames(rate * self.options.secs))
        timed = [bot, *sessions]
        cpu, own = passed(account.socket, [account, *timed], timed, all_frames, rate, server.pid)
        self.note(f"rechat, to a bot, {rate}/s", [bot], cpu, own, len(all_frames))
        if sessions:
            self.note(f"rechat, to {len(sessions)} sessions, {rate}/s", sessions, cpu, own, len(all_frames))
        server.stop()

    def framework(self, name):
        """Measures at the greatest rate with which it keeps up."""
        title, path, proof = FRAMEWORKS[name]
        folder = os.path.join(self.options.peers, name)
        if not os.path.exists(os.path.join(folder, proof)):
            print(f"{title} is left out: it is not installed in {folder}; run its `run` once", file=sys.stderr)
            return
        greatest = self.rates.get(name, self.options.rate)
        for rate in (greatest, *(slower for slower in SLOWER if slower < greatest)):
            self.rates[name] = rate
            if self.answered(f"{title}, to its action, {rate}/s", folder, path, rate):
                return

    def answered(self, row, folder, path, rate):
        port = free_port()
        program = os.path.join(os.path.abspath(folder), "run")
        server = Program(port, program, PORT=str(port), SELF=str(ACCOUNT), TOKEN="", LOG_LEVEL="ERROR")
        try:
            account = Receiver(until_taken(port, path), Times(), is_account=True)
            all_frames = list(frames(rate * self.options.secs))
            cpu, own = passed(account.socket, [account], [account], all_frames, rate, server.pid)
            return self.note(row, [account], cpu, own, len(all_frames))
        finally:
            # Its own end would wait for what it has not answered.
            server.process.kill()
            server.process.wait()

    def table(self):
        print("| way | p50 | p99 | longest | lost | out of order | CPU a message |\n" + "| --- " * 7 + "|")
        for row, runs in self.rows.items():
            p50, p99, cpu = (statistics.median(run[i] for run in runs) for i in (0, 1, 5))
            longest, lost, disorder = max(run[2] for run in runs), sum(run[3] for run in runs), sum(run[4] for run in runs)
            print(f"| {row} | {p50:.2f} ms | {p99:.2f} ms | {longest:.2f} ms | {lost} | {disorder} | {cpu:.0f} µs |")
        if self.own:
            delays = ": it delays what it measures" if max(self.own) > 0.6 else ""
            print(f"\nThe bench itself took at most {max(self.own):.0%} of a core{delays}.")


def until_taken(port, path):
    """Dials until the other side takes the account: it may still be starting."""
    end = time.monotonic() + 30
    while True:
        try:
            return dialled(port, path)
        except ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rechat", default=os.path.join(here, "../target/release/rechat"))
    parser.add_argument("--rate", type=int, default=1000, help="messages a second")
    parser.add_argument("--secs", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--only", default="rechat,nonebot,koishi")
    parser.add_argument("--peers", default=os.path.join(here, "../../shared/peers"))
    options = parser.parse_args()
    hop = Hop(options)
    try:
        for _ in range(options.rounds):
            for way in options.only.split(","):
                hop.rechat() if way == "rechat" else hop.framework(way)
    finally:
        shutil.rmtree(hop.bench.work, ignore_errors=True)
        hop.table()


if __name__ == "__main__":
    main()
