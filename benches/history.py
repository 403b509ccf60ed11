#!/usr/bin/env python3
"""Fills a running server as an OneBot 11 implementation would: so many messages of 1,000 groups.

    rechat serve --listen 127.0.0.1:7280 --db big.redb &
    benches/history.py 7280 10000000
"""

import json
import sys
import time
import urllib.request

from table import masked, upgraded

BEGAN = 1_700_000_000
EVENT = (
    '{"time":%d,"self_id":1,"post_type":"message","message_type":"group","sub_type":"normal","message_id":%d,'
    '"group_id":%d,"user_id":%d,"message":[{"type":"text","data":{"text":"%s"}}],"raw_message":"","font":0,'
    '"sender":{"user_id":%d,"nickname":"user %d","card":""}}'
)


def event(n):
    text = f"message {n} of a long history, with some words in it"
    return EVENT % (BEGAN + n // 10, n, 1 + n % 1000, 1 + n % 5000, text, 1 + n % 5000, n % 5000)


def main():
    if len(sys.argv) != 3 or not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit(__doc__)
    port, count = int(sys.argv[1]), int(sys.argv[2])
    stats, began = f"http://127.0.0.1:{port}/api/stats", time.monotonic()
    wanted = count + json.load(urllib.request.urlopen(stats))["total"]
    bot = upgraded(port, "/onebot/v11/ws", "X-Self-ID: 1\r\nX-Client-Role: Universal\r\n")
    for first in range(1, count + 1, 1000):
        frames = (masked(event(n).encode()) for n in range(first, min(first + 1000, count + 1)))
        bot.sendall(b"".join(frames))
    while json.load(urllib.request.urlopen(stats))["total"] < wanted:
        time.sleep(0.01)
    print(f"{count} messages in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
