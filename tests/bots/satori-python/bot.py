"""A bot on satori-python: it connects to the Satori server at $ENDPOINT, and knows /echo and /img."""

import os
from urllib.parse import urlsplit

from satori import Image
from satori.client import App, WebsocketsInfo
from satori.const import EventType

server = urlsplit(os.environ["ENDPOINT"])
app = App(
    WebsocketsInfo(
        host=server.hostname, port=server.port, path=server.path, token=os.environ["TOKEN"]
    )
)


@app.register_on(EventType.MESSAGE_CREATED)
async def answer(account, event):
    said = event.message.content
    if said.startswith("/echo "):
        await account.send(event, said[len("/echo ") :])
    if said.startswith("/img"):
        picture = Image.of(raw=b"\x89PNG\r\n\x1a\n", mime="image/png")
        await account.send(event, f"{picture}pic")


app.run()
