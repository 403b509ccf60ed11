"""Makes a message with the generated client and reads it, by itself and in a list."""

import sys

from generated_client import Client
from generated_client.api.default import create_message, get_health, get_message, list_messages
from generated_client.models import Message, MessageType, NewMessage, Status

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
assert get_health.sync(client=client).status == "ok"
body = NewMessage(message_type=MessageType.TEXT, content="from Python", recipient="group_1")
made = create_message.sync(client=client, body=body)
assert isinstance(made, Message) and made.status == Status.PENDING, made
read = get_message.sync(made.id, client=client)
assert isinstance(read, Message) and read.content == "from Python", read
second = create_message.sync(client=client, body=body)
for before in (second.id, 2):
    page = list_messages.sync(client=client, before=before, limit=5)
    assert [message.id for message in page.messages] == [made.id], page
