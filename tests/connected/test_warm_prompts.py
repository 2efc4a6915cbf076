"""A chat's prompts over the whole path: warm through Redis, the same after FLUSHALL and on another worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from redis.asyncio import Redis

from adapters.base import Idempotency
from bot.bootstrap import make_worker
from bot.chat.context import Context
from bot.chat.keeper import ContextKeeper
from bot.chat.key_ring import Subkey
from bot.chat.redis_context import RedisContext
from bot.telemetry.events import ContextCut, CutWithoutSummary, SummaryStored
from engine.base import ChatMessage, ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import Rig, loopback, open_rig

TURNS = 40
WISH = "‹summary wanted›"
Prompt = tuple[ChatMessage, ...]


def script(request: ChatRequest) -> str:
    last = request.messages[-1].content
    if last.startswith(WISH):
        return f"Ann said {len(request.messages)} things"
    return f"{last[-12:]} it is, and a few words more than that so that it takes some room in here"


def is_wish(request: ChatRequest) -> bool:
    return request.messages[-1].content.startswith(WISH)


@asynccontextmanager
async def warm_rig(client: Redis, folder: Path) -> AsyncIterator[tuple[Rig, ScriptedEngine]]:
    """Open a deployment with its contexts in Redis and two workers on one small engine."""
    async with open_rig(folder, platform=loopback(Idempotency.NONE)) as rig:
        contexts = redis_context(rig, client)
        rig.core = replace(rig.core, shared=replace(rig.core.shared, contexts=contexts))
        engine = ScriptedEngine(script, max_model_len=1024)
        rig.start_worker(engine)
        another, _ = make_worker(rig.core, engine, embedded=False)
        rig.run(another.run())
        yield rig, engine


def redis_context(rig: Rig, client: Redis) -> RedisContext:
    return RedisContext(client, vault=rig.core.vault, names_key=rig.core.keys.derive(Subkey.CACHE_NAMES))


async def talk(rig: Rig, *, flush: Redis | None = None) -> None:
    for n in range(TURNS):
        if flush is not None and n % 3 == 2:
            await flush.flushall()
        await rig.say(f"this is what I say as number {n}", sender=("ann", "bob")[n % 2])
        await rig.settled()


def prompts_by_turn(engine: ScriptedEngine) -> dict[str, Prompt]:
    return {
        request.request_id.split("-")[0]: request.messages
        for request in engine.requests
        if not is_wish(request)
    }


def cuts(rig: Rig) -> set[str]:
    return {event.turn_id for kind in (ContextCut, CutWithoutSummary) for event in rig.told(kind)}


async def test_every_prompt_extends_the_one_before_whatever_redis_forgets(
    valkey_client: Redis, tmp_path: Path
) -> None:
    """Only a cut breaks it; the cache is emptied every third turn, and two workers share the chat."""
    async with warm_rig(valkey_client, tmp_path) as (rig, engine):
        await talk(rig, flush=valkey_client)
        prompts, cut = prompts_by_turn(engine), cuts(rig)
        assert len(prompts) == TURNS
        for (_, before), (turn_id, after) in pairwise(prompts.items()):
            assert (after[: len(before)] == before) == (turn_id not in cut)
        assert len(rig.told(ContextCut)) >= 2


async def test_a_cut_brings_the_summary_into_the_prompt(valkey_client: Redis, tmp_path: Path) -> None:
    """The summary was asked for as a continuation of the prompt, out of the engine's cache."""
    async with warm_rig(valkey_client, tmp_path) as (rig, engine):
        await talk(rig)
        prompts = prompts_by_turn(engine)
        [first, *_] = rig.told(ContextCut)
        assert "‹summary of what was said before›\nAnn said" in prompts[first.turn_id][1].content
        wish = next(request for request in engine.requests if is_wish(request))
        assert any(prompt[: len(wish.messages) - 2] == wish.messages[:-2] for prompt in prompts.values())
        for stored in rig.told(SummaryStored):
            assert stored.cached_tokens >= 0.8 * stored.prompt_tokens


async def test_the_context_is_the_same_from_redis_from_sql_and_for_another_worker(
    valkey_client: Redis, tmp_path: Path
) -> None:
    async with warm_rig(valkey_client, tmp_path) as (rig, _):
        await talk(rig)
        chat = await rig.journal.chat_by_conversation(rig.platform.adapter.name, "main", "room")
        assert chat is not None

        async def read() -> Context:
            keeper = ContextKeeper(
                store=redis_context(rig, valkey_client),
                exchanges=rig.journal.exchanges,
                background=rig.journal.background,
            )
            return await keeper.remembered(chat)

        cached = await read()
        await valkey_client.flushall()
        rebuilt, again = await read(), await read()
        assert cached == rebuilt == again
        assert cached.background.summary is not None
