"""What every store of unaddressed messages keeps: few, for hours, in order, and nothing once it is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.chat.ambient import AmbientStore, Heard
from bot.chat.ambient_memory import MemoryAmbient
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.memory_vault import EphemeralVault
from bot.turns.model import Consent
from tests.fixtures.remembered import AT, a_chat
from tests.fixtures.valkey import RealServer, emptied

VAULT = EphemeralVault()
RECENT = {"consent": Consent.RECENT, "recent_messages": 3, "recent_hours": 2}
CHAT = a_chat(key=VAULT.new_key(), **RECENT)
OTHER = a_chat(id="c2", key=VAULT.new_key(), **RECENT)


def heard(number: int, text: str = "") -> Heard:
    return Heard(
        message=f"m{number}",
        sender_id="p1",
        sender_name="Ann \ud800",
        text=text or f"said {number}\n你好",
        at=AT + timedelta(seconds=number),
    )


@pytest.fixture(params=["memory", "valkey", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[AmbientStore]:
    if request.param == "memory":
        yield MemoryAmbient()
        return
    server: RealServer = request.getfixturevalue(f"{request.param}_server")
    async with emptied(server.url) as client:
        yield RedisAmbient(client, vault=VAULT)


async def test_nothing_was_heard_of_an_unknown_chat(store: AmbientStore) -> None:
    assert await store.read(CHAT) == ()


async def test_what_was_heard_comes_back_oldest_first(store: AmbientStore) -> None:
    for number in (2, 1, 3):
        await store.add(CHAT, heard(number))
    assert await store.read(CHAT) == (heard(1), heard(2), heard(3))


async def test_the_oldest_goes_where_there_are_too_many(store: AmbientStore) -> None:
    for number in range(5):
        await store.add(CHAT, heard(number))
    assert await store.read(CHAT) == (heard(2), heard(3), heard(4))


async def test_a_message_that_comes_again_is_remembered_once(store: AmbientStore) -> None:
    for _ in range(2):
        await store.add(CHAT, heard(1))
    assert await store.read(CHAT) == (heard(1),)


async def test_an_edit_changes_the_words_and_not_the_place(store: AmbientStore) -> None:
    for number in (1, 2):
        await store.add(CHAT, heard(number))
    edited = heard(1, "otherwise")
    await store.amend(CHAT, replace(edited, at=edited.at + timedelta(hours=1)))
    assert await store.read(CHAT) == (edited, heard(2))


async def test_an_edit_of_what_is_not_remembered_changes_nothing(store: AmbientStore) -> None:
    await store.add(CHAT, heard(1))
    await store.discard(CHAT, ("m1",))
    await store.amend(CHAT, heard(1))
    assert await store.read(CHAT) == ()


async def test_some_are_forgotten_and_others_stay(store: AmbientStore) -> None:
    for number in (1, 2, 3):
        await store.add(CHAT, heard(number))
    for _ in range(2):
        await store.discard(CHAT, ("m1", "m3", "unknown"))
    assert await store.read(CHAT) == (heard(2),)


async def test_discarding_nothing_is_nothing(store: AmbientStore) -> None:
    await store.add(CHAT, heard(1))
    await store.discard(CHAT, ())
    assert await store.read(CHAT) == (heard(1),)


async def test_a_dropped_chat_is_forgotten_and_heard_again(store: AmbientStore) -> None:
    await store.add(CHAT, heard(1))
    await store.drop(CHAT)
    assert await store.read(CHAT) == ()
    await store.add(CHAT, heard(2))
    assert await store.read(CHAT) == (heard(2),)


async def test_a_chat_that_is_not_to_be_heard_is_not(store: AmbientStore) -> None:
    """What a gateway hears late, because it still believes the chat to allow it, is not remembered."""
    await store.add(CHAT, heard(1))
    await store.drop(CHAT, deaf_s=60)
    await store.add(CHAT, heard(2))
    assert await store.read(CHAT) == ()


async def test_chats_do_not_meet(store: AmbientStore) -> None:
    await store.add(CHAT, heard(1))
    await store.add(OTHER, heard(2))
    await store.discard(OTHER, ("m1",))
    await store.drop(OTHER, deaf_s=60)
    assert (await store.read(CHAT), await store.read(OTHER)) == ((heard(1),), ())
