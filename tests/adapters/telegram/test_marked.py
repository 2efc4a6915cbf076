"""A chaos run can tell our sends and edits apart in the record of a local Telegram."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.base import Edit, Purpose, Send
from adapters.content import plain
from adapters.polling_lease import SharedLeases
from tests.adapters.telegram.conftest import settings_for
from tests.adapters.telegram.marked import marked
from tests.adapters.telegram.recording import RecordingSink
from tests.adapters.telegram_bot.client import TelegramClient


@pytest.mark.parametrize("is_gone", [False, True], ids=["answered", "answered_though_gone"])
async def test_each_send_and_edit_carries_its_operation(telegram: Any, *, is_gone: bool) -> None:
    ann = telegram.control.people.user("Ann")
    dm = telegram.control.people.private(ann)
    asked = telegram.control.talk.say(dm, ann, "hello")
    if is_gone:
        telegram.control.talk.unsay(asked)
    made = marked(
        settings_for(telegram),
        SharedLeases(lambda: 0.0, lasts_s=1.0).of("telegram"),
        lambda: datetime.now(UTC),
    )
    where = {"account": "bot", "conversation": str(dm.id)}
    send = Send(
        op_id="op-1",
        content=plain("one"),
        purpose=Purpose.PLACEHOLDER,
        reply_to=str(asked.message_id),
        may_be_duplicate=True,
        **where,
    )
    assert made.lifetime is not None
    async with made.lifetime, TelegramClient(telegram.url) as client:
        sent = await made.adapter.send(send)
        edit = Edit(op_id="op-2", message=sent.message, content=plain("two"), purpose=Purpose.REPLY, **where)
        await made.adapter.edit(edit)
        (message,) = (await client.seen()).messages.values()
    assert [(each.operation, each.purpose) for each in message.versions] == [
        ("op-1", "placeholder"),
        ("op-2", "reply"),
    ]
    assert (message.operation, message.purpose, message.may_be_duplicate) == ("op-1", "reply", True)
    assert message.reply_to == asked.key


async def test_the_next_question_for_updates_tells_what_became_of_those_before(telegram: Any) -> None:
    ann = telegram.control.people.user("Ann")
    dm = telegram.control.people.private(ann)
    leases = SharedLeases(asyncio.get_running_loop().time, lasts_s=60.0)
    made = marked(settings_for(telegram), leases.of("telegram"), lambda: datetime.now(UTC))
    assert made.lifetime is not None
    assert made.source is not None
    asked = telegram.control.talk.say(dm, ann, "hello")
    async with made.lifetime, TelegramClient(telegram.url) as client:
        polling = asyncio.create_task(made.source.run(RecordingSink()))
        try:
            seen = await client.until(lambda seen: [m for m in seen.mentions.values() if m.acked_seq])
        finally:
            polling.cancel()
            await asyncio.wait({polling})
    assert seen.mentions[asked.key].outcome == "accepted"
