"""What every context store keeps, in memory and on real servers: the whole memory of a chat, or a miss."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.context import Context, ContextStore
from bot.chat.memory_context import MemoryContext
from bot.chat.memory_vault import EphemeralVault
from bot.chat.redis_context import RedisContext
from bot.turns.model import Background, Summary
from tests.fixtures.remembered import a_chat, an_exchange
from tests.fixtures.valkey import RealServer, emptied

VAULT = EphemeralVault()
CHAT = a_chat(key=VAULT.new_key(), context_version=7, context_from=3)
OTHER = a_chat(id="c2", key=VAULT.new_key(), context_version=7, context_from=3)
EXCHANGES = (an_exchange(3, "eins \ud800", "zwei"), an_exchange(5, "你好\n", " \n", tokens=99))
BACKGROUND = Background(
    card="- Ann is a nurse \ud800", summary=Summary(ord=2, text="ja\n"), next_summary=Summary(ord=5, text="")
)
CONTEXT = Context(version=7, context_from=3, exchanges=EXCHANGES, background=BACKGROUND)
EMPTY = Context(version=7, context_from=3, exchanges=())


@pytest.fixture(params=["memory", "valkey", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ContextStore]:
    if request.param == "memory":
        yield MemoryContext()
        return
    server: RealServer = request.getfixturevalue(f"{request.param}_server")
    async with emptied(server.url) as client:
        yield RedisContext(client, vault=VAULT, names_key=b"k" * 32, ttl_s=60)


async def test_an_unknown_chat_is_a_miss(store: ContextStore):
    assert await store.load(CHAT) is None


@pytest.mark.parametrize("context", [CONTEXT, EMPTY], ids=["exchanges", "empty"])
async def test_what_was_saved_comes_back(store: ContextStore, context: Context):
    await store.save(CHAT, context)
    assert await store.load(CHAT) == context


async def test_a_save_replaces_whatever_was_there(store: ContextStore):
    """A shorter, older context takes the place of a longer, newer one: SQL decides, not the cache."""
    await store.save(CHAT, CONTEXT)
    older = Context(version=2, context_from=0, exchanges=(an_exchange(1),))
    await store.save(CHAT, older)
    assert await store.load(CHAT) == older


@pytest.mark.parametrize("context", [CONTEXT, EMPTY], ids=["exchanges", "empty"])
async def test_an_exchange_is_appended_to_the_version_it_follows(store: ContextStore, context: Context):
    await store.save(CHAT, context)
    assert await store.append(CHAT, an_exchange(6), 8)
    assert await store.append(replace(CHAT, context_version=8), an_exchange(7), 9)
    exchanges = (*context.exchanges, an_exchange(6), an_exchange(7))
    expected = replace(context, version=9, exchanges=exchanges)
    assert await store.load(CHAT) == expected


@pytest.mark.parametrize(
    ("chat", "position"),
    [
        (replace(CHAT, context_version=6), 6),
        (replace(CHAT, context_version=8), 6),
        (replace(CHAT, context_from=4), 6),
        (CHAT, 5),
        (CHAT, 4),
    ],
    ids=["stale", "ahead", "cut", "again", "requeued"],
)
async def test_an_append_out_of_order_changes_nothing(store: ContextStore, chat, position: int):
    await store.save(CHAT, CONTEXT)
    assert not await store.append(chat, an_exchange(position), 9)
    assert await store.load(CHAT) == CONTEXT


async def test_an_append_to_nothing_makes_nothing(store: ContextStore):
    assert not await store.append(CHAT, an_exchange(6), 8)
    assert await store.load(CHAT) is None


async def test_a_dropped_chat_is_a_miss(store: ContextStore):
    await store.save(CHAT, CONTEXT)
    await store.drop(CHAT)
    await store.drop(CHAT)
    assert await store.load(CHAT) is None


async def test_chats_do_not_meet(store: ContextStore):
    await store.save(CHAT, CONTEXT)
    await store.save(OTHER, EMPTY)
    await store.drop(OTHER)
    assert (await store.load(CHAT), await store.load(OTHER)) == (CONTEXT, None)
