"""The official client of Python (PyPI `mcp`) against rechat, over standard input and output and over HTTP.

    official.py PROGRAM URL

The store has one conversation, `loopback/group_1`, and its first message is "hello".
"""

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters


async def check(target, mode, version):
    async with Client(target, mode=mode, read_timeout_seconds=60) as client:
        assert client.protocol_version == version, client.protocol_version
        assert client.server_info.name == "rechat"
        assert "data" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["read_messages"].annotations.read_only_hint
        assert tools["send_message"].annotations.destructive_hint
        # The client checks each structured result against the schema of its tool.
        page = (await client.call_tool("list_conversations", {})).structured_content
        assert [one["conversation"] for one in page["conversations"]] == ["group_1"], page
        place = {"platform": "loopback", "conversation": "group_1"}
        page = (await client.call_tool("read_messages", place)).structured_content
        assert page["messages"][0]["text"] == "hello", page
        first = page["messages"][0]["id"]
        found = (await client.call_tool("search_messages", {"text": "HELL"})).structured_content
        assert first in [message["id"] for message in found["messages"]]
        waited = {"since": first, "seconds": 0, "include_own": True}
        waited = (await client.call_tool("wait_for_messages", waited)).structured_content
        assert "cursor" in waited
        sent = {**place, "text": "hi", "idempotency_key": f"{mode}-{version}"}
        sent = [(await client.call_tool("send_message", sent)).structured_content for _ in range(2)]
        assert sent[0]["status"] == "Sent" and sent[0]["id"] == sent[1]["id"], sent
        wrong = await client.call_tool("get_message", {"id": "nothing"})
        assert wrong.is_error and "`id`" in wrong.content[0].text, wrong
        resources = (await client.list_resources()).resources
        read = await client.read_resource(resources[0].uri)
        assert "hello" in read.contents[0].text


async def main(program, url):
    local = StdioServerParameters(command=program, args=["mcp"], env=dict(os.environ))
    for target in (local, url):
        for mode, version in (("legacy", "2025-11-25"), ("auto", "2026-07-28")):
            await check(target, mode, version)
            print(f"{'HTTP' if target is url else 'stdio'}: {version}")


asyncio.run(main(*sys.argv[1:]))
