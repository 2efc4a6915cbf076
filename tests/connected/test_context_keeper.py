"""What a worker recalls is the same from the cache and from SQL; an outage is nobody's error."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.chat.assembly import assemble
from bot.chat.budget import Limits
from bot.chat.keeper import ContextKeeper
from bot.chat.memory_vault import EphemeralVault
from bot.chat.prompt import Persona
from bot.chat.redis_context import RedisContext
from bot.store.redis_client import open_redis
from bot.telemetry.events import ContextDropped, Details, Hooks
from bot.turns.model import Background, Chat, Exchange, Summary, Turn
from engine.base import ChatMessage
from tests.fixtures.remembered import a_chat, a_said, a_turn, an_exchange
from tests.fixtures.valkey import RealServer

VAULT = EphemeralVault()
TEXTS = st.text(st.characters(codec=None), max_size=300)
SUMMARIES = st.none() | st.builds(lambda text: Summary(ord=0, text=text), TEXTS)
BACKGROUNDS = st.builds(Background, card=TEXTS, summary=SUMMARIES, next_summary=SUMMARIES)


class Record:
    """A chat's rows as the journal keeps them, and how often they were read."""

    def __init__(self) -> None:
        self.key = VAULT.new_key()
        self.version = 0
        self.begins = 0
        self.rows: list[Exchange] = []
        self.reads = 0
        self.standing = Background()

    def chat(self) -> Chat:
        return a_chat(key=self.key, context_version=self.version, context_from=self.begins)

    def turn(self, text: str = "hi") -> Turn:
        return a_turn(a_said(text), chat=self.chat(), ord=len(self.rows))

    def commit(self, exchange: Exchange) -> int:
        self.rows.append(exchange)
        self.version += 1
        return self.version

    async def exchanges(self, chat: Chat, before_ord: int) -> list[Exchange]:
        self.reads += 1
        return [row for row in self.rows if chat.context_from <= row.ord < before_ord]

    async def background(self, chat: Chat) -> Background:
        return self.standing


def keeper_on(client: Redis, record: Record, hooks: Hooks = ()) -> ContextKeeper:
    store = RedisContext(client, vault=VAULT, names_key=b"k" * 32, hooks=hooks)
    return ContextKeeper(store=store, exchanges=record.exchanges, background=record.background)


async def converse(keeper: ContextKeeper, record: Record, text: str, reply: str) -> None:
    turn = record.turn(text)
    prompt = await prompt_of(keeper, turn)
    exchange = an_exchange(turn.ord, prompt[-1].content, reply, tokens=10 * turn.ord + 10)
    await keeper.add(turn.chat, exchange, version=record.commit(exchange))


async def prompt_of(keeper: ContextKeeper, turn: Turn) -> tuple[ChatMessage, ...]:
    context = await keeper.recall(turn)
    made = assemble(
        turn,
        context.exchanges,
        persona=Persona(),
        limits=Limits(max_model_len=8192),
        background=context.background,
    )
    return made.messages


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(TEXTS, TEXTS), max_size=5), background=BACKGROUNDS)
async def test_a_rebuilt_prompt_equals_the_cached_one(
    valkey_client: Redis, said: list[tuple[str, str]], background: Background
):
    """After FLUSHALL the prompt is built from SQL, byte for byte what the cache would have given."""
    await valkey_client.flushall()
    record = Record()
    keeper = keeper_on(valkey_client, record)
    if said:
        record.standing, record.version = background, 1
        await keeper.recall(record.turn())
    for text, reply in said:
        await converse(keeper, record, text, reply)
    reads = record.reads
    cached = await prompt_of(keeper, record.turn())
    assert record.reads == reads
    await valkey_client.flushall()
    assert await prompt_of(keeper, record.turn()) == cached
    assert record.reads == (reads + 1 if said else 0)
    assert await prompt_of(keeper, record.turn()) == cached


