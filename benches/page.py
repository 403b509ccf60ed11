#!/usr/bin/env python3
"""Measures the web page in Chromium: its size, its first view, and its frames while somebody scrolls.

    rechat serve --listen 127.0.0.1:7280 --db page.redb &
    benches/page.py 7280 [--messages 100000] [--conversations 5000] [--loads 5]

The store is filled first, as far as it is not. A frame is what the page's own thread works between
two frames, in its processor time, so that other programs on the machine do not count.
"""

import argparse
import json
import re
import statistics
import time
import urllib.request

from chromium import Chromium
from table import masked, upgraded

# The conversation with many messages, and the time of its first one.
LONG = 1
BEGAN = 1_700_000_000

WORDS = [
    "Who is in for Saturday? The weather looks fine.", "Me!", "我也去，几点集合？",
    "Seven at the station. Bring water, there is none on the way, and a jacket: it can be windy on the ridge.",
    "Notes are at https://wiki.example.com/ops/node3 for those who missed it",
]  # fmt: skip

# Notes when the page first shows what somebody waits for: two frames later it is on the screen.
WATCH = """
    const look = () => document.querySelector(%s)
        ? requestAnimationFrame(() => requestAnimationFrame(() => { window.firstView = performance.now(); }))
        : requestAnimationFrame(look);
    requestAnimationFrame(look);
"""

# Scrolls a part of the page by so many pixels in each of so many frames.
SCROLL = """
    const place = document.querySelector(%s);
    for (let n = 0; n < %d; n += 1) {
        await new Promise(requestAnimationFrame);
        place.scrollTop += %d;
    }
    return place.scrollTop;
"""


def event(number, group):
    person = 1 + number * 7 // 3 % 40
    return json.dumps({
        "time": BEGAN + number * 60, "self_id": 1, "post_type": "message", "message_type": "group", "sub_type": "normal",
        "message_id": number, "group_id": group, "group_name": f"Group {group}", "user_id": person, "font": 0,
        "message": [{"type": "text", "data": {"text": f"{number}: {WORDS[number % len(WORDS)]}"}}], "raw_message": "",
        "sender": {"user_id": person, "nickname": f"user {person}", "card": ""},
    }).encode()  # fmt: skip


def fill(server, port, messages, conversations):
    def total():
        return json.load(urllib.request.urlopen(f"{server}/api/stats"))["total"]

    wanted = messages + conversations - 1
    if total() >= wanted:
        return
    bot = upgraded(port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n")
    for number in range(wanted):
        group = LONG if number < messages else number - messages + LONG + 1
        bot.sendall(masked(event(number, group)))
    while total() < wanted:
        time.sleep(0.1)


def conversation(server):
    return f"{server}/#messages?platform=qq&conversation=group_{LONG}"


def icon(server):
    """Address of the page's icon: it takes what any address takes in this browser on this machine."""
    page = urllib.request.urlopen(f"{server}/").read().decode()
    return f"{server}/{re.search(r'page/[0-9a-f]+/icon.svg', page)[0]}"


def size(tab):
    """Bytes of the page as they were transferred, without what it asked of the API."""
    return tab.run(
        "return performance.getEntries().filter((e) => 'encodedBodySize' in e && !e.name.includes('/api/'))"
        ".reduce((sum, e) => sum + e.encodedBodySize, 0)"
    )


def first_view(tab, url, shown):
    """Milliseconds from the request for the page until something is on the screen, and how many of them the
    page's thread worked, in its processor time."""
    watch = tab.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH % json.dumps(shown))["identifier"]
    tab.go("about:blank")
    before = worked(tab)
    tab.go(url)
    taken = tab.until("return window.firstView")
    tab.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=watch)
    return taken, worked(tab) - before


def worked(tab):
    metrics = tab.ask("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration") * 1000


