"""A bot on NoneBot: it connects to the Satori server at $ENDPOINT, and knows /echo and /img."""

import os
from urllib.parse import urlsplit

import nonebot
from nonebot.adapters import Message
from nonebot.adapters.satori import Adapter, MessageSegment
from nonebot.params import CommandArg

server = urlsplit(os.environ["ENDPOINT"])
client = {
    "host": server.hostname,
    "port": server.port,
    "path": server.path.lstrip("/"),
    "token": os.environ["TOKEN"],
}
nonebot.init(driver="~httpx+~websockets", command_start={"/"}, satori_clients=[client])
nonebot.get_driver().register_adapter(Adapter)

echo = nonebot.on_command("echo")
picture = nonebot.on_command("img")


@echo.handle()
async def answer(said: Message = CommandArg()):
    await echo.finish(said)


@picture.handle()
async def show():
    await picture.finish(MessageSegment.image(raw=b"\x89PNG\r\n\x1a\n", mime="image/png") + "pic")


nonebot.run()
