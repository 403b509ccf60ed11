"""A bot on AstrBot, without its web page: it listens for OneBot 11 at 127.0.0.1:$PORT/ws, and knows
/echo and /img. Its folder is $ASTRBOT_ROOT."""

import asyncio
import json
import os
import sys
from pathlib import Path

PLUGIN = '''
from astrbot.api.event import AstrMessageEvent, filter
from astrbot.api.star import Context, Star, register
from astrbot.api.message_components import Image, Plain


@register("echobot", "rechat", "answers", "1.0.0")
class Answers(Star):
    def __init__(self, context: Context):
        super().__init__(context)

    @filter.command("echo")
    async def echo(self, event: AstrMessageEvent):
        yield event.plain_result(event.message_str.removeprefix("echo").strip())

    @filter.command("img")
    async def img(self, event: AstrMessageEvent):
        yield event.chain_result([Image.fromBase64("iVBORw0KGgo="), Plain("pic")])
'''

root = Path(os.environ["ASTRBOT_ROOT"])
plugin = root / "data/plugins/echobot"
plugin.mkdir(parents=True, exist_ok=True)
(plugin / "main.py").write_text(PLUGIN)
(plugin / "metadata.yaml").write_text("name: echobot\ndesc: answers\nversion: v1.0.0\nauthor: rechat\nrepo: ''\n")
platform = {
    "id": "default", "type": "aiocqhttp", "enable": True, "ws_reverse_host": "127.0.0.1",
    "ws_reverse_port": int(os.environ["PORT"]), "ws_reverse_token": os.environ["TOKEN"],
}
# AstrBot fills in the rest when it is imported.
config = {"platform": [platform], "dashboard": {"enable": False}}
(root / "data/cmd_config.json").write_text(json.dumps(config), encoding="utf-8-sig")
os.chdir(root)
sys.path.insert(0, str(root))
os.environ["ASTRBOT_CLI"] = "1"

from astrbot.core import LogBroker, LogManager, db_helper, logger  # noqa: E402
from astrbot.core.core_lifecycle import AstrBotCoreLifecycle  # noqa: E402


async def main():
    broker = LogBroker()
    LogManager.set_queue_handler(logger, broker)
    core = AstrBotCoreLifecycle(broker, db_helper)
    await core.initialize()
    await core.start()


asyncio.run(main())