def load_all(tab, messages):
    """Scrolls back until the first message of all is there."""
    first = f"return [...document.querySelectorAll('.message .text')].some((line) => line.textContent === '0: {WORDS[0]}')"
    began = time.monotonic()
    while not tab.run(f"document.querySelector('.scroller').scrollTop = 0; await new Promise(requestAnimationFrame); {first}"):
        pass
    return messages / (time.monotonic() - began)


def frames(tab, place, count, pixels):
    """Processor time of the page's thread for each frame of a scroll, in milliseconds."""
    categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline.frame", "__metadata"]
    tab.ask("Tracing.start", transferMode="ReportEvents", traceConfig={"includedCategories": categories})
    end = tab.run(SCROLL % (json.dumps(place), count, pixels))
    tab.ask("Tracing.end")
    events = []
    while not any(told.get("method") == "Tracing.tracingComplete" for told in tab.events):
        tab.events.append(tab.receive())
    for told in tab.events:
        if told.get("method") == "Tracing.dataCollected":
            events += told["params"]["value"]
    tab.events.clear()
    return per_frame(events), end


def per_frame(events):
    begins = [e for e in events if e["name"] == "BeginMainThreadFrame"]
    threads = [(e["pid"], e["tid"]) for e in begins]
    page = max(set(threads), key=threads.count)
    starts = sorted(e["ts"] for e in begins if (e["pid"], e["tid"]) == page)
    tasks = [e for e in events if (e["pid"], e["tid"]) == page and e["ph"] == "X" and e["name"].endswith("RunTask")]
    work = [0] * len(starts)
    frame = 0
    for task in sorted(tasks, key=lambda e: e["ts"]):
        while frame + 1 < len(starts) and task["ts"] + task["dur"] > starts[frame + 1]:
            frame += 1
        work[frame] += task.get("tdur", 0)
    return [one / 1000 for one in work[1:-1]]


def told(name, milliseconds):
    ordered = sorted(milliseconds)
    late = sum(one > 16 for one in ordered)
    middle, most = statistics.median(ordered), ordered[len(ordered) * 99 // 100]
    print(f"{name}: {len(ordered)} frames, median {middle:.1f} ms, 99 of 100 below {most:.1f} ms, "
          f"longest {ordered[-1]:.1f} ms, over 16 ms {late}", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    for name, usual in [("messages", 100_000), ("conversations", 5_000), ("loads", 5)]:
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    server = f"http://127.0.0.1:{options.port}"
    fill(server, options.port, options.messages, options.conversations)
    with Chromium() as tab:
        tab.ask("Performance.setTimeDomain", timeDomain="threadTicks")
        tab.ask("Performance.enable")
        views = [
            ("an icon alone, to compare with", icon(server), "svg"),
            ("list of conversations", f"{server}/#messages", ".row.conversation"),
            ("conversation", conversation(server), ".message"),
        ]
        for name, url, shown in views:
            taken = [first_view(tab, url, shown) for _ in range(options.loads + 1)]
            again, work = (statistics.median(column) for column in zip(*taken[1:]))
            print(f"{name}: first view after {taken[0][0]:.0f} ms, {again:.0f} ms when visited again, "
                  f"of which the page works {work:.0f} ms", flush=True)  # fmt: skip
            if shown == ".row.conversation":
                print(f"page: {size(tab) / 1000:.1f} kB transferred", flush=True)
        tab.until("return document.querySelector('.down')?.hidden === false || document.querySelectorAll('.message').length > 20")
        told("conversation, from where it opens", frames(tab, ".scroller", 600, -120)[0])
        print(f"conversation: {load_all(tab, options.messages):.0f} messages a second while going back to the first")
        told("conversation, all messages loaded, down", frames(tab, ".scroller", 600, 120)[0])
        tab.go("about:blank")
        tab.go(f"{server}/#messages")
        tab.until(f"return document.querySelector('.row.conversation')?.getAttribute('aria-setsize') === '{options.conversations}'")
        told("list of conversations", frames(tab, ".sidebar .list", 600, 120)[0])


if __name__ == "__main__":
    main()
