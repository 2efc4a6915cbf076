"""A fake Telegram runs as a process of its own, and remembers after it was killed."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.adapters.telegram_bot.client import TelegramClient
from tests.adapters.telegram_bot.process import running_telegram
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.rules import TOKEN, Rules
from tests.adapters.telegram_bot.server import ServerSettings, serving, strictly_serving
from tests.platforms.seen import Endpoint, Fault, Page


async def test_another_process_plays_people_and_reads_what_is_seen(tmp_path: Path) -> None:
    async with (
        running_telegram(tmp_path / "telegram.db", reads_all=True) as (url, _),
        aiohttp.ClientSession() as open_,
    ):

        async def post(path: str, **asked):
            async with open_.post(f"{url}{path}", json=asked) as answer:
                assert answer.status == 200
                return await answer.json()

        ann = await post("/control/user", first_name="Ann")
        group = await post("/control/group", title="Team", members=[ann["id"]])
        said = await post("/control/say", chat=group["id"], user=ann["id"], text="hello")
        (update,) = (await post(f"/bot{TOKEN}/getUpdates"))["result"]
        await post(f"/bot{TOKEN}/getUpdates", offset=update["update_id"] + 1)
        await post(f"/bot{TOKEN}/sendMessage", chat_id=group["id"], text="hello Ann")
        async with open_.get(f"{url}/control/record") as answer:
            body = await answer.json()
        body.pop("under_way")
        page = Page.from_wire(body)
        assert [message.text for message in page.messages] == ["hello Ann"]
        (mention,) = page.mentions
        assert mention.id == f"{group['id']}/{said['message_id']}"
        assert mention.acked_seq is not None
        assert mention.said_seq < mention.acked_seq < page.messages[0].posted_seq


async def test_it_remembers_after_it_was_killed(tmp_path: Path) -> None:
    record = tmp_path / "telegram.db"
    async with serving(ServerSettings(record=record)) as fake:
        people = fake.control.people
        ann = people.user("Ann")
        dm = people.private(ann)
        fake.control.talk.say(dm, ann, "hello")
        fake.control.journal.blame("sendMessage", "too much")
    async with serving(ServerSettings(record=record)) as fake:
        control = fake.control
        assert [message.text for message in control.world.in_chat(dm.id)] == ["hello"]
        assert [update.payload["text"] for update in control.mailbox.pending()] == ["hello"]
        assert control.violations == ["sendMessage: too much"]
        bo = control.people.user("Bo")
        assert bo.id not in (ann.id, dm.id)
        said = control.talk.say(control.world.chats[dm.id], ann, "again")
        assert said.message_id == 2


async def test_a_page_tells_only_what_changed(tmp_path: Path) -> None:
    async with serving(ServerSettings(record=tmp_path / "t.db")) as fake, aiohttp.ClientSession() as open_:
        ann = fake.control.people.user("Ann")
        dm = fake.control.people.private(ann)
        fake.control.talk.say(dm, ann, "one")

        async def page(after: int, **more) -> Page:
            async with open_.get(f"{fake.url}/control/record", params={"after": after, **more}) as answer:
                body = await answer.json()
            del body["under_way"]
            return Page.from_wire(body)

        first = await page(0)
        assert [mention.text for mention in first.mentions] == ["one"]
        waiting = asyncio.create_task(page(first.next, wait_s=20))
        await asyncio.sleep(0)
        fake.control.talk.say(dm, ann, "two")
        later = await waiting
        while not later.mentions:
            later = await page(later.next, wait_s=5)
        assert [mention.text for mention in later.mentions] == ["two"]


async def test_violations_and_calls_are_told(tmp_path: Path) -> None:
    async with serving() as fake, aiohttp.ClientSession() as open_:
        async with open_.post(f"{fake.base_url}{fake.token}/sendNothing") as answer:
            assert answer.status == 404
        async with open_.post(f"{fake.base_url}{fake.token}/getMe") as answer:
            assert answer.status == 200
        async with open_.get(f"{fake.url}/control/violations") as answer:
            assert len(await answer.json()) == 1
        async with open_.get(f"{fake.url}/control/calls", params={"method": "getMe"}) as answer:
            assert [call["status"] for call in await answer.json()] == [200]


async def test_a_strict_server_ends_with_a_failure_where_something_was_wrong() -> None:
    async def misuse() -> None:
        async with strictly_serving() as fake, RawBot(fake) as bot:
            assert (await bot("sendNothing")).status == 404

    with pytest.raises(AssertionError, match="sendNothing"):
        await misuse()


async def test_it_is_driven_like_the_other_fake_platforms() -> None:
    """Names for people and places, mentions with their acknowledgement, faults by endpoint."""
    settings = ServerSettings(rules=Rules(reads_all=True))
    async with serving(settings) as fake, RawBot(fake) as bot, TelegramClient(fake.url) as client:
        mention = await client.say("hello", conversation="room-1", sender="ann")
        direct = await client.say("and here", conversation="dm-1", sender="bo", kind="direct")
        updates = await bot.updates()
        assert [update["message"]["text"] for update in updates] == ["@aside_bot hello", "and here"]
        await bot.updates(offset=updates[-1]["update_id"] + 1)
        await client.fault(Fault.RATE_LIMITED, endpoint=Endpoint.SEND)
        chat, keyboard = updates[0]["message"]["chat"]["id"], [[{"text": "Stop", "callback_data": "s"}]]
        send = {"chat_id": chat, "text": "hi", "reply_markup": {"inline_keyboard": keyboard}}
        assert [(await bot("sendMessage", **send)).status for _ in range(2)] == [429, 200]
        await client.stop(conversation="room-1", sender="ann")
        assert "callback_query" in (await bot.updates())[0]
        await client.edit(direct, "no, there")
        await client.withdraw(mention)
        seen = await client.seen()
        assert seen.texts("room-1") == ["hi"]
        assert (seen.mentions[mention].conversation, seen.mentions[mention].text) == ("room-1", "hello")
        assert (seen.mentions[mention].sender, seen.mentions[mention].acked_seq is not None) == ("ann", True)
        assert seen.mentions[mention].withdrawn_at is not None
        assert [fault.endpoint for fault in seen.faults] == ["sendMessage"]


async def test_no_number_is_given_twice_after_a_restart(tmp_path: Path) -> None:
    drawn = []
    for _ in range(3):
        async with serving(ServerSettings(record=tmp_path / "t.db")) as fake:
            control = fake.control
            ann = control.people.user("Ann")
            query = control.asking.ask_inline(ann, "x")
            update = control.mailbox.told()[-1]
            drawn += [ann.id, query.id, update.id, control.people.group("Team", [ann]).id]
    assert len(set(drawn)) == len(drawn)