async def test_a_corrupt_context_is_rebuilt_byte_for_byte_with_one_event(valkey_client: Redis):
    record, told = Record(), list[Details]()
    keeper = keeper_on(valkey_client, record, (told.append,))
    for number in range(3):
        await converse(keeper, record, f"question {number}", f"answer {number}")
    cached = await prompt_of(keeper, record.turn())
    [log] = [key async for key in valkey_client.scan_iter() if await valkey_client.type(key) == b"list"]
    entry = bytearray(await valkey_client.lindex(log, 1))
    entry[-1] ^= 1
    await valkey_client.lset(log, 1, bytes(entry))
    for _ in range(2):
        assert await prompt_of(keeper, record.turn()) == cached
    assert [type(one) for one in told] == [ContextDropped]


async def test_a_moved_version_is_read_from_the_record(valkey_client: Redis):
    """A commit whose exchange never reached the cache is not forgotten."""
    record = Record()
    keeper = keeper_on(valkey_client, record)
    await converse(keeper, record, "one", "two")
    record.commit(an_exchange(1))
    assert [one.ord for one in (await keeper.recall(record.turn())).exchanges] == [0, 1]


async def test_a_summary_stored_during_a_turn_is_not_missed(valkey_client: Redis):
    """The turn's own exchange does not make the cached context current: it lacks the summary."""
    record = Record()
    keeper = keeper_on(valkey_client, record)
    await converse(keeper, record, "one", "two")
    turn = record.turn()
    await keeper.recall(turn)
    record.standing, record.version = Background(next_summary=Summary(ord=0, text="one, two")), 2
    exchange = an_exchange(1)
    await keeper.add(turn.chat, exchange, version=record.commit(exchange))
    context = await keeper.recall(record.turn())
    assert (context.background, len(context.exchanges)) == (record.standing, 2)


async def test_a_reset_is_read_from_the_record(valkey_client: Redis):
    record = Record()
    keeper = keeper_on(valkey_client, record)
    await converse(keeper, record, "one", "two")
    record.begins, record.version = 1, record.version + 1
    await keeper.forget(record.chat())
    assert (await keeper.recall(record.turn())).exchanges == ()


async def test_a_requeued_turn_sees_only_what_came_before_it(valkey_client: Redis):
    """It reads a part of the memory, and the whole stays cached for the next turn."""
    record = Record()
    keeper = keeper_on(valkey_client, record)
    for n in range(3):
        record.commit(an_exchange(n))
    requeued = a_turn(a_said("hi"), chat=record.chat(), ord=1)
    assert [one.ord for one in (await keeper.recall(requeued)).exchanges] == [0]
    assert [one.ord for one in (await keeper.recall(record.turn())).exchanges] == [0, 1, 2]


async def test_an_outage_costs_nothing_but_reads_and_is_said_once(own_valkey: RealServer, caplog):
    """With the server gone every prompt comes from SQL; its going and its coming back are one line each."""
    record = Record()
    async with open_redis(own_valkey.url) as client:
        keeper = keeper_on(client, record)
        await converse(keeper, record, "one", "two")
        own_valkey.stop()
        with caplog.at_level(logging.INFO, logger="bot.chat.keeper"):
            for n in range(3):
                await converse(keeper, record, f"again {n}", "yes")
            own_valkey.start()
            assert [one.ord for one in (await keeper.recall(record.turn())).exchanges] == [0, 1, 2, 3]
            await keeper.recall(record.turn())
    messages = [record.getMessage().split(":")[0].split(",")[0] for record in caplog.records]
    assert messages == ["the context cache is out", "the context cache is back"]


async def test_an_error_of_the_record_is_raised(valkey_client: Redis):
    async def broken(chat: Chat, before_ord: int) -> list[Exchange]:
        raise LookupError("the record")

    record = Record()
    store = RedisContext(valkey_client, vault=VAULT, names_key=b"k")
    keeper = ContextKeeper(store=store, exchanges=broken, background=record.background)
    record.version = 1
    with pytest.raises(LookupError, match="the record"):
        await keeper.recall(record.turn())
