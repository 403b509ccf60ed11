#!/usr/bin/env python3
"""Memory of a running server that builds its search index, beside one that only reads all messages.

    cargo bench --bench search -- 1000000 FOLDER         # leaves the texts
    benches/search_memory.py FOLDER [--messages 3000000] [--rechat BINARY]

The store is filled over OneBot 11 with the texts. Memory is what the process holds, at most.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from table import Program, free_port, group_message, masked, upgraded


def megabytes(server):
    with open(f"/proc/{server.pid}/status") as status:
        return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) / 1024


def metric(server, name):
    text = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics").read().decode()
    return int(re.search(rf"^{name} (\d+)", text, re.MULTILINE)[1])


def fill(server, texts, count):
    bot = upgraded(server.port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n")
    lines = itertools.islice(itertools.cycle(texts), count)
    for number, text in enumerate(lines, 1):
        said = [{"type": "text", "data": {"text": text}}]
        bot.sendall(masked(json.dumps({**group_message(number), "message": said}).encode()))
    while json.load(urllib.request.urlopen(f"http://127.0.0.1:{server.port}/api/stats"))["total"] < count:
        time.sleep(0.1)


def wait_for_index(server):
    while metric(server, "rechat_search_missing_messages"):
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--messages", type=int, default=3_000_000)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--rechat", default=os.path.join(here, "../target/release/rechat"))
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="rechat-search-", dir=options.folder)
    store = os.path.join(work, "rechat.redb")

    def started():
        port = free_port()
        command = [options.rechat, "serve", "--listen", f"127.0.0.1:{port}", "--db", store]
        return Program(port, *command, XDG_DATA_HOME=work, XDG_CONFIG_HOME=work)

    try:
        server = started()
        with open(os.path.join(options.folder, "texts.txt")) as texts:
            fill(server, texts.read().splitlines(), options.messages)
        wait_for_index(server)
        print(f"{options.messages} messages stored and indexed: {megabytes(server):.0f} MB")
        server.stop()

        server = started()
        print(f"started again: {megabytes(server):.0f} MB")
        export = [options.rechat, "export", "--server", f"http://127.0.0.1:{server.port}"]
        subprocess.run(export, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        print(f"all messages read: {megabytes(server):.0f} MB")
        server.stop()

        shutil.rmtree(store + "-search")
        server = started()
        while not metric(server, "rechat_search_index_bytes"):
            time.sleep(0.1)
        wait_for_index(server)
        print(f"index built anew: {megabytes(server):.0f} MB, {metric(server, 'rechat_search_index_bytes') / 1e6:.0f} MB of files")
        server.stop()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
