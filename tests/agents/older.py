"""An older official client of Python (PyPI `mcp` 1.12), which speaks 2025-06-18, against rechat.

    older.py PROGRAM URL

The store has one conversation, `loopback/group_1`, and its first message is "hello".
"""

import asyncio
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


async def check(streams, name):
    async with streams as (read, write, *_), ClientSession(read, write) as client:
        hello = await client.initialize()
        assert hello.protocolVersion == "2025-06-18", hello.protocolVersion
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert "read_messages" in tools and "send_message" in tools, tools
        # The client checks each structured result against the schema of its tool.
        place = {"platform": "loopback", "conversation": "group_1"}
        page = await client.call_tool("read_messages", place)
        assert not page.isError and page.structuredContent["messages"][0]["text"] == "hello", page
        sent = {**place, "text": "hi", "idempotency_key": f"older-{name}"}
        sent = (await client.call_tool("send_message", sent)).structuredContent
        assert sent["status"] == "Sent", sent
        resources = (await client.list_resources()).resources
        read = await client.read_resource(resources[0].uri)
        assert "hello" in read.contents[0].text
        print(f"{name}: {hello.protocolVersion}")


async def main(program, url):
    local = StdioServerParameters(command=program, args=["mcp"], env=dict(os.environ))
    await check(stdio_client(local), "stdio")
    await check(streamablehttp_client(url), "HTTP")


asyncio.run(main(*sys.argv[1:]))
