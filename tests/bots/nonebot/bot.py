"""A bot on NoneBot: it listens for OneBot 11 at 127.0.0.1:$PORT/onebot/v11/ws, and knows /echo and /img."""

import os

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, Message, MessageSegment
from nonebot.params import CommandArg

nonebot.init(
    driver="~fastapi",
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    command_start={"/"},
    onebot_access_token=os.environ["TOKEN"],
)
nonebot.get_driver().register_adapter(Adapter)

echo = nonebot.on_command("echo")
picture = nonebot.on_command("img")


@echo.handle()
async def answer(said: Message = CommandArg()):
    await echo.finish(said)


@picture.handle()
async def show():
    await picture.finish(MessageSegment.image(b"\x89PNG\r\n\x1a\n") + "pic")


nonebot.run()
