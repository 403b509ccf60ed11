#!/usr/bin/env python3
"""Dials in to a rechat server as an OneBot 11 implementation with some chats: chat.py PORT"""

import asyncio
import json
import sys
import time

import websockets

GROUPS = {1: "Harbour crew", 2: "Rust 交流群", 3: "ops-alerts", 4: "年夜饭 🧧"}
SAID = [
    (3, "watchdog", "disk of node-4 at 91 %"),
    (2, "小明", "新版本的 borrow checker 你们试过了吗？我今天升级之后编译快了不少。"),
    (2, "Γιώργος", "Not yet, but the release notes look good."),
    (4, "妈妈", "除夕大家都回来吃饭，记得早点买票。"),
    (4, "محمد", "شكرا على الدعوة 👍"),
    (3, "watchdog", "disk of node-4 at 74 %"),
    (2, "小明", "https://blog.rust-lang.org/"),
    (0, "Mallory", "look at invoice\u202efdp.exe"),
    (1, "Alice", "Morning! The tide is at six tomorrow, so we should have the ropes out by half past five."),
    (1, "Zoë", "I'll be there. Does anybody know whether the crane is free? We need it for the long mast and the two crates of the Aurora."),
    (1, "Bo", "Depends on the ferry:\n  06:10 arrives\n  06:40 leaves"),
    (1, "Alice", "👩‍🚀 will know"),
]


async def main():
    head = {"X-Self-ID": "424242", "X-Client-Role": "Universal"}
    url = f"ws://127.0.0.1:{sys.argv[1]}/onebot/v11/ws"
    async for socket in websockets.connect(url, additional_headers=head):
        asyncio.create_task(answer(socket))
        for number, (group, who, text) in enumerate(SAID):
            await socket.send(json.dumps(event(number, group, who, text)))
        await asyncio.sleep(11)
        await socket.send(json.dumps(event(100, 4, "妈妈", "票买好了吗？")))
        await asyncio.sleep(600)


async def answer(socket):
    async for text in socket:
        asked = json.loads(text)
        data = {"message_id": 1000, "user_id": 424242, "nickname": "me"}
        await socket.send(json.dumps({"status": "ok", "retcode": 0, "data": data, "echo": asked.get("echo")}))


def event(number, group, who, text):
    user = 10000 + sum(who.encode())
    where = {"message_type": "group", "group_id": group, "group_name": GROUPS[group]} if group else {"message_type": "private"}
    return {
        "time": int(time.time()) - 600 + 40 * number,
        "self_id": 424242,
        "post_type": "message",
        "message_id": number + 1,
        "user_id": user,
        "sender": {"user_id": user, "nickname": who},
        "message": [{"type": "text", "data": {"text": text}}],
        **where,
    }


asyncio.run(main())
